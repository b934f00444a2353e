/**
 * The translated code of one guest thread: cells, the interpreter for what is cold and for what leaves a
 * translation in the middle, and the loop between them.
 */
import type { Fetch, Frontend, Machine } from '../../../translators/frontend.ts';
import { inHalves } from '../../../translators/ir/in-halves.ts';
import { Interpreter, stop } from '../../../translators/ir/interpreter.ts';
import { exitCode } from '../../../translators/ir/operations.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import { compile, type Environment } from '../../../translators/javascript/compile.ts';
import { emitRegion } from '../../../translators/javascript/region.ts';
import { analyseRegion } from '../../../translators/optimize/analyse.ts';
import { type Bounds, discoverRegion } from '../../../translators/optimize/discover.ts';
import { separateNestedLoops } from '../../../translators/optimize/nested-loops.ts';
import { type HelperRegisters, helperRegisters } from '../../../translators/optimize/registers-flow.ts';
import { leftLoop } from '../../../translators/optimize/structure.ts';
import { accessTraps, type MemoryLayout } from '../../../translators/webassembly/memory.ts';
import { emitModule } from '../../../translators/webassembly/region.ts';
import { CodeWatch } from '../code-watch.ts';
import type { EngineOptions } from '../engine.ts';
import { BlockLifter, createMachine } from '../guest-code.ts';
import { logBlock, logModule, logSource } from '../log.ts';
import type { EngineStatistics, Tier, TranslationCost } from '../statistics.ts';
import { type Assumptions, assumptionsOf } from './assumptions.ts';
import { Cell, CellTable } from './cells.ts';
import { ColdExits, isCalledSeldom, rehearse } from './cold-code.ts';
import { environmentOf } from './environment.ts';
import { FloatingPointMode } from './floating-point-mode.ts';
import { HelperFunctions } from './helper-functions.ts';
import { IndirectTargets } from './indirect-targets.ts';
import { Inspected } from './inspected.ts';
import { KeptBlocks } from './kept-blocks.ts';
import { KeptTranslations, pagesOfRuns } from './kept-translations.ts';
import { Patience } from './patience.ts';
import { isLarge, type Policy } from './policy.ts';
import { changesFloatingPointMode, functionName, pagesOf, targetsIn } from './region-facts.ts';
import { addLines, scriptUrl } from './stack-traces.ts';
import { WebAssemblyLinker } from './webassembly-linker.ts';

const pcWord = header.pc >> 2;
const interruptWord = header.interrupt >> 2;
const exitWord = header.exit >> 2;
const instructionsIndex = header.instructions >> 3;

/** Turns of the run loop between looks at the time for saving translations. */
const saveDistance = 1000;

type Discovery = ReturnType<ThreadCode['discover']>;

export class ThreadCode {
  readonly cells: CellTable;
  /** What a chained translation returns when the state block holds the pc. */
  private readonly outside: Cell;
  private readonly options: EngineOptions;
  /** What translations are made with: in halves where they are JavaScript. */
  private readonly frontend: Frontend;
  private readonly policy: Policy;
  private readonly statistics: EngineStatistics;
  private readonly state: State;
  /** Runs cold code, and leaves where there is a translation. */
  private readonly interpreter: Interpreter;
  /** Runs the blocks at which a translation was left in the middle, whether or not there is one for them. */
  private stepper: Interpreter | undefined;
  private readonly makeStepper: () => Interpreter;
  private readonly machine: Machine;
  /** The same for translations that were lifted exactly because they change the floating-point mode: they may go on outside of the default one. */
  private readonly exactMachine: Machine;
  private readonly fetch: Fetch;
  private readonly watch: CodeWatch;
  /** Milliseconds of a steady clock; stands still where costs are not measured. */
  private readonly now: () => number;
  /** What the frontend's helpers do to registers, from the first translation on. */
  private helperEffects: readonly HelperRegisters[] | undefined;
  private readonly helperFunctions: HelperFunctions;
  private readonly environment: Environment;
  private readonly exactEnvironment: Environment;
  /** U[0] is not 0 when all translations on the host's stack must be left. */
  private readonly unwind: Int32Array;
  /** Where translations are WebAssembly: from the first one on. */
  private linker: WebAssemblyLinker | undefined;
  /** What earlier runs translated, from when it is known that this one is not short. */
  private kept: KeptTranslations | undefined;
  /** Interpreter code that earlier runs prepared. */
  private readonly keptBlocks: KeptBlocks | undefined;
  /** Addresses where the interpreter leaves for a translation that is kept. */
  private readonly expected = new Set<number>();
  private readonly targets = new IndirectTargets();
  private readonly inspected: Inspected | undefined;
  private readonly patience: Patience;
  /** Run the block at the pc in the interpreter, whatever translation there is. */
  private interpretNext = false;
  /** The personality wants run() to be left. */
  private leaving = false;
  /** A translation that no cell knows any more may still be on the host's stack. */
  private hasRetired = false;
  private readonly mode: FloatingPointMode;
  private readonly coldExits = new ColdExits();
  private untilSave = saveDistance;
  exactFloatingPoint = false;
  preciseFaults = false;

  constructor(
    options: EngineOptions,
    policy: Policy,
    statistics: EngineStatistics,
    state: State,
    hooks: { invalidate(start: number, length: number): void; requireExact(): void; requirePrecise(): void },
  ) {
    this.options = options;
    this.policy = policy;
    this.statistics = statistics;
    this.state = state;
    this.unwind = state.i32.subarray(header.unwind >> 2, (header.unwind >> 2) + 1);
    const { memory, host } = options;
    const frontend = inHalves(options.frontend);
    this.frontend = policy.backend === 'javascript' ? frontend : options.frontend;
    this.mode = new FloatingPointMode(this.frontend, state, hooks.requireExact);
    this.now = host.now ?? (() => 0);
    const machine = createMachine(memory, host, {
      invalidateCode: (address, length) => hooks.invalidate(address, length),
      requireExactFloatingPoint: () => hooks.requireExact(),
      leaveDefaultFloatingPoint: () => {
        this.mode.noteChange();
        this.unwind[0] = 1;
      },
    });
    this.machine = {
      ...machine,
      keepsRunning: () => {
        machine.keepsRunning?.();
        this.keptBlocks?.take();
        this.expectKept();
      },
    };
    this.helperFunctions = new HelperFunctions(frontend.helpers, memory.memory, state, this.machine);
    const interpreted = { ...frontend, helpers: this.helperFunctions.forInterpreter() };
    this.watch = new CodeWatch(interpreted, memory, host, state, this.machine, () => hooks.requirePrecise());
    this.fetch = this.watch.fetch;
    if (options.inspector !== undefined) {
      const { inspector } = options;
      const { helpers, now } = this;
      this.inspected = new Inspected({
        inspector,
        memory,
        state,
        frontend: this.frontend,
        helpers,
        now,
        fetch: this.fetch,
      });
    }
    const lifter = new BlockLifter(frontend, this.fetch, host, statistics, (unit) => logBlock(unit, options, frontend));
    // A log shall have every block that runs.
    const fetch = host.log === undefined ? this.fetch : undefined;
    this.interpreter = new Interpreter(interpreted, state, memory, this.machine, (pc) => lifter.lift(pc), fetch);
    this.interpreter.threshold = policy.threshold;
    this.interpreter.observer = lifter.preparationObserver();
    this.patience = new Patience(options.mayBeShort ? policy.patience : 0, state, this.interpreter);
    if (options.blocks !== undefined && policy.keepsBlocks) {
      const assumptions = { frontend: frontend.name, threshold: policy.threshold };
      const [{ readsElsewhere }, { interpreter }] = [lifter, this];
      this.keptBlocks = new KeptBlocks(options.blocks(), assumptions, interpreter, memory, readsElsewhere, statistics);
    }
    this.makeStepper = () => {
      const stepper = new Interpreter(interpreted, state, memory, this.machine, (pc) => lifter.lift(pc));
      stepper.observer = lifter.preparationObserver();
      return stepper;
    };
    this.cells = new CellTable(frontend.instructionAlignment, (cell) => {
      if (policy.chained) return () => this.leaveFor(cell);
      // Bound, it is one frame of a stack trace.
      return this.enterUntranslated.bind(this, cell);
    });
    this.cells.onUninstall.push((cell, why) => this.inspected?.retire(cell.pc, why));
    this.outside = new Cell(-1, () => this.outside);
    const outside = policy.chained ? this.outside : -1;
    const environment = (machine: Machine): Environment =>
      environmentOf(memory, state, machine, this.inspected, {
        leaveLoop: (pc) => this.leaveLoop(pc) ?? outside,
        leaveMode: (pc) => this.leaveMode(pc) ?? outside,
        leaveInside: (pc) => this.leaveInside(pc) ?? outside,
        systemCall: (link) => this.systemCall(link) ?? outside,
        cell: (pc) => this.cells.get(pc),
        unknownTarget: (entry, site, pc) => this.unknownTarget(entry, site, pc),
        helper: (number) => this.helperFunctions.forJavaScript(number),
      });
    this.environment = environment(this.machine);
    this.exactMachine = {
      ...this.machine,
      leaveDefaultFloatingPoint: () => this.mode.noteChange(),
    };
    this.exactEnvironment = environment(this.exactMachine);
  }

  private get helpers(): readonly HelperRegisters[] {
    this.helperEffects ??= helperRegisters(this.frontend);
    return this.helperEffects;
  }

  /** Runs the thread until header.exit is not 0 or the personality wants to be left for. */
  run(): void {
    const { interpreter, policy, unwind } = this;
    const { poll } = this.options.host;
    const words = this.state.i32;
    words[exitWord] = exitCode.none;
    this.leaving = false;
    // The personality may have changed the floating-point mode (the end of a signal handler).
    this.mode.noteChange();
    for (;;) {
      unwind[0] = 0;
      poll?.();
      if (words[interruptWord] !== 0) {
        words[exitWord] = exitCode.interrupt;
        break;
      }
      if (this.interpretNext || this.mode.needsInterpreter(this.exactFloatingPoint)) {
        this.interpretNext = false;
        this.stepper ??= this.makeStepper();
        this.interpreted(this.stepper.step());
      } else {
        const cell = this.cells.get(words[pcWord]);
        if (cell.translated || policy.translateAtOnce) {
          if (policy.chained) this.runChain(cell);
          else this.runRegion(cell);
        } else {
          this.interpreted(interpreter.run(this.patience.budget()));
        }
      }
      if (this.leaving || (words[exitWord] !== exitCode.none && !this.watch.resolve())) break;
      if (--this.untilSave === 0) this.saveInTime();
    }
    this.statistics.guestInstructions = this.state.f64[instructionsIndex];
  }

  private runRegion(cell: Cell): void {
    let next: number;
    try {
      next = cell.f(0) as number;
    } catch (error) {
      if (!this.trapped(error)) throw error;
      return;
    }
    if (next === leftLoop) this.translate(this.cells.get(this.state.i32[pcWord]));
    else if (next !== -1) this.state.i32[pcWord] = next;
  }

  /**
   * What to do about an error in a translation: an access that the guest may not make is left to the interpreter, as at a
   * side exit. Where registers are not up to date the guest cannot go on: the interpreter only finds the fault again.
   */
  private trapped(error: unknown): boolean {
    const trap = this.linker?.trapOf(error);
    if (trap === undefined) return false;
    this.state.f64[instructionsIndex] += trap.executed;
    this.inspected?.countTrap(trap);
    // What the translation had not written yet.
    if (trap.moved !== undefined) this.state.movePinned(trap.moved);
    this.leaveInside(trap.pc);
    if (trap.isCurrent) return true;
    if (this.preciseFaults) throw new Error(`the registers of an access at 0x${trap.pc.toString(16)} are lost`);
    this.interpretNext = false;
    this.stepper ??= this.makeStepper();
    this.stepper.step();
    const { i32 } = this.state;
    if (i32[exitWord] !== exitCode.fault || i32[pcWord] !== (trap.pc | 0)) {
      throw new Error(`an access at 0x${trap.pc.toString(16)} trapped that the guest may make`);
    }
    return true;
  }

  /** Runs chained translations, each of which names the next, until one leaves or something wants attention. */
  private runChain(cell: Cell): void {
    const { unwind, outside } = this;
    const words = this.state.i32;
    let next = cell;
    do next = next.f(0) as Cell;
    while (next !== outside && words[interruptWord] === 0 && unwind[0] === 0);
    if (next !== outside) words[pcWord] = next.pc;
  }

  /** What a cell without a translation does in a chain: the loop ends, and the interpreter goes on there. */
  private leaveFor(cell: Cell): Cell {
    this.state.i32[pcWord] = cell.pc;
    return this.outside;
  }

  /** Deals with why the interpreter stopped, as far as it is not for the caller of run(). */
  private interpreted(reason: number): void {
    // An address that the interpreter leaves for keeps its mark when its translation is dropped.
    if (reason === stop.hot || reason === stop.translated) {
      const cell = this.cells.get(this.state.i32[pcWord]);
      if (this.expected.delete(cell.pc) && !cell.translated && !this.linkKept(cell)) {
        // Not what was kept: this block has to become hot like any other.
        this.interpreter.invalidate(cell.pc, 1);
      } else if (!cell.translated && this.coldExits.take(cell.pc, (each) => this.retire(each, 'coldCode'))) {
        // Translations that are left for it will have it. Its runs count anew: where it belongs to none, it becomes one.
        this.interpreter.invalidate(cell.pc, 1);
      } else if (cell.translated || !this.patience.takes(cell.pc)) {
        this.translate(cell);
      }
    } else if (reason === stop.exit && this.state.i32[exitWord] === exitCode.system_call) {
      this.state.i32[exitWord] = exitCode.none;
      if (!this.options.host.systemCall(this.state)) this.leaving = true;
    }
  }

  /** The translation of a cell, made if there is none. @param called from a translation: what a loop at the cell's address leads to belongs to the callee, and to the region */
  private translate(cell: Cell, called = false): Cell {
    if (cell.translated) return cell;
    const { policy } = this;
    if (policy.backend === 'javascript') this.makeJavaScript(cell, called);
    else if (!this.linkKept(cell)) this.makeWebAssembly(cell, called);
    if (!policy.translateAtOnce) this.interpreter.leaveAt(cell.pc);
    return cell;
  }

  /** Translates what a guest address begins, as if a call had come to it. */
  translateAt(pc: number): void {
    this.translate(this.cells.get(pc), true);
  }

  private makeJavaScript(cell: Cell, called: boolean): void {
    const { policy, options, now } = this;
    const found = this.discover(cell, called);
    const { region, analysis, changesMode, name, indirectTargets } = found;
    const start = now();
    const emitOptions = {
      name,
      memory: options.memory,
      preciseFaults: this.preciseFaults,
      checksMode: changesMode,
      countInstructions: options.countInstructions,
      counters: this.inspected?.counters(region),
      depthLimit: policy.depthLimit,
      loopBudget: policy.loopBudget,
      chained: policy.chained,
      indirectTargets,
    };
    const emitted = emitRegion(region, analysis, this.frontend, this.helpers, emitOptions);
    const compiling = now();
    const url = scriptUrl(emitted.name);
    const environment = changesMode ? this.exactEnvironment : this.environment;
    const batch = compile([emitted], environment, url);
    addLines(url, batch.pcs, options.host);
    rehearse(this.state, batch.functions[0], emitted.exits);
    this.cells.install(cell, batch.functions[0], pagesOf(region));
    this.coldExits.add(cell, region.cold);
    const tier = policy.chained ? 'javascriptBlocks' : 'javascriptRegions';
    const cost = this.countCost(tier, found, emitted.source.length, start, compiling);
    this.inspected?.showJavaScript(found, emitOptions, cost, url);
    if (options.host.log !== undefined) logBlock(region.unit, options, this.frontend);
    logSource(emitted.source, options);
  }

  private makeWebAssembly(cell: Cell, called: boolean): void {
    const { statistics, options, now } = this;
    const linker = this.linker ?? this.makeLinker();
    const assumptions = this.assumptions(linker);
    const { kept } = this;
    kept?.record();
    const found = this.discover(cell, called, assumptions.accessesTrap ? assumptions.layout : undefined);
    // To read the code may have changed what is assumed.
    if (assumptions.preciseFaults !== this.preciseFaults) {
      this.makeWebAssembly(cell, called);
      return;
    }
    const { region, analysis, changesMode, name, indirectTargets } = found;
    const start = now();
    const emitOptions = {
      ...assumptions,
      name: linker.uniqueName(name),
      checksMode: changesMode,
      counters: this.inspected?.counters(region),
      slotOf: (pc: number) => linker.slotOf(this.cells.get(pc)),
      indirectTargets,
    };
    const emitted = emitModule(region, analysis, this.frontend, this.helpers, emitOptions);
    const compiling = now();
    const made = linker.link(cell, emitted, changesMode ? this.exactMachine : this.machine);
    this.cells.install(cell, (depth) => made(depth, 0), pagesOf(region));
    this.coldExits.add(cell, region.cold);
    const cost = this.countCost('webassemblyRegions', found, emitted.bytes.length, start, compiling);
    this.inspected?.showWebAssembly(found, emitOptions, cost);
    const isKept = kept?.keep(cell.pc, assumptions, emitted, changesMode, targetsIn(region, this.targets.known));
    if (isKept) statistics.regionsKept++;
    if (options.host.log !== undefined) logBlock(region.unit, options, this.frontend);
    logModule(emitted, options);
  }

  /** Counts what it took to make a translation, which is done now. @param start of emitting @param compiling when V8 began */
  private countCost(tier: Tier, found: Discovery, size: number, start: number, compiling: number): TranslationCost {
    const at = this.now();
    const { entry: address, guestInstructions: instructions } = found.region;
    const emitTime = compiling - start;
    const cost = { tier, address, instructions, size, ...found.times, emitTime, compileTime: at - compiling, at };
    this.statistics.addTranslation(cost);
    return cost;
  }

  private assumptions(linker: WebAssemblyLinker): Assumptions {
    const { exactFloatingPoint, preciseFaults } = this;
    return assumptionsOf(this.options, this.policy, this.state, linker, { exactFloatingPoint, preciseFaults });
  }

  private makeLinker(): WebAssemblyLinker {
    const { options, policy, frontend } = this;
    const { memory } = options;
    memory.enableHostProtection();
    this.patience.lose();
    const kept = this.openKept();
    const linker = new WebAssemblyLinker(memory, frontend.instructionAlignment, policy.tableEntries, {
      compile: options.host.compile,
      functions: {
        X: (pc) => this.leaveInside(pc) ?? -1,
        Y: (link) => (this.systemCall(link) as number | undefined) ?? -1,
        V: (pc) => this.leaveMode(pc) ?? -1,
        N: (entry, site, pc) => linker.slotOf(this.unknownTarget(entry, site, pc)),
      },
      helper: (number, machine) => this.helperFunctions.forWebAssembly(number, machine),
      cell: (pc) => this.cells.get(pc),
      enterUntranslated: (cell, depth) => this.enterUntranslated(cell, depth),
    });
    this.linker = linker;
    this.cells.onUninstall.push((cell) => linker.unlink(cell));
    for (const pc of kept?.slots ?? []) linker.slotOf(this.cells.get(pc));
    return linker;
  }

  /** What control comes to from a translation that called, or jumped to, a cell without one. */
  private enterUntranslated(cell: Cell, depth: number): number {
    // The interpreter shall see first what of it runs.
    const waits = !this.expected.has(cell.pc) && isLarge(this.boundsOf(cell.pc), this.policy);
    const leaves = waits && isCalledSeldom(cell, depth, this.policy.threshold);
    if (!leaves) this.translate(cell, depth > 0);
    // To read the code may have asked for precise faults: those that wait for this call to return must not go on.
    if (!leaves && this.unwind[0] === 0) return cell.f(depth) as number;
    this.state.i32[pcWord] = cell.pc;
    return leaves ? cell.pc | 0 : -1;
  }

  // -- translations that are kept from run to run

  private openKept(): KeptTranslations | undefined {
    const { translations } = this.options;
    if (translations !== undefined) this.kept ??= new KeptTranslations(translations(), this.fetch);
    return this.kept;
  }

  /** The run is not a short one: what an earlier run translated is linked where control comes to it. */
  private expectKept(): void {
    if (this.policy.backend !== 'webassembly' || this.openKept()?.isEmpty !== false) return;
    const assumptions = this.assumptions(this.linker ?? this.makeLinker());
    for (const pc of this.openKept()?.addresses(assumptions) ?? []) {
      if (this.cells.get(pc).translated) continue;
      this.expected.add(pc);
      this.interpreter.leaveAt(pc);
    }
  }

  /** Links the translation that an earlier run made, if there is one. @returns whether there is */
  private linkKept(cell: Cell): boolean {
    const linker = this.linker ?? this.makeLinker();
    const { preciseFaults } = this;
    const found = this.kept?.find(cell.pc, this.assumptions(linker));
    if (found === undefined || !linker.isNameFree(found) || preciseFaults !== this.preciseFaults) return false;
    const start = this.now();
    try {
      const made = linker.link(cell, found, found.checksMode ? this.exactMachine : this.machine);
      this.cells.install(cell, (depth) => made(depth, 0), pagesOfRuns(found.runs));
    } catch (error) {
      // Another version of Node may refuse it.
      if (error instanceof WebAssembly.CompileError) return false;
      throw error;
    }
    for (const [site, targets] of found.targets) this.targets.add(site, targets);
    this.statistics.regionsFromCache++;
    this.statistics.tiers.webassemblyRegions.compileTime += this.now() - start;
    return true;
  }

  /** Keeps what is new when the run lasts: not every one comes to an end that lets it. */
  private saveInTime(): void {
    this.untilSave = saveDistance;
    this.inspected?.tellProgress();
    const { linker } = this;
    if (linker !== undefined) this.kept?.saveInTime(() => linker.slotAddresses());
  }

  /** The run is over. */
  close(): void {
    this.keptBlocks?.save();
    if (this.linker === undefined) return;
    this.kept?.save(this.linker.slotAddresses());
    this.options.memory.releaseStateBlock(this.linker.slotCache.offset);
  }

  // -- making translations

  /** Finds, lifts and analyses the region at a cell. @param layout of memory, where accesses trap */
  private discover(cell: Cell, called: boolean, layout?: MemoryLayout) {
    const { options, policy, frontend, now } = this;
    const { host } = options;
    const entry = cell.pc;
    const symbol = host.symbolAt(entry);
    const start = now();
    const bounds = this.boundsOf(entry);
    const indirectTargets = (pc: number): readonly number[] => this.targets.of(pc);
    const discover = (exactFloatingPoint: boolean) =>
      discoverRegion(frontend, this.kept?.recordingFetch ?? this.fetch, entry, {
        ...bounds,
        limit: policy.regionLimit,
        blockLimit: policy.blockLimit,
        exactFloatingPoint,
        loopOnly: !policy.chained && !called && entry !== symbol?.start,
        functionStart: policy.profiled ? symbol?.start : undefined,
        hasRun: !options.ahead && isLarge(bounds, policy) ? (pc) => this.interpreter.hasRun(pc) : undefined,
        indirectTargets,
        inlining:
          policy.backend === 'javascript'
            ? undefined
            : { ...policy.inlining, boundsOf: (pc: number) => this.boundsOf(pc) },
      });
    let region = discover(this.exactFloatingPoint);
    const changesMode = !this.exactFloatingPoint && changesFloatingPointMode(region.unit, frontend);
    if (changesMode) region = discover(true);
    if (policy.backend !== 'javascript') region = separateNestedLoops(region);
    const lifted = now();
    const traps = layout === undefined ? undefined : accessTraps(region.unit, layout);
    const analysis = analyseRegion(region, frontend, this.helpers, this.preciseFaults, traps);
    const times = { liftTime: lifted - start, optimizeTime: now() - lifted };
    return { region, analysis, changesMode, name: functionName(entry, symbol), indirectTargets, times };
  }

  /** The guest addresses that a region with this entry may take in. */
  private boundsOf(entry: number): Bounds {
    return this.policy.bounds(entry, this.options.host.symbolAt(entry));
  }

  /** X: control leaves a translation in the middle, before the instruction at pc; the interpreter goes on from there. */
  private leaveInside(pc: number): undefined {
    const { i32 } = this.state;
    i32[pcWord] = pc;
    this.interpretNext = this.unwind[0] === 0 && i32[exitWord] === exitCode.none && i32[interruptWord] === 0;
  }

  /** R: control leaves a chained translation at the start of a loop that ran long; the loop gets a translation of its own. */
  private leaveLoop(pc: number): undefined {
    this.state.i32[pcWord] = pc;
    this.translate(this.cells.get(pc));
  }

  /** V: control leaves an exactly lifted translation for pc outside of the default floating-point mode. */
  private leaveMode(pc: number): undefined {
    this.state.i32[pcWord] = pc;
    this.mode.noteChange();
    this.unwind[0] = 1;
  }

  /** Y: a system call in a translation. @returns where to go on, or undefined outside of translations */
  private systemCall(link: number): number | Cell | undefined {
    const { state } = this;
    state.i32[pcWord] = link;
    if (!this.options.host.systemCall(state)) {
      this.leaving = true;
    } else if (this.unwind[0] === 0) {
      const pc = state.i32[pcWord];
      return this.policy.chained ? this.cells.get(pc) : pc;
    }
    return undefined;
  }

  /** N: the cell of an indirect jump's target that the translation did not know. */
  private unknownTarget(entry: number, site: number, pc: number): Cell {
    const target = pc >>> 0;
    if (this.targets.miss(site, target)) {
      const cell = this.cells.get(entry);
      if (cell.translated) {
        this.retire(cell, 'indirectTarget');
        this.hasRetired = true;
      }
    }
    return this.cells.get(target);
  }

  /** Drops a translation, here and for later runs, so that it is made anew with what is known now. */
  private retire(cell: Cell, why: 'indirectTarget' | 'coldCode'): void {
    this.cells.uninstall(cell, why);
    if (this.linker !== undefined) this.kept?.remove(cell.pc, this.assumptions(this.linker));
  }

  /** Forgets the translations of a range of guest code. */
  invalidate(start: number, length: number): void {
    const dropped = this.cells.drop(start, length);
    this.statistics.invalidations += dropped;
    this.interpreter.invalidate(start, length);
    this.keptBlocks?.noteChange(start, length);
    this.stepper?.invalidate(start, length);
    if (dropped > 0 || this.hasRetired) this.unwind[0] = 1;
  }

  /** Forgets every translation: the rules that they were made by have changed. */
  retranslate(): void {
    this.statistics.invalidations += this.cells.clear();
    this.unwind[0] = 1;
  }
}
