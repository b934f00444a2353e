/**
 * `npm run fuzz`: random programs on every engine, and on qemu-ppc where it is installed, until stopped or until one differs.
 *
 * --seed N (of the first program; the next has N + 1), --count N, --seconds N, --kinds a,b (all but `hostile` and `x86`)
 *
 * Two kinds stand alone. `hostile`: whole programs, each of them against every engine, in a process of their own. `x86`:
 * instructions of x86 against the host's processor; a program is some states for one form of each instruction.
 */
import { parseArgs } from 'node:util';
import { fuzzInstructions, missingModes } from '../x86/native/fuzz.ts';
import { describeFailure, findFailure, minimize } from './compare.ts';
import { runHostile } from './hostile.ts';
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
const first = Number(values.seed);
const count = Number(values.count);
if (values.kinds === 'hostile') {
  console.error(`fuzz: from seed ${first >>> 0}, kind hostile`);
  process.exit(await fuzzHostile(first >>> 0, count, Number(values.seconds)));
}
if (values.kinds === 'x86') {
  console.error(`fuzz: from seed ${first}, kind x86`);
  process.exit(fuzzX86(first, count, Number(values.seconds)));
}
const wanted = values.kinds.split(',') as Kind[];
const unknown = wanted.filter((kind) => !kinds.includes(kind));
if (unknown.length > 0) {
  console.error(
    `fuzz: no such kinds: ${unknown.join(', ')}; there are ${kinds.join(', ')}, and hostile and x86, which stand alone`,
  );
  process.exit(2);
}
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

/** Runs hostile programs, a batch in each process. @returns the exit status */
async function fuzzHostile(from: number, programs: number, seconds: number): Promise<number> {
  const batch = 100;
  const until = performance.now() + 1000 * seconds;
  let ran = 0;
  while (ran < programs && performance.now() < until) {
    const left = (until - performance.now()) / 1000;
    try {
      const summary = await runHostile(from + ran, Math.min(batch, programs - ran), left);
      ran += summary.programs;
      console.error(`fuzz: ${ran} programs, up to seed ${from + ran - 1}: ${JSON.stringify(summary.ends)}`);
      if (summary.differences.length > 0) {
        console.log(summary.differences.join('\n'));
        return 1;
      }
    } catch (error) {
      console.log((error as Error).message);
      return 1;
    }
  }
  console.error(`fuzz: ${ran} programs, no difference`);
  return 0;
}

/** Compares x86 instructions with the processor, each time one form of each in some states. @returns the exit status */
function fuzzX86(from: number, programs: number, seconds: number): number {
  const until = performance.now() + 1000 * seconds;
  const modes = [32, 64] as const;
  for (const text of missingModes(modes)) console.error(`fuzz: ${text}`);
  if (missingModes(modes).length === modes.length) return 0;
  let ran = 0;
  const failures: string[] = [];
  for (; ran < programs && performance.now() < until && failures.length === 0; ran++) {
    const seed = (from + ran) | 0;
    const engines = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
    const report = (failure: string): void => void failures.push(failure);
    const looks = (ran & 1) === 1;
    const done = fuzzInstructions({ modes, engines, looks, instructions: 1, states: 12, seed, report });
    console.error(
      `fuzz: seed ${seed}: ${done.map(({ mode, cases }) => `${cases} cases in ${mode}-bit mode`).join(', ')}`,
    );
  }
  console.log(failures.join('\n'));
  console.error(`fuzz: ${ran} programs, ${failures.length === 0 ? 'no' : failures.length} differences`);
  return failures.length === 0 ? 0 : 1;
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
