/**
 * What translating costs, in microseconds per guest instruction, over every function of a static program with the C
 * library, with warm code (the fastest run of each phase): Stele's own phases, whose goal is 3 in sum, and V8's share of
 * making functions of the text.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Benchmark from 'benchmark';
import { formatTable } from '../src/diagnostics/table.ts';
import { loadElf } from '../src/elf/load-elf.ts';
import { readElf } from '../src/elf/read-elf.ts';
import { SymbolTable } from '../src/elf/symbols.ts';
import { codeFetcher } from '../src/engines/guest-code.ts';
import { policies } from '../src/engines/translated/policy.ts';
import { AddressSpace } from '../src/memory/address-space.ts';
import { folder as guests } from '../test/guests/programs.ts';
import { compile, type Environment } from '../translators/javascript/compile.ts';
import { type EmittedRegion, emitRegion } from '../translators/javascript/region.ts';
import { permission } from '../translators/memory-view.ts';
import { analyseRegion } from '../translators/optimize/analyse.ts';
import { discoverRegion, type Region } from '../translators/optimize/discover.ts';
import { helperRegisters } from '../translators/optimize/registers-flow.ts';
import { powerpc as frontend } from '../translators/powerpc/frontend.ts';

const policy = policies.regions;
/** Seconds that each phase is measured for. */
const maxTime = 2;

const image = readElf(readFileSync(join(guests, 'bin/benchmarks')));
const memory = new AddressSpace(frontend.byteOrder);
const program = loadElf(image, memory, 'benchmarks');
const symbols = new SymbolTable(image, program.bias);
const fetch = codeFetcher(memory);
const helpers = helperRegisters(frontend);
const noTargets = (): readonly number[] => [];

interface GuestFunction {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** The functions that the symbol table names, in address order. */
function functions(): GuestFunction[] {
  const found: GuestFunction[] = [];
  for (const { address, memorySize, protection } of image.segments) {
    if ((protection & permission.execute) === 0) continue;
    const end = program.bias + address + memorySize;
    for (let pc = program.bias + address; pc < end; ) {
      const symbol = symbols.symbolAt(pc);
      if (symbol === undefined || symbol.start !== pc) pc = pc + frontend.instructionAlignment;
      else {
        found.push(symbol);
        pc = symbol.start + symbol.size;
      }
    }
  }
  return found;
}

function lift({ start, size }: GuestFunction): Region {
  return discoverRegion(frontend, fetch, start, {
    low: start,
    high: start + size,
    limit: policy.regionLimit,
    blockLimit: policy.blockLimit,
    exactFloatingPoint: false,
    loopOnly: false,
    indirectTargets: noTargets,
  });
}

function emit({ name, start }: GuestFunction, region: Region): EmittedRegion {
  return emitRegion(region, analyseRegion(region, frontend, helpers, false), frontend, helpers, {
    name: `${name.replace(/\W/g, '_')}_${start.toString(16)}`,
    memory,
    preciseFaults: false,
    countInstructions: false,
    depthLimit: policy.depthLimit,
    loopBudget: policy.loopBudget,
    chained: policy.chained,
    checksMode: false,
    indirectTargets: noTargets,
  });
}

/** The functions are made, but not called: what they name need not be there. */
const environment: Environment = { names: [], values: [], cell: () => undefined, helper: () => undefined };
let scripts = 0;

const guestFunctions = functions();
const regions = guestFunctions.map(lift);
const emitted = guestFunctions.map((guest, index) => emit(guest, regions[index]));
const instructions = regions.reduce((sum, region) => sum + region.guestInstructions, 0);
const characters = emitted.reduce((sum, { source }) => sum + source.length, 0);

/** The phases; each does its work for the whole program. */
const phases: Readonly<Record<string, () => void>> = {
  'decode, lift': () => {
    for (const guest of guestFunctions) lift(guest);
  },
  optimize: () => {
    for (const region of regions) {
      analyseRegion(region, frontend, helpers, false);
    }
  },
  'optimize, emit': () => {
    for (const [index, guest] of guestFunctions.entries()) emit(guest, regions[index]);
  },
  compile: () => {
    // V8 keeps what it made of a text; another name makes another text.
    for (const region of emitted) compile([region], environment, `stele:bench/${scripts++}`);
  },
};

/** Microseconds of this thread's processor time that each run of a phase took: other work of the machine does not count. */
const samples: Record<string, number[]> = {};
const suite = new Benchmark.Suite();
for (const [name, run] of Object.entries(phases)) {
  const times: number[] = [];
  samples[name] = times;
  const measured = (): void => {
    const before = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(before);
    times.push(user + system);
  };
  suite.add(name, measured, { maxTime });
}
suite.on('complete', () => {
  const cost = (name: string): number => Math.min(...samples[name]) / instructions;
  const lifting = cost('decode, lift');
  const optimizing = cost('optimize');
  const emitting = cost('optimize, emit') - optimizing;
  const rows: [string, number][] = [
    ['decode and lift', lifting],
    ['register flow and structure', optimizing],
    ['emit', emitting],
    ['sum (goal: 3)', lifting + optimizing + emitting],
    ["V8: new Function, to its interpreter's code", cost('compile')],
  ];
  console.log(
    `${regions.length} functions, ${instructions} guest instructions, ${characters} characters of JavaScript\n`,
  );
  console.log(
    formatTable(
      ['phase', 'us/instruction', 'ms in all'],
      rows.map(([name, cost]) => [name, cost.toFixed(2), ((cost * instructions) / 1000).toFixed(0)]),
    ),
  );
});
suite.run();
