/**
 * Compares random cases of some instructions with the processor itself: by default 1000 of each row, in 25 forms.
 *
 * Usage: node test/x86/native/main.ts [--only REGEXP] [--modes 32,64] [--engines interpreted,regions,wasm] [--exact]
 *   [--instructions N] [--states N] [--seed N] [--show N]
 *
 * --only chooses by mnemonic, --exact lets the program look at MXCSR first, --show says how many differences of a row are shown.
 */
import { parseArgs } from 'node:util';
import type { EngineName } from '../../../src/engines/create-engine.ts';
import { fuzzInstructions, missingModes } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    modes: { type: 'string', default: '32,64' },
    engines: { type: 'string', default: 'interpreted,regions,wasm' },
    only: { type: 'string', default: '.' },
    instructions: { type: 'string', default: '25' },
    states: { type: 'string', default: '40' },
    seed: { type: 'string', default: `${Date.now() | 0}` },
    show: { type: 'string', default: '3' },
    exact: { type: 'boolean', default: false },
  },
});
const modes = ([32, 64] as const).filter((mode) => values.modes.split(',').includes(`${mode}`));
for (const text of missingModes(modes)) console.log(text);
/** Differences by mode, engine and row. */
const counts = new Map<string, number>();
const done = fuzzInstructions({
  modes,
  engines: values.engines.split(',') as EngineName[],
  looks: values.exact,
  instructions: Number(values.instructions),
  states: Number(values.states),
  seed: Number(values.seed),
  only: new RegExp(values.only),
  report(failure) {
    const key = failure.replace(/^(\d+ [\w ]+): \w+ (?:lock |rep[ne]* )*(\w+).*?( \([^)]*\)): .*$/s, '$1 $2$3');
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count <= Number(values.show)) console.log(failure.slice(0, 400));
  },
});
for (const [key, count] of counts) console.log(`${count} × ${key}`);
for (const { mode, cases } of done) console.log(`${mode}-bit mode: ${cases} cases on each engine, seed ${values.seed}`);
process.exitCode = counts.size === 0 ? 0 : 1;
