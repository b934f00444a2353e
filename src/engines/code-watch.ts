/**
 * Code that changes without the guest's saying so, as on x86, where a store takes effect on the next instruction.
 *
 * Pages that the guest may write and execute are closed to writes when code is read from them (GuestMemory.watchCode). A
 * store there then faults like any that is not allowed, before it has had an effect; all engines find their way to the
 * interpreter with it. The page is opened, its translations are dropped, and the one instruction is run from IR that is
 * made for this time only: it may itself lie on the page.
 *
 * A page that keeps changing, such as one of a stack with the trampolines of nested functions beside variables, is not
 * watched any more. No code is kept of it: what is lifted there is a fault of fetching, and its instructions are run one
 * by one, from IR that is made each time.
 */
import type { Fetch, Frontend, Machine } from '../../translators/frontend.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { exitCode } from '../../translators/ir/operations.ts';
import { header, type State } from '../../translators/ir/state.ts';
import { pageShift, permission } from '../../translators/memory-view.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { EngineHost } from './engine.ts';
import { BlockLifter, codeFetcher } from './guest-code.ts';
import { EngineStatistics } from './statistics.ts';

const exitWord = header.exit >> 2;
const detailWord = header.detail >> 2;
const accessWord = header.access >> 2;

export class CodeWatch {
  /** Reads code, and watches where it may change. */
  readonly fetch: Fetch;
  private readonly memory: GuestMemory;
  private readonly state: State;
  private readonly makeWriter: () => Interpreter;
  private writer: Interpreter | undefined;
  /** How often each page was opened. */
  private readonly releases = new Map<number, number>();
  private readonly restless = new Set<number>();

  /** @param onFirst is called before the first page is watched: faults must be precise from then on */
  constructor(
    frontend: Frontend,
    memory: GuestMemory,
    host: EngineHost,
    state: State,
    machine: Machine,
    onFirst: () => void,
  ) {
    this.memory = memory;
    this.state = state;
    const fetch = codeFetcher(memory);
    let isFirst = true;
    const watching: Fetch = (address, length) => {
      const last = ((address + length - 1) >>> 0) >>> pageShift;
      for (let page = address >>> pageShift; page <= last; page++) {
        if (this.restless.has(page)) return undefined;
        if ((memory.permissions[page] & writeAndExecute) !== writeAndExecute) continue;
        if (isFirst) onFirst();
        isFirst = false;
      }
      return fetch(address, length);
    };
    this.fetch = memory.coherentCode ? watching : fetch;
    this.makeWriter = () => {
      const lifter = new BlockLifter(frontend, codeFetcher(memory, false), host, new EngineStatistics(), undefined, 1);
      return new Interpreter(frontend, state, memory, machine, (pc) => lifter.lift(pc));
    };
  }

  /**
   * When the guest was left because of a store to a watched page, or because of code that is not kept: does what it was
   * about to do.
   * @param once one instruction only, where the next one is code that is not kept, either
   * @returns whether the guest can go on
   */
  resolve(once = false): boolean {
    const { state } = this;
    const { i32 } = state;
    let resolved = false;
    while (i32[exitWord] === exitCode.fault && (this.opens() || this.isRestless(i32[detailWord], i32[accessWord]))) {
      resolved = true;
      do this.step();
      while (!once && i32[exitWord] === exitCode.none && this.isRestless(state.pc, permission.execute));
    }
    return resolved && i32[exitWord] === exitCode.none;
  }

  /** Whether the fault is a store to a watched page, which is open then. */
  private opens(): boolean {
    const { i32 } = this.state;
    const address = i32[detailWord] >>> 0;
    if (i32[accessWord] !== permission.write || !this.memory.releaseCode(address, 1)) return false;
    const page = address >>> pageShift;
    const count = (this.releases.get(page) ?? 0) + 1;
    this.releases.set(page, count);
    if (count >= restlessFrom) this.restless.add(page);
    return true;
  }

  /** Whether an access is that of fetching code which is not kept. */
  private isRestless(address: number, access: number): boolean {
    const page = address >>> pageShift;
    return access === permission.execute && this.restless.has(page) && (this.memory.permissions[page] & access) !== 0;
  }

  private step(): void {
    this.writer ??= this.makeWriter();
    this.writer.invalidate(this.state.pc, 1);
    this.writer.step();
  }
}

/** Times that a page is opened before it is not watched any more. */
const restlessFrom = 50;

const writeAndExecute = permission.write | permission.execute;
