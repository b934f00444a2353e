/**
 * `npm run fuzz`: random programs on every engine, and on qemu-ppc where it is installed, until stopped or until one differs.
 *
 * --seed N (of the first program; the next has N + 1), --count N, --seconds N, --kinds a,b (all)
 */
import { parseArgs } from 'node:util';
import { describeFailure, findFailure, minimize } from './compare.ts';
import { FuzzMachine } from './machine.ts';
import { createProgram, type Kind, kinds } from './programs.ts';
import { QemuRunner } from './qemu.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() | 0) },
    count: { type: 'string', default: 'Infinity' },
    seconds: { type: 'string', default: 'Infinity' },
    kinds: { type: 'string', default: kinds.join(',') },
  },
});
const wanted = values.kinds.split(',') as Kind[];
const unknown = wanted.filter((kind) => !kinds.includes(kind));
if (unknown.length > 0) {
  console.error(`fuzz: no such kinds: ${unknown.join(', ')}; there are ${kinds.join(', ')}`);
  process.exit(2);
}
const first = Number(values.seed);
const count = Number(values.count);
const end = performance.now() + 1000 * Number(values.seconds);
console.error(`fuzz: from seed ${first}, kinds ${wanted.join(', ')}`);

const machine = new FuzzMachine();
const qemu = QemuRunner.available ? new QemuRunner() : undefined;
if (qemu === undefined) console.error('fuzz: left out: comparison with qemu-ppc, which is not installed');
/** Kinds that QEMU can run: no faults, no events. */
const plain: readonly Kind[] = ['straight', 'branches'];

function finish(status: number): never {
  machine.close();
  qemu?.close();
  process.exit(status);
}

let reported = performance.now();
let done = 0;
for (; done < count && performance.now() < end; done++) {
  const seed = (first + Math.floor(done / wanted.length)) | 0;
  const kind = wanted[done % wanted.length];
  const failure = findFailure(machine, createProgram(kind, seed));
  if (failure !== undefined) {
    console.error(`fuzz: kind ${kind}, seed ${seed} differs; taking away what is not needed`);
    console.log(describeFailure(minimize(machine, failure)));
    finish(1);
  }
  if (qemu !== undefined && plain.includes(kind)) {
    const found = qemu.compare(machine, createProgram(kind, seed, true));
    if (found.length > 0) {
      console.log([`interpreted differs from qemu-ppc: --kinds ${kind} --seed ${seed} --count 1`, ...found].join('\n'));
      finish(1);
    }
  }
  if (performance.now() - reported > 2000) {
    reported = performance.now();
    console.error(`fuzz: ${done + 1} programs, seed ${seed}`);
  }
}
console.error(`fuzz: ${done} programs, no difference`);
finish(0);
