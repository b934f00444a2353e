/** What PowerPC's floating-point instructions cost where they are executed exactly. `node bench/floating-point.ts` */
import Benchmark from 'benchmark';
import type { Machine } from '../translators/frontend.ts';
import { State, stateBlockSize } from '../translators/ir/state.ts';
import { floatingPointHelpers } from '../translators/powerpc/floating-point.ts';
import { powerpcRegisters } from '../translators/powerpc/registers.ts';

const count = 256;
const operands = Float64Array.from({ length: count + 2 }, () => Math.random() * 4 - 2);
const results = new Float64Array(count);
const state = new State(powerpcRegisters, new ArrayBuffer(stateBlockSize), 0);
const machine = { requireExactFloatingPoint() {} } as unknown as Machine;

const suite = new Benchmark.Suite();
for (const { name, operands: types, run } of floatingPointHelpers) {
  if (types[0] !== 'f64' || name === 'mtfsf') continue;
  // A text of its own for each, so that each call site knows one callee.
  const body = `/* ${name} */ for (let i = 0; i < ${count}; i++) r[i] = run(state, machine, v[i], v[i + 1], v[i + 2]);`;
  const loop = new Function('run', 'state', 'machine', 'v', 'r', body);
  suite.add(name, () => loop(run, state, machine, operands, results), { maxTime: 0.3 });
}
suite.on('cycle', (event: Benchmark.Event) => {
  const nanoseconds = 1e9 / ((event.target.hz as number) * count);
  console.log(`${String(event.target.name).padEnd(8)} ${nanoseconds.toFixed(1).padStart(6)} ns each`);
});
suite.run();
