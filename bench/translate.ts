/**
 * What translating costs, in microseconds per guest instruction, over every function of a static program with the C
 * library, with warm code: Stele's own phases, whose goal is 3 in sum, and V8's share of making functions of the text.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Benchmark from 'benchmark';
import { loadElf } from '../src/elf/load-elf.ts';
import { readElf } from '../src/elf/read-elf.ts';
import { SymbolTable } from '../src/elf/symbols.ts';
import { codeFetcher } from '../src/engines/guest-code.ts';
import { policies } from '../src/engines/translated/policy.ts';
import { AddressSpace } from '../src/memory/address-space.ts';
import { folder as guests } from '../test/guests/programs.ts';
import { State } from '../translators/ir/state.ts';
import { compile, type Environment, type Translation } from '../translators/javascript/compile.ts';
import { type EmittedRegion, emitRegion } from '../translators/javascript/region.ts';
import { permission } from '../translators/memory-view.ts';
import { discoverRegion, type Region } from '../translators/optimize/discover.ts';
import { helperRegisters, registerFlow } from '../translators/optimize/registers-flow.ts';
import { structure } from '../translators/optimize/structure.ts';
import { powerpc as frontend } from '../translators/powerpc/frontend.ts';
import { formatTable } from './lib/table.ts';

const policy = policies.regions;
/** Functions in one script, as many as a batch of the engine's may have. */
const batchSize = 16;
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
    indirectTargets: noTargets,
  });
}

function emit({ name, start }: GuestFunction, region: Region): EmittedRegion {
  return emitRegion(region, frontend, helpers, {
    name: `${name.replace(/\W/g, '_')}_${start.toString(16)}`,
    memory,
    preciseFaults: false,
    countInstructions: false,
    depthLimit: policy.depthLimit,
    loopBudget: policy.loopBudget,
    chained: policy.chained,
    indirectTargets: noTargets,
  });
}

const state = new State(frontend.registers, memory.buffer, memory.allocateStateBlock());
const environment: Environment = {
  names: ['S', 'F', 'L', 'D', 'I', 'P', 'U', 'T', 'M', 'X', 'Y', 'G', 'N'],
  values: [
    state.i32,
    state.f64,
    state.i64,
    memory.view,
    new Int32Array(memory.buffer, 0, memory.buffer.byteLength >> 2),
    memory.permissions,
    new Int32Array(1),
    state,
  ],
  cell: () => undefined,
  helper: (number) => frontend.helpers[number].run,
};
let scripts = 0;

function make(regions: readonly EmittedRegion[]): readonly Translation[] {
  // V8 keeps what it made of a text; another name makes another text.
  return compile(regions, environment, `stele:bench/${scripts++}`).functions;
}

const guestFunctions = functions();
const regions = guestFunctions.map(lift);
const emitted = guestFunctions.map((guest, index) => emit(guest, regions[index]));
const batches = Array.from({ length: Math.ceil(emitted.length / batchSize) }, (_, i) =>
  emitted.slice(i * batchSize, (i + 1) * batchSize),
);
const instructions = regions.reduce((sum, region) => sum + region.guestInstructions, 0);
const characters = emitted.reduce((sum, { source }) => sum + source.length, 0);

/** The phases; each does its work for the whole program. */
const phases: Readonly<Record<string, () => void>> = {
  'decode, lift': () => {
    for (const guest of guestFunctions) lift(guest);
  },
  optimize: () => {
    for (const region of regions) {
      registerFlow(region, frontend, helpers, false);
      structure(region.successors, 0, () => false);
    }
  },
  'optimize, emit': () => {
    for (const [index, guest] of guestFunctions.entries()) emit(guest, regions[index]);
  },
  'V8: script': () => {
    for (const batch of batches) make(batch);
  },
  'V8: script, bytecode': () => {
    // Beyond the depth limit a translation returns at once: the call makes V8 compile it, and no more.
    for (const batch of batches) for (const translation of make(batch)) translation(policy.depthLimit + 1);
  },
};

/** Microseconds per guest instruction. */
const costs: Record<string, number> = {};
const suite = new Benchmark.Suite();
for (const [name, run] of Object.entries(phases)) suite.add(name, run, { maxTime });
suite.on('cycle', ({ target }: Benchmark.Event & { target: Benchmark }) => {
  costs[target.name as string] = (target.stats.mean * 1e6) / instructions;
});
suite.on('complete', () => {
  const lifting = costs['decode, lift'];
  const optimizing = costs.optimize;
  const emitting = costs['optimize, emit'] - optimizing;
  const scripting = costs['V8: script'];
  const rows: [string, number][] = [
    ['decode and lift', lifting],
    ['register flow and structure', optimizing],
    ['emit', emitting],
    ['sum (goal: 3)', lifting + optimizing + emitting],
    ['V8: new Function', scripting],
    ['V8: bytecode at the first call', costs['V8: script, bytecode'] - scripting],
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
