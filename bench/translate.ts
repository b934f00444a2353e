/**
 * What translating costs, in microseconds per guest instruction, over every function of a static program with the C
 * library, with warm code (the fastest run of each phase), to WebAssembly and to JavaScript: Stele's own phases, whose goal
 * is 3 in sum, and V8's share of making functions of what was emitted.
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
import { analyseRegion, type RegionAnalysis } from '../translators/optimize/analyse.ts';
import { discoverRegion, type Region } from '../translators/optimize/discover.ts';
import { helperRegisters } from '../translators/optimize/registers-flow.ts';
import { powerpc as frontend } from '../translators/powerpc/frontend.ts';
import type { EmittedModule } from '../translators/webassembly/emitted-module.ts';
import { accessTraps, type MemoryLayout } from '../translators/webassembly/memory.ts';
import { emitModule } from '../translators/webassembly/region.ts';

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

const nameOf = ({ name, start }: GuestFunction): string => `${name.replace(/\W/g, '_')}_${start.toString(16)}`;

function emitJavaScript(guest: GuestFunction, region: Region): EmittedRegion {
  return emitRegion(region, analyseRegion(region, frontend, helpers, false), frontend, helpers, {
    name: nameOf(guest),
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

const layout: MemoryLayout = {
  mirrored: memory.mirrored,
  origin: memory.origin,
  permissions: memory.permissions.byteOffset,
  lowest: memory.origin - memory.limit,
};

const analyseTrapping = (region: Region): RegionAnalysis =>
  analyseRegion(region, frontend, helpers, false, accessTraps(region.unit, layout));

function emitWebAssembly(guest: GuestFunction, region: Region): EmittedModule {
  return emitModule(region, analyseTrapping(region), frontend, helpers, {
    name: nameOf(guest),
    layout,
    memoryPages: memory.memory.buffer.byteLength >>> 16,
    tableEntries: policy.tableEntries,
    stateBase: 4096,
    slotCache: { offset: 8192, entries: 1024 },
    preciseFaults: false,
    accessesTrap: true,
    checksMode: false,
    countInstructions: false,
    depthLimit: policy.depthLimit,
    loopBudget: policy.loopBudget,
    hasFusedMultiplyAdd: true,
    slotOf: () => 1,
    indirectTargets: noTargets,
  });
}

/** The functions are made, but not called: what they name need not be there. */
const environment: Environment = { names: [], values: [], cell: () => undefined, helper: () => undefined };
let scripts = 0;

const guestFunctions = functions();
const regions = guestFunctions.map(lift);
const scriptsEmitted = guestFunctions.map((guest, index) => emitJavaScript(guest, regions[index]));
const modulesEmitted = guestFunctions.map((guest, index) => emitWebAssembly(guest, regions[index]));
const instructions = regions.reduce((sum, region) => sum + region.guestInstructions, 0);
const characters = scriptsEmitted.reduce((sum, { source }) => sum + source.length, 0);
const bytes = modulesEmitted.reduce((sum, module) => sum + module.bytes.length, 0);

/** The phases; each does its work for the whole program. */
const phases = {
  'decode, lift': () => {
    for (const guest of guestFunctions) lift(guest);
  },
  'analyse for WebAssembly': () => {
    for (const region of regions) analyseTrapping(region);
  },
  'analyse, emit WebAssembly': () => {
    for (const [index, guest] of guestFunctions.entries()) emitWebAssembly(guest, regions[index]);
  },
  'compile WebAssembly': () => {
    for (const { bytes } of modulesEmitted) new WebAssembly.Module(bytes);
  },
  'analyse for JavaScript': () => {
    for (const region of regions) analyseRegion(region, frontend, helpers, false);
  },
  'analyse, emit JavaScript': () => {
    for (const [index, guest] of guestFunctions.entries()) emitJavaScript(guest, regions[index]);
  },
  'compile JavaScript': () => {
    // V8 keeps what it made of a text; another name makes another text.
    for (const region of scriptsEmitted) compile([region], environment, `stele:bench/${scripts++}`);
  },
} as const;

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
  const cost = (name: keyof typeof phases): number => Math.min(...samples[name]) / instructions;
  const lifting = cost('decode, lift');
  const of = (backend: 'WebAssembly' | 'JavaScript'): readonly number[] => {
    const [analysing, emitting] = [cost(`analyse for ${backend}`), cost(`analyse, emit ${backend}`)];
    return [lifting, analysing, emitting - analysing, lifting + emitting, cost(`compile ${backend}`)];
  };
  const [webAssembly, javaScript] = [of('WebAssembly'), of('JavaScript')];
  const rows = [
    'decode and lift',
    'register flow and structure',
    'emit',
    'sum (goal: 3)',
    'V8: new Module and lazy code, new Function and bytecode',
  ];
  console.log(
    `${regions.length} functions, ${instructions} guest instructions; ${bytes} bytes of WebAssembly, ${characters} characters of JavaScript; microseconds per guest instruction\n`,
  );
  console.log(
    formatTable(
      ['phase', 'WebAssembly', 'JavaScript'],
      rows.map((name, row) => [name, webAssembly[row].toFixed(2), javaScript[row].toFixed(2)]),
    ),
  );
});
suite.run();
