/** Fused multiply-add: the host's through WebAssembly against exact software. `node bench/fma.ts` */
import Benchmark from 'benchmark';
import { fmaSoftware, hostFma } from '../translators/float/fma.ts';

type Fma = (a: number, b: number, c: number) => number;

const count = 1024;
const operands = Float64Array.from({ length: count + 16 }, () => Math.random() - 0.5);
let checksum = 0;

/**
 * A loop with as many calls as translated code has, of a source text of its own: V8 shares what it learns
 * of a call site among functions of the same text, and inlines a call only where it knows one callee.
 */
function loop(name: string, sites: number, fma: Fma): () => void {
  const calls = Array.from({ length: sites }, (_, k) => `x${k & 1} = fma(x${~k & 1}, v[i + ${k}], x${k & 1});`);
  const body = `let x0 = 1, x1 = 2; for (let i = 0; i < ${count}; i += ${sites}) { ${calls.join(' ')} } return x0 + x1;`;
  const run = new Function('fma', 'v', `/* ${name} */ ${body}`);
  return () => {
    checksum += run(fma, operands);
  };
}

const suite = new Benchmark.Suite();
const host = hostFma();
for (const sites of [1, 16]) {
  suite.add(
    `rounded twice, ${sites} in a loop`,
    loop('rounded twice', sites, (a, b, c) => a * b + c),
  );
  suite.add(`software, ${sites} in a loop`, loop('software', sites, fmaSoftware));
  if (host !== undefined) suite.add(`WebAssembly, ${sites} in a loop`, loop('WebAssembly', sites, host));
}
suite.on('cycle', (event: Benchmark.Event) => {
  const nanoseconds = 1e9 / ((event.target.hz as number) * count);
  console.log(`${String(event.target.name).padEnd(28)} ${nanoseconds.toFixed(2).padStart(8)} ns each`);
});
suite.on('complete', () => console.log(`checksum ${checksum}`));
suite.run();
