/**
 * Emits a region as one JavaScript function in structured control flow.
 *
 * Doublewords and vectors come in halves (ir/halves.ts).
 *
 * The function takes the depth of guest calls (in units of stack) and returns the guest address where control goes on.
 * Names that it finds in its environment:
 *
 * | name | meaning |
 * | --- | --- |
 * | S F | the state block as Int32Array, Float64Array |
 * | D I B P | guest memory as DataView, Int32Array, Uint8Array; the permission table |
 * | U | U[0] is not 0 when every translation must be left, because one may be stale |
 * | C | the counters of an inspected translation (counters.ts), as Float64Array |
 * | T M | the State and the Machine, for helpers; h3 is helper number 3 |
 * | R(pc) | leaves at the start of a loop (chained) |
 * | V(pc) | leaves for pc, outside of the default floating-point mode |
 * | X(pc) | leaves in the middle of a block, before the instruction at pc; returns -1 |
 * | Y(link) | serves a system call; returns where to go on |
 * | G(pc) | the cell of a guest address; N(site, pc) the same for an indirect jump that the region did not know |
 * | c10000400 | the cell of a known guest address: its `f` is the translation, or what makes one |
 * | J10000400 | from an indirect jump's target to the selector of its switch |
 *
 * Chained translations return a cell instead, and X, R and Y give them one.
 *
 * Exits that happen seldom but write something, such as those at a loop's end, stand at the function's end (`leave`), by number.
 * V8 has no types for what has not run, and throws all of a function's optimized code away when such code runs. These
 * exits are rehearsed before the function is used: a negative depth names one. A known address that is
 * returned, rather than called, needs no rehearsal.
 *
 * -1 means that the state block holds the pc; -2, that the pc there is the start of a loop that ran long and is to be
 * entered anew. Where instructions may lie at any address, returns write the pc there, so that these two can be returned to. A caller that gets back anything but the address
 * behind its call returns it in turn: no guest state is on the host's stack, so unwinding is always right.
 */
import type { RegionCounters } from '../counters.ts';
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import { header, type RegisterFile } from '../ir/state.ts';
import type { RegionAnalysis } from '../optimize/analyse.ts';
import type { Region } from '../optimize/discover.ts';
import { forEachRegister } from '../optimize/register-sets.ts';
import type { HelperRegisters, RegisterFlow } from '../optimize/registers-flow.ts';
import { type Dispatch, innerLoopFactor, leftLoop } from '../optimize/structure.ts';
import { StructuredEmitter } from '../optimize/structured-emitter.ts';
import { BlockEmitter, counterText, type Lines } from './block.ts';
import type { MemoryConstants } from './memory.ts';

export interface EmitOptions {
  readonly name: string;
  readonly memory: MemoryConstants;
  readonly preciseFaults: boolean;
  /** The region was lifted exactly because it may leave the default floating-point mode: others must not be entered outside of it. */
  readonly checksMode: boolean;
  readonly countInstructions: boolean;
  /** Counts of this translation; asks for countInstructions, too. */
  readonly counters?: RegionCounters | undefined;
  /** Guest calls take no more of the host's stack than this, in units of 128 bytes. */
  readonly depthLimit: number;
  /** Times that one call of a translation may come to the start of its loops before it is left there. */
  readonly loopBudget: number;
  /**
   * Return the cell to go on at instead of calling or returning its address: translations are then run one after the
   * other by a loop, and no guest call nests on the host's stack.
   */
  readonly chained: boolean;
  /** Targets that an indirect jump was seen to take. */
  indirectTargets(pc: number): readonly number[];
}

export interface EmittedRegion {
  readonly name: string;
  readonly entry: number;
  /** The function expression's text. */
  readonly source: string;
  /** The guest address that each line of the text came from. */
  readonly pcs: readonly number[];
  /** Lines of the text, from 0, that blocks begin and end at: what comes before and behind belongs to the function as a whole. */
  readonly blockLines: { readonly first: number; readonly end: number };
  /** Guest addresses whose cells the text names. */
  readonly cells: readonly number[];
  /** Numbers of the helpers that it names. */
  readonly helpers: readonly number[];
  /** Codes of the operations whose functions it names. */
  readonly calls: readonly number[];
  /** Tables of indirect jumps: name, lowest target, selectors by (target - lowest) / alignment plus one. */
  readonly tables: readonly { readonly name: string; readonly selectors: Uint8Array }[];
  /** How many exits it has that -1, -2… for the depth take at once, with nothing but registers and the pc written. */
  readonly exits: number;
}

/**
 * What functions use most, as constants of their own: local name and name in the environment. V8 knows the value of
 * such a constant in the whole function, but not always that of an outer name in a loop.
 */
const constants = [
  ['S', 'stateI32'],
  ['F', 'stateF64'],
  ['D', 'view'],
  ['B', 'bytes'],
  ['P', 'permissions'],
] as const;

const countingConstants = [...constants, ['C', 'counts']] as const;

/** Lines of a function before those of its body: its name, constants and locals. */
const headLines = 3;

/** Hexadecimal, as in the names of cells and in comments. */
export const hex = (value: number): string => (value >>> 0).toString(16);

export function emitRegion(
  region: Region,
  analysis: RegionAnalysis,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  options: EmitOptions,
): EmittedRegion {
  return new RegionEmitter(region, analysis, frontend, helpers, options).emit();
}

const namesOfFiles = new WeakMap<RegisterFile, readonly string[]>();

/** JavaScript names of the registers' locals, by number; made once for each register file. */
function localNames(file: RegisterFile): readonly string[] {
  let names = namesOfFiles.get(file);
  if (names === undefined) {
    names = file.registers.map((register) => register.name.replaceAll('.', '_'));
    namesOfFiles.set(file, names);
  }
  return names;
}

/** What a function's frame takes of the host's stack, in units of 128 bytes: V8's interpreter has a slot for every local and constant. */
const frameWeight = (constants: number): number => 1 + ((64 + constants) >> 4);

class RegionEmitter extends StructuredEmitter {
  private readonly frontend: Frontend;
  private readonly options: EmitOptions;
  private readonly lines: Lines = { text: [], pcs: [], constants: 0 };
  private readonly cells = new Set<number>();
  private readonly usedHelpers = new Set<number>();
  private readonly usedCalls = new Set<number>();
  private readonly tables: { name: string; selectors: Uint8Array }[] = [];
  /** What exits at the function's end do, and the declarations of the variables for what they write. */
  private readonly exitBodies = new Map<string, number>();
  private readonly exitVariables = new Set<string>();
  private readonly usedLocals: Uint8Array;
  private readonly locals: readonly string[];
  private readonly flow: RegisterFlow;
  private readonly blocks: BlockEmitter;

  constructor(
    region: Region,
    analysis: RegionAnalysis,
    frontend: Frontend,
    helpers: readonly HelperRegisters[],
    options: EmitOptions,
  ) {
    super(region, analysis.structure);
    this.frontend = frontend;
    this.options = options;
    const registers = frontend.registers.registers;
    this.usedLocals = new Uint8Array(registers.length);
    this.locals = localNames(frontend.registers);
    this.flow = analysis.flow;
    this.blocks = new BlockEmitter({
      unit: region.unit,
      blocks: region.blocks,
      successors: region.successors,
      frontend,
      flow: this.flow,
      helpers,
      memory: options.memory,
      preciseFaults: options.preciseFaults,
      countInstructions: options.countInstructions,
      counters: options.counters?.blocks,
      lines: this.lines,
      locals: this.locals,
      usedLocals: this.usedLocals,
      usedHelpers: this.usedHelpers,
      usedCalls: this.usedCalls,
    });
  }

  emit(): EmittedRegion {
    const { region, options } = this;
    const entry = region.entry;
    if (!options.chained) {
      this.line('leave: {', entry);
      this.line(`if (depth >>> 0 > ${options.depthLimit} || S[${header.interrupt >> 2}] !== 0) break leave;`, entry);
    }
    if (options.counters !== undefined) this.line(counterText(options.counters.entries, 1), entry);
    this.fill(0, entry);
    const route = this.structure.route.get(0);
    if (route !== undefined) this.select(route.dispatch.node, route.selector, entry);
    const first = headLines + this.lines.text.length;
    this.tree(0);
    const end = headLines + this.lines.text.length;
    const declared: string[] = [];
    if (!options.chained) {
      declared.push(`next = depth + ${frameWeight(this.lines.constants)}`, 'exit = depth', ...this.exitVariables);
      this.exits(entry);
    }
    for (const [number, used] of this.usedLocals.entries()) {
      if (used === 0) continue;
      const type = this.frontend.registers.registers[number].type;
      declared.push(`${this.locals[number]} = ${type === 'f64' ? '0.5' : '0'}`);
    }
    if (this.structure.isLoop.includes(1)) declared.push(`n = ${options.loopBudget}`);
    for (const dispatch of this.structure.dispatches) declared.push(`d${dispatch.node} = 0`);
    const head = `function ${options.name}(depth) {\nconst ${(options.counters === undefined ? constants : countingConstants).map(([name, outer]) => `${name} = ${outer}`).join(', ')};`;
    const locals = declared.length > 0 ? `let ${declared.join(', ')};` : '';
    return {
      name: options.name,
      entry,
      source: `${head}\n${locals}\n${this.lines.text.join('\n')}\n}`,
      pcs: [entry, entry, entry, ...this.lines.pcs, entry],
      blockLines: { first, end },
      cells: [...this.cells],
      helpers: [...this.usedHelpers],
      calls: [...this.usedCalls],
      tables: this.tables,
      exits: this.exitBodies.size,
    };
  }

  // -- exits

  /** What the function ends with: exits by number, and what is done when it is not to run at all. */
  private exits(entry: number): void {
    const pcWord = header.pc >> 2;
    this.line('}', entry);
    this.line('switch (exit) {', entry);
    for (const [body, index] of this.exitBodies) this.line(`case ${-1 - index}: ${body}`, entry);
    this.line(`default: S[${pcWord}] = 0x${hex(entry)}; U[0] = 1; return -1;`, entry);
    this.line('}', entry);
  }

  /** A statement that does at the function's end what `text` says, with the values that locals and constants have now. */
  private exitWith(text: string): string {
    const values = new Map<string, string>();
    const counts = { exit: 0, exitF: 0 };
    const body = text.replace(/\b[a-z]\w*\b/g, (name) => {
      const type = this.typeOf(name);
      if (type === undefined) return name;
      let variable = values.get(name);
      if (variable === undefined) {
        const kind = type === 'f64' ? 'exitF' : 'exit';
        variable = `${kind}${counts[kind]++}`;
        values.set(name, variable);
      }
      return variable;
    });
    return this.takeExit(
      body,
      [...values].map(([name, variable]) => [variable, name]),
    );
  }

  /** A statement that leaves by `body` at the function's end, which finds values in variables of its own. */
  private takeExit(body: string, values: readonly (readonly [variable: string, value: string])[]): string {
    let index = this.exitBodies.get(body);
    if (index === undefined) {
      index = this.exitBodies.size;
      this.exitBodies.set(body, index);
    }
    let text = `exit = ${-1 - index}; `;
    for (const [variable, value] of values) {
      this.exitVariables.add(`${variable} = ${variable.startsWith('exitF') ? '0.5' : '0'}`);
      text += `${variable} = ${value}; `;
    }
    return `{ ${text}break leave; }`;
  }

  /** The type of the value that a name in emitted text stands for; undefined where it stands for something else. */
  private typeOf(name: string): string | undefined {
    if (/^t\d+$/.test(name)) return operations[this.region.unit.op[Number(name.slice(1))]].result;
    const register = this.locals.indexOf(name);
    return register < 0 ? undefined : this.frontend.registers.registers[register].type;
  }

  // -- structure

  protected openLoop(position: number): void {
    this.line(`L${position}: for (;;) {`, this.pcAt(position));
  }

  protected closeLoop(position: number): void {
    this.line('}', this.pcAt(position));
  }

  protected openMerge(merge: number, from: number): void {
    this.line(`M${merge}: {`, this.pcAt(from));
  }

  protected closeMerge(merge: number): void {
    this.line('}', this.pcAt(merge));
  }

  protected branch(target: number, isLoop: boolean, pc: number): void {
    this.line(isLoop ? `continue L${target};` : `break M${target};`, pc);
  }

  protected countEdge(from: number, to: number, pc: number): void {
    const counter = this.options.counters?.blocks[from].edges.get(to);
    if (counter !== undefined) this.line(counterText(counter, 1), pc);
  }

  protected select(node: number, selector: number, pc: number): void {
    this.line(`d${node} = ${selector};`, pc);
  }

  protected dispatch(position: number, { node, targets }: Dispatch): void {
    const pc = this.pcAt(position);
    if (this.structure.isLoop[position] === 1) this.interruptCheckAtDispatch(targets, node, pc);
    this.line(`switch (d${node}) {`, pc);
    targets.forEach((target, selector) => {
      this.line(`${selector === targets.length - 1 ? 'default' : `case ${selector}`}: {`, pc);
      this.enter(position, target, pc);
      this.line('}', pc);
    });
    this.line('}', pc);
  }

  // -- blocks

  protected block(position: number, index: number): void {
    const { region, blocks, structure } = this;
    const block = region.blocks[index];
    blocks.body(index, block, structure.isLoop[position] === 1 ? this.loopCheck(position, block.pc) : '');
    const last = region.unit.op[block.end - 1];
    const count = blocks.countBlock();
    if (count !== '' && last !== op.exit) this.line(count, block.pc);
    this.terminator(position, index);
  }

  /**
   * At the start of a loop: once the budget is used up, leave, to come back by a call: V8 optimizes what is called
   * better than what it enters in the middle. An inner loop has longer, so that mostly the outermost loops come back.
   */
  private loopCheck(position: number, pc: number): string {
    return `if ((n = n - 1 | 0) < ${this.loopLimit(position)}) ${this.loopExit(pc)}`;
  }

  private loopLimit(position: number): number {
    return this.structure.isInner[position] === 1 ? -innerLoopFactor * this.options.loopBudget : 0;
  }

  /** Leaves at a loop, by no call, so that V8 compiles it as it is. */
  private loopExit(pc: number): string {
    if (this.options.chained) return `return R(0x${hex(pc)});`;
    return this.takeExit(`S[${header.pc >> 2}] = exit0; return ${leftLoop};`, [['exit0', `0x${hex(pc)}`]]);
  }

  /** At a dispatch node that a loop starts with, the block to go on with is known by the selector only. */
  private interruptCheckAtDispatch(targets: readonly number[], node: number, pc: number): void {
    const check = `if ((n = n - 1 | 0) < ${this.loopLimit(this.structure.position[node])})`;
    const pcs = targets.map((target) => this.region.blocks[target].pc);
    if (this.options.chained) {
      this.line(`${check} {`, pc);
      pcs.forEach((target, selector) => {
        this.line(`if (d${node} === ${selector}) ${this.loopExit(target)}`, pc);
      });
      this.line('}', pc);
      return;
    }
    const [first, ...others] = pcs;
    const chosen = others.map((target, index) => `exit0 === ${index + 1} ? 0x${hex(target)} : `).join('');
    const body = `S[${header.pc >> 2}] = ${chosen}0x${hex(first)}; return ${leftLoop};`;
    this.line(`${check} ${this.takeExit(body, [['exit0', `d${node}`]])}`, pc);
  }

  private terminator(position: number, index: number): void {
    const { unit } = this.region;
    const at = this.region.blocks[index].end - 1;
    const pc = unit.pc[at] >>> 0;
    const { blocks } = this;
    // Everything about this block is asked for before another one is emitted inside one of its arms.
    const target = unit.imm[at] >>> 0;
    switch (unit.op[at]) {
      case op.jump:
        this.goOrLeave(position, target, this.way(target), pc);
        return;
      case op.branch: {
        const otherwise = unit.b[at] >>> 0;
        const way = this.way(otherwise);
        this.line(`if (${blocks.condition(unit.a[at])}) {`, pc);
        this.goOrLeave(position, target, this.way(target), pc);
        this.line('} else {', pc);
        this.goOrLeave(position, otherwise, way, pc);
        this.line('}', pc);
        return;
      }
      case op.branch_return: {
        const way = this.way(target);
        this.line(`if (${blocks.condition(unit.a[at])}) {`, pc);
        this.line(
          `${blocks.edge(undefined)}${this.modeCheck(blocks.value(unit.b[at]))}return ${this.address(unit.b[at])};`,
          pc,
        );
        this.line('}', pc);
        this.goOrLeave(position, target, way, pc);
        return;
      }
      case op.branch_indirect: {
        const way = this.way(target);
        this.line(`if (${blocks.condition(unit.a[at])}) {`, pc);
        this.indirect(position, unit.b[at], pc);
        this.line('}', pc);
        this.goOrLeave(position, target, way, pc);
        return;
      }
      case op.return:
        this.line(
          `${blocks.edge(undefined)}${this.modeCheck(blocks.value(unit.a[at]))}return ${this.address(unit.a[at])};`,
          pc,
        );
        return;
      case op.jump_indirect:
        this.indirect(position, unit.a[at], pc);
        return;
      case op.call:
        this.call(position, this.cell(target), unit.b[at], pc, `${target | 0}`);
        return;
      case op.call_indirect:
        this.call(position, `G(${blocks.value(unit.a[at])})`, unit.b[at], pc, blocks.value(unit.a[at]));
        return;
      case op.system_call:
        this.call(position, undefined, unit.b[at], pc);
        return;
      default:
        this.line(blocks.edge(undefined), pc);
        this.line(blocks.sideExit(pc), pc);
    }
  }

  /** A call of a cell, or a system call where there is none. */
  private call(position: number, callee: string | undefined, link: number, pc: number, target?: string): void {
    const writes = `${this.blocks.edge(undefined)}${target === undefined ? '' : this.modeCheck(target)}`;
    if (this.options.chained) {
      this.line(`${writes}return ${callee ?? `Y(${link})`};`, pc);
      return;
    }
    const called = callee === undefined ? `Y(${link})` : `${callee}.f(next)`;
    this.line(`{ ${writes}const q = ${called}; if (q !== ${link}) return q; }`, pc);
    const index = this.region.indices.get(link >>> 0);
    if (index === undefined) {
      this.line(`return ${this.next(link >>> 0)};`, pc);
      return;
    }
    this.fill(index, pc);
    this.go(position, index, pc);
  }

  /** Where a region that may change the floating-point mode is left: the statement that sees to it that no other translation runs. */
  private modeCheck(target: string): string {
    if (!this.options.checksMode) return '';
    const { register, mask } = this.frontend.floatingPointControl;
    const { registers, numbers } = this.frontend.registers;
    return `if ((S[${registers[numbers[register]].index}] & ${mask}) !== 0) return V(${target}); `;
  }

  /** What is returned for going on at a computed address in the caller. */
  private address(value: number): string {
    const text = this.blocks.value(value);
    if (this.options.chained) return `G(${text})`;
    // -1 and -2 say that the state block holds the pc, and then it does.
    return this.frontend.instructionAlignment > 1 ? text : `S[${header.pc >> 2}] = ${text}`;
  }

  /**
   * What is returned for going on at a known address outside the region. What comes behind a loop, or has not run yet, may
   * well be cold: it is for the engine to decide how it runs.
   */
  private next(pc: number): string {
    if (this.options.chained) return this.cell(pc);
    if (this.region.cold.has(pc)) return `${pc | 0}`;
    const called = `${this.cell(pc)}.f(next)`;
    return this.region.isLoop ? `depth > 0 ? ${called} : ${pc | 0}` : called;
  }

  /** The statements that a way out of the present block needs: writes that it sees, and leaving when it leads out of the region. */
  private way(target: number): string {
    const index = this.region.indices.get(target);
    const writes = this.blocks.edge(index);
    if (index !== undefined) return writes;
    const text = `${writes}${this.modeCheck(`${target | 0}`)}return ${this.next(target)};`;
    const { chained, checksMode } = this.options;
    if (chained || checksMode) return text;
    // A constant is returned as well where the block is; a call must not be rehearsed.
    const { isLoop, cold } = this.region;
    return cold.has(target) ? (writes === '' ? text : this.exitWith(text)) : isLoop ? this.exitWith(text) : text;
  }

  private goOrLeave(position: number, target: number, way: string, pc: number): void {
    if (way !== '') this.line(way.trimEnd(), pc);
    const index = this.region.indices.get(target);
    if (index !== undefined) this.go(position, index, pc);
  }

  /** A jump to a computed address: a switch over the targets that were seen, anything else through the table of cells. */
  private indirect(position: number, target: number, pc: number): void {
    const value = this.blocks.value(target);
    const cell = this.options.chained
      ? `G(${value})`
      : `N(0x${hex(this.region.entry)}, 0x${hex(pc)}, ${value}).f(next)`;
    const unknown = `${this.blocks.edge(undefined)}${this.modeCheck(value)}return ${cell};`;
    const known = this.options
      .indirectTargets(pc)
      .filter((address) => this.region.indices.has(address))
      .slice(0, 255);
    if (known.length > 0) {
      const alignment = this.frontend.instructionAlignment;
      const low = Math.min(...known);
      const selectors = new Uint8Array((Math.max(...known) - low) / alignment + 1);
      known.forEach((address, selector) => {
        selectors[(address - low) / alignment] = selector + 1;
      });
      const name = `J${hex(pc)}`;
      this.tables.push({ name, selectors });
      const ways = known.map((address) => this.way(address));
      // An address between two instructions finds nothing.
      const shift = Math.log2(alignment);
      const offset = `${value} - ${low} | 0`;
      const slot = shift === 0 ? offset : `(${offset}) >>> ${shift} | (${value} & ${alignment - 1}) << 30`;
      this.line(`switch (${name}[${slot}]) {`, pc);
      known.forEach((address, selector) => {
        this.line(`case ${selector + 1}: {`, pc);
        this.goOrLeave(position, address, ways[selector], pc);
        this.line('}', pc);
      });
      this.line('}', pc);
    }
    this.line(unknown, pc);
  }

  /** Fills the locals that the block at `index` expects. */
  private fill(index: number, pc: number): void {
    const { flow } = this;
    let text = '';
    forEachRegister(flow.neededIn, flow.words, index, (register) => {
      text += `${this.blocks.fill(register)} `;
    });
    if (text !== '') this.line(text, pc);
  }

  private cell(pc: number): string {
    this.cells.add(pc);
    return `c${hex(pc)}`;
  }

  private line(text: string, pc: number): void {
    this.lines.text.push(text);
    this.lines.pcs.push(pc);
  }
}
