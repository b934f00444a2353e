/**
 * Emits the JavaScript of one block's instructions up to its terminator.
 *
 * Guest registers are read from locals of the generated function and written through to the state block: so control can
 * leave at any access that is not allowed without storing anything there, which keeps what V8 has to know about
 * these many cold paths small. Writes that nothing sees are dropped; a write that only some of the block's ways
 * out see is made on those. Values become constants (`t7`), or are written where they are used.
 */
import type { BlockCounters } from '../counters.ts';
import { op } from '../ir/builder.ts';
import { calledNumber } from '../ir/interpreter-encoding.ts';
import { header } from '../ir/state.ts';
import type { Type } from '../ir/types.ts';
import type { Block } from '../ir/unit.ts';
import { accessBytes } from '../optimize/accesses.ts';
import { type AnalysisContext, analysisOf, type BlockAnalysis, write } from '../optimize/block-analysis.ts';
import { kinds } from '../optimize/operation-kinds.ts';
import { has } from '../optimize/register-sets.ts';
import { emitAccess, emitCheck, type MemoryConstants } from './memory.ts';
import { isCompare, templates, testTemplates } from './templates.ts';

/** Lines of generated code with the guest address that each came from. */
export interface Lines {
  readonly text: string[];
  readonly pcs: number[];
  /** How many of them declare a constant. */
  constants: number;
}

export interface BlockContext extends AnalysisContext {
  readonly memory: MemoryConstants;
  readonly countInstructions: boolean;
  /** By block; undefined where they are not counted one by one. */
  readonly counters: readonly BlockCounters[] | undefined;
  readonly lines: Lines;
  /** Names of the registers' locals, by number. */
  readonly locals: readonly string[];
  /** Registers that the function needs a local for: marked as they are used. */
  readonly usedLocals: Uint8Array;
  /** The helpers that the function calls: marked as they are used. */
  readonly usedHelpers: Set<number>;
  /** Codes of the called operations that the function uses: marked as they are. */
  readonly usedCalls: Set<number>;
}

/** A statement that adds to a counter at an offset in bytes. */
export const counterText = (offset: number, count: number): string => `C[${offset >> 3}] += ${count};`;

const indexArray: Partial<Record<Type, string>> = { i32: 'S', f64: 'F' };

export class BlockEmitter {
  private readonly context: BlockContext;
  private readonly analysis: BlockAnalysis;
  private readonly home: (string | undefined)[];
  private readonly setDone: Uint8Array;
  /** Registers whose values have homes to forget when the block ends. */
  private readonly touched: number[] = [];
  private readonly homedIn: (number[] | undefined)[];
  private index = 0;
  private block: Block = { pc: 0, first: 0, end: 0, guestInstructions: 0, endPc: 0 };

  constructor(context: BlockContext) {
    this.context = context;
    this.analysis = analysisOf(context);
    this.home = new Array(context.unit.count);
    this.setDone = new Uint8Array(context.unit.count);
    this.homedIn = new Array(context.frontend.registers.registers.length);
  }

  /**
   * Emits all but the terminator; afterwards condition(), value() and store() speak of the block's end.
   * @param first a statement that comes before the block's first instruction
   */
  body(index: number, block: Block, first = ''): void {
    this.index = index;
    this.block = block;
    for (const register of this.touched) this.homedIn[register] = undefined;
    this.touched.length = 0;
    this.home.fill(undefined, block.first, block.end);
    this.setDone.fill(0, block.first, block.end);
    this.analysis.analyse(index, block);
    if (first !== '') this.line(first, block.pc);
    this.checkEarly();
    const counters = this.context.counters?.[index];
    if (counters !== undefined) this.line(counterText(counters.executions, 1), block.pc);
    for (let at = block.first; at < block.end; at++) {
      const exit = this.analysis.exitBehindHelper(at);
      if (exit >= 0) this.line(`if (U[0] !== 0) ${this.sideExit(exit)}`, this.pcOf(at - 1));
      if (at < block.end - 1) this.instruction(at);
    }
  }

  // -- after the body: for the terminator

  /** A JavaScript condition for an i32 value. */
  condition(value: number): string {
    const { unit } = this.context;
    const code = unit.op[value];
    if (this.home[value] === undefined) {
      if (code === op['i32.eqz'] && isCompare[unit.op[unit.a[value]]] === 1)
        return `!(${this.condition(unit.a[value])})`;
      if (isCompare[code] === 1) return this.expand(testTemplates[code], value);
    }
    return `${this.value(value)} !== 0`;
  }

  /** The expression of a value: an atom. */
  value(value: number): string {
    const home = this.home[value];
    if (home !== undefined) return home;
    const { unit } = this.context;
    const code = unit.op[value];
    if (code === op['i32.const']) {
      const constant = unit.imm[value];
      return constant < 0 ? `(${constant})` : `${constant}`;
    }
    if (code === op['f64.const']) return doubleLiteral(unit.a[value], unit.b[value]);
    if (kinds[code] === 'get') return this.local(unit.imm[value]);
    return `(${this.expand(templates[code], value)})`;
  }

  /**
   * Statements that make the writes that a way out of the block sees; empty when there are none.
   * @param target the block of the region where it leads, or undefined out of the region
   */
  edge(target: number | undefined): string {
    const { unit, flow } = this.context;
    let text = '';
    for (const at of this.analysis.onEdges) {
      const register = unit.imm[at];
      if (target === undefined || has(flow.liveIn, flow.words, target, register)) {
        text += `${this.store(register, this.value(unit.a[at]))} `;
      }
    }
    return text;
  }

  /**
   * A statement that leaves before the instruction at `pc`; its call has never run while the path is cold, and V8
   * compiles nothing for it.
   */
  sideExit(pc: number): string {
    const leave = `return X(0x${pc.toString(16)});`;
    const executed = this.executedBefore(pc);
    return executed === 0 ? leave : `{ ${this.countText(executed)} ${leave} }`;
  }

  /** A statement that counts the block's instructions, when they are counted. */
  countBlock(): string {
    return this.context.countInstructions ? this.countText(this.block.guestInstructions) : '';
  }

  private countText(instructions: number): string {
    const counters = this.context.counters?.[this.index];
    const own = counters === undefined ? '' : ` ${counterText(counters.instructions, instructions)}`;
    return `F[${header.instructions >> 3}] += ${instructions};${own}`;
  }

  /** Guest instructions of the block before an address, when they are counted. */
  private executedBefore(pc: number): number {
    return this.context.countInstructions ? this.analysis.executedBefore(pc) : 0;
  }

  /** A statement that fills a register's local from the state block. */
  fill(register: number): string {
    const { type, index } = this.context.frontend.registers.registers[register];
    return `${this.local(register)} = ${indexArray[type]}[${index}];`;
  }

  private store(register: number, value: string): string {
    const { type, index } = this.context.frontend.registers.registers[register];
    return `${indexArray[type]}[${index}] = ${value};`;
  }

  // -- emission: forwards

  private instruction(at: number): void {
    const { unit } = this.context;
    const code = unit.op[at];
    switch (kinds[code]) {
      case 'get': {
        const register = unit.imm[at];
        this.homeIn(register, at);
        return;
      }
      case 'set':
        this.assign(at);
        return;
      case 'const':
        return;
      case 'pure':
        if (this.analysis.needed[at] === 1) this.make(at, () => this.expand(templates[code], at));
        return;
      case 'load':
        this.access(at);
        return;
      case 'helper':
        this.helper(at);
        return;
      default:
        if (code === op.exit_if)
          this.line(`if (${this.condition(unit.a[at])}) ${this.sideExit(this.pcOf(at))}`, this.pcOf(at));
    }
  }

  /** Gives a value a home: a register's local when the next instruction writes it there, its use when that is single and near, else a constant. */
  private make(at: number, expression: () => string, inlineAllowed = true): void {
    const { unit } = this.context;
    const next = at + 1;
    if (next < this.block.end && kinds[unit.op[next]] === 'set' && unit.a[next] === at && this.setDone[next] === 0) {
      const kept = this.analysis.needed[next];
      if ((kept & write.local) !== 0) {
        const register = unit.imm[next];
        this.release(register, next);
        // The expression may read the register's old value, so it is made before the local changes.
        const name = this.local(register);
        this.line(`${name} = ${expression()};${this.storeLater(next, name)}`, this.pcOf(at));
        this.finishSet(next, register, at);
        return;
      }
      if (kept === write.memory && this.analysis.uses[at] === 1 && this.analysis.last[at] === next && inlineAllowed) {
        this.line(this.store(unit.imm[next], expression()), this.pcOf(at));
        this.setDone[next] = 1;
        return;
      }
    }
    if (inlineAllowed && this.analysis.uses[at] === 1 && this.analysis.last[at] < this.block.end) {
      const use = this.analysis.last[at];
      if (this.analysis.assignments[at] === this.analysis.assignments[use]) {
        // A comparison for the final branch, or for the one that inverts it, stands in the condition.
        const terminator = this.block.end - 1;
        if (isCompare[unit.op[at]] === 1 && (use === terminator || this.isBranchOn(use, terminator))) return;
        const text = expression();
        if (text.length < 120) {
          this.home[at] = `(${text})`;
          return;
        }
      }
    }
    const name = `t${at}`;
    this.constant(name, expression(), at);
    this.home[at] = name;
  }

  /** Whether a value is an inversion that only the block's final branch uses. */
  private isBranchOn(value: number, terminator: number): boolean {
    const { unit } = this.context;
    return (
      unit.op[value] === op['i32.eqz'] &&
      this.analysis.uses[value] === 1 &&
      this.analysis.last[value] === terminator &&
      unit.a[terminator] === value &&
      this.analysis.assignments[value] === this.analysis.assignments[terminator]
    );
  }

  private assign(at: number): void {
    const kept = this.analysis.needed[at];
    if (this.setDone[at] === 1 || (kept & (write.local | write.memory)) === 0) return;
    const { unit } = this.context;
    const register = unit.imm[at];
    const text = this.value(unit.a[at]);
    if ((kept & write.local) === 0) {
      this.line(this.store(register, text), this.pcOf(at));
      return;
    }
    const name = this.local(register);
    this.release(register, at);
    const assignment = text === name ? '' : `${name} = ${text};`;
    this.line(`${assignment}${this.storeLater(at, name)}`, this.pcOf(at));
    this.finishSet(at, register, unit.a[at]);
  }

  private storeLater(at: number, name: string): string {
    if ((this.analysis.needed[at] & write.memory) === 0) return '';
    return ` ${this.store(this.context.unit.imm[at], name)}`;
  }

  private finishSet(at: number, register: number, value: number): void {
    this.setDone[at] = 1;
    if (this.home[value] === undefined && this.context.unit.op[value] !== op['i32.const']) {
      this.homeIn(register, value);
    }
  }

  /** A value lives in a register's local. */
  private homeIn(register: number, value: number): void {
    this.home[value] = this.local(register);
    const homed = this.homedIn[register];
    if (homed !== undefined) homed.push(value);
    else {
      this.homedIn[register] = [value];
      this.touched.push(register);
    }
  }

  /** Before a local changes: values that live in it and are used later move to constants of their own. */
  private release(register: number, at: number): void {
    const homed = this.homedIn[register];
    if (homed === undefined) return;
    for (const value of homed) {
      if (this.analysis.last[value] <= at) continue;
      const name = `t${value}`;
      this.constant(name, this.local(register), at);
      this.home[value] = name;
    }
    this.homedIn[register] = undefined;
  }

  private access(at: number): void {
    const { unit, memory } = this.context;
    const pc = this.pcOf(at);
    const group = this.analysis.groups.groupOf(at);
    const base = unit.op[unit.a[at]] === op['i32.const'] ? undefined : this.value(unit.a[at]);
    const constant = base === undefined ? unit.imm[unit.a[at]] : 0;
    if (this.analysis.isChecked(at)) {
      this.line(`if (${emitCheck(group, base, constant)}) ${this.sideExit(pc)}`, pc);
    }
    if (unit.op[at] === op.check) return;
    const bytes = accessBytes[unit.op[at]];
    const emitted = emitAccess(unit, at, memory, base, constant, bytes, (value) => this.value(value));
    if (emitted.statement !== undefined) {
      this.line(emitted.statement, pc);
      return;
    }
    if (this.analysis.uses[at] === 0 && this.analysis.last[at] < 0) {
      // A load that nobody needs has had its check; an exchange still stores.
      if (unit.op[at] === op.compare_exchange32) this.line(`${emitted.expression};`, pc);
      return;
    }
    this.make(at, () => emitted.expression as string, false);
  }

  /** The checks of accesses whose base is known at the block's start. */
  private checkEarly(): void {
    const { unit } = this.context;
    const checks: string[] = [];
    for (const group of this.analysis.groups.early) {
      const base = unit.a[group.first];
      const isConstant = unit.op[base] === op['i32.const'];
      checks.push(
        emitCheck(group, isConstant ? undefined : this.local(unit.imm[base]), isConstant ? unit.imm[base] : 0),
      );
    }
    if (checks.length > 0) this.line(`if (${checks.join(' || ')}) ${this.sideExit(this.block.pc)}`, this.block.pc);
  }

  private helper(at: number): void {
    const { unit, frontend, helpers, flow } = this.context;
    const number = unit.imm[at];
    const helper = frontend.helpers[number];
    const pc = this.pcOf(at);
    this.context.usedHelpers.add(number);
    const operands = this.analysis.operandsOf(at).map((value) => this.value(value));
    const call = `h${number}(T, M${operands.map((operand) => `, ${operand}`).join('')})`;
    if (helper.result === '') {
      this.line(`${call};`, pc);
    } else {
      this.constant(`t${at}`, call, at);
      this.home[at] = `t${at}`;
    }
    if (helper.mayExit) this.line(`if (S[${header.exit >> 2}] !== 0) ${this.sideExit(pc)}`, pc);
    for (const register of helpers[number].writes) {
      this.release(register, at);
      if (this.analysis.lastGet[register] > at || has(flow.neededOut, flow.words, this.index, register)) {
        this.line(this.fill(register), pc);
      }
    }
  }

  // -- registers

  private local(register: number): string {
    this.context.usedLocals[register] = 1;
    return this.context.locals[register];
  }

  // -- text

  private expand(template: readonly string[], at: number): string {
    const { unit, usedCalls } = this.context;
    if (calledNumber[unit.op[at]] >= 0) usedCalls.add(unit.op[at]);
    let text = template[0];
    for (let i = 1; i < template.length; i += 2) {
      const piece = template[i];
      if (piece === 'a') text += this.value(unit.a[at]);
      else if (piece === 'b') text += this.value(unit.b[at]);
      else if (piece === 'c') text += this.value(unit.c[at]);
      else text += unit.imm[at];
      text += template[i + 1];
    }
    return text;
  }

  private pcOf(at: number): number {
    return this.context.unit.pc[at] >>> 0;
  }

  private constant(name: string, expression: string, at: number): void {
    this.line(`const ${name} = ${expression};`, this.pcOf(at));
    this.context.lines.constants++;
  }

  private line(text: string, pc: number): void {
    this.context.lines.text.push(text);
    this.context.lines.pcs.push(pc);
  }
}

const doubleBytes = new DataView(new ArrayBuffer(8));

/** A double's bits as an expression that gives just these bits. */
function doubleLiteral(low: number, high: number): string {
  doubleBytes.setInt32(0, low, true);
  doubleBytes.setInt32(4, high, true);
  const value = doubleBytes.getFloat64(0, true);
  if (Number.isNaN(value)) return `fromHalves(${low}, ${high})`;
  if (Object.is(value, -0)) return '(-0)';
  return value < 0 ? `(${value})` : `${value}`;
}
