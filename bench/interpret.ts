/** Guest instructions per second of the interpreter on hot integer loops. */
import Benchmark from 'benchmark';
import type { Frontend } from '../translators/frontend.ts';
import { Builder, op } from '../translators/ir/builder.ts';
import { Interpreter } from '../translators/ir/interpreter.ts';
import { defineRegisters, State } from '../translators/ir/state.ts';
import type { Unit } from '../translators/ir/unit.ts';
import type { MemoryView } from '../translators/memory-view.ts';

const rows = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'lt', 'gt', 'eq', 'ctr'].map((name) => ({
  name,
  type: 'i32' as const,
}));
const registers = defineRegisters(rows);
const [, , r2, r3, r4, r5, lt, gt, eq, ctr] = rows.map((_, number) => number);

const memory: MemoryView = (() => {
  const buffer = new ArrayBuffer(1 << 20);
  return {
    buffer,
    view: new DataView(buffer),
    mirrored: true,
    origin: 1 << 20,
    permissions: new Uint8Array(8 << 20).fill(3),
  };
})();

const frontend: Frontend = {
  name: 'bench',
  byteOrder: 'big',
  addressBits: 32,
  registers,
  helpers: [],
  instructionAlignment: 4,
  floatingPointControl: { register: rows[0].name, mask: 0, inexact: 0 },
  lift: () => 4,
  disassemble: () => ({ text: '', length: 4 }),
};

/** A loop of eight instructions as a PowerPC lifter makes it: loads, stores, a full compare, a counted branch. */
function block(pc: number): Unit {
  const b = new Builder(registers);
  b.begin(pc);
  const address = b.and(b.get(r3), b.constant(0xfffc));
  b.set(r2, address);
  b.pc += 4;
  const word = b.load(op.load32, b.get(r2), 0x1000);
  b.set(r4, word);
  b.pc += 4;
  b.set(r4, b.add(b.get(r4), b.get(r5)));
  b.pc += 4;
  b.set(r5, b.rotl(b.get(r4), b.constant(7)));
  b.pc += 4;
  b.store(op.store32, b.get(r2), 0x1000, b.get(r5));
  b.pc += 4;
  b.set(r3, b.add(b.get(r3), b.constant(4)));
  b.pc += 4;
  b.set(lt, b.ltS(b.get(r4), b.get(r5)));
  b.set(gt, b.gtS(b.get(r4), b.get(r5)));
  b.set(eq, b.eq(b.get(r4), b.get(r5)));
  b.pc += 4;
  const count = b.sub(b.get(ctr), b.constant(1));
  b.set(ctr, count);
  b.branch(b.ne(count, b.constant(0)), pc, b.pc + 4);
  b.end(b.pc + 4, 8);
  return b.unit;
}

const machine = {
  memory,
  bytes: new Uint8Array(memory.buffer),
  timeBase: () => ({ low: 0, high: 0 }),
  invalidateCode: () => {},
  requireExactFloatingPoint: () => {},
  leaveDefaultFloatingPoint: () => {},
  loadByte: () => -1,
  storeByte: () => false,
};
const state = new State(registers, new ArrayBuffer(4096), 0);
const interpreter = new Interpreter(frontend, state, memory, machine, (pc) => (pc === 0x1000 ? block(pc) : undefined));
const iterations = 100_000;

new Benchmark.Suite()
  .add('hot loop', () => {
    state.set('ctr', iterations);
    state.pc = 0x1000;
    interpreter.run();
  })
  .on('cycle', (event: Benchmark.Event) => {
    const rate = (event.target.hz ?? 0) * iterations * 8;
    console.log(`${event.target.name}: ${(rate / 1e6).toFixed(1)} million guest instructions per second`);
  })
  .run();
