/**
 * Emits the JavaScript of one block's instructions up to its terminator.
 *
 * Guest registers live in locals of the generated function. A register's local is assigned where the block writes it,
 * unless another write comes before anything could look; so at a side exit (an access that is not allowed, a
 * trap) the locals are exact, and all side exits share one piece of code at the function's end. Values become
 * constants (`t7`), or are written where they are used.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { header } from '../ir/state.ts';
import type { Block, Unit } from '../ir/unit.ts';
import { type HelperRegisters, has, type RegisterFlow, sideExits } from '../optimize/registers-flow.ts';
import { type AccessGroups, accessBytes, groupAccesses } from './accesses.ts';
import { emitAccess, emitCheck, type MemoryConstants } from './memory.ts';
import { isCompare, kinds, operandCounts, templates, testTemplates } from './templates.ts';

/** A place where control leaves a translation in the middle, and the registers whose locals are newer than the state block there. */
export interface SideExit {
  readonly pc: number;
  readonly registers: readonly number[];
}

/** Lines of generated code with the guest address that each came from. */
export interface Lines {
  readonly text: string[];
  readonly pcs: number[];
}

export interface BlockContext {
  readonly unit: Unit;
  readonly frontend: Frontend;
  readonly flow: RegisterFlow;
  readonly helpers: readonly HelperRegisters[];
  readonly memory: MemoryConstants;
  readonly preciseFaults: boolean;
  readonly lines: Lines;
  /** Names of the registers' locals, by number. */
  readonly locals: readonly string[];
  /** Registers that the function needs a local for: marked as they are used. */
  readonly usedLocals: Uint8Array;
  /** Adds a side exit and returns its number. */
  addSideExit(exit: SideExit): number;
  /** Registers that some side exit stores: marked as they are found. */
  readonly exitRegisters: Uint8Array;
  /** The helpers that the function calls: marked as they are used. */
  readonly usedHelpers: Set<number>;
}

const indexArray: Record<string, string> = { i32: 'S', f64: 'F', i64: 'L' };
const none = 0x7fffffff;

export class BlockEmitter {
  private readonly context: BlockContext;
  private readonly uses: Int32Array;
  private readonly last: Int32Array;
  /** 1: emitted; 0: dropped. */
  private readonly needed: Uint8Array;
  private readonly home: (string | undefined)[];
  /** Position of the next write of a register, while scanning backwards; afterwards the position of its last write. */
  private readonly nextSet: Int32Array;
  private readonly exitsAtSet: Int32Array;
  /** Registers that the block wrote so far, and the position of the last write of each. */
  private readonly written: number[] = [];
  private readonly isWritten: Uint8Array;
  private readonly setAt: Int32Array;
  /** Registers whose values have homes to forget when the block ends. */
  private readonly touched: number[] = [];
  /** For the write of a flag: the position of the last read of what it wrote. */
  private readonly readUntil: Int32Array;
  /** Next entry of the unit's forwarded flag reads, from the block's end backwards. */
  private readonly lastRead: Int32Array;
  private readonly setDone: Uint8Array;
  /** Number of local assignments up to a position: an expression may move past none of them. */
  private readonly assignments: Int32Array;
  private readonly homedIn: number[][];
  private index = 0;
  private block: Block = { pc: 0, first: 0, end: 0, guestInstructions: 0, endPc: 0 };
  private groups: AccessGroups;

  constructor(context: BlockContext) {
    this.context = context;
    const count = context.unit.count;
    const registers = context.frontend.registers.registers.length;
    this.uses = new Int32Array(count);
    this.last = new Int32Array(count);
    this.needed = new Uint8Array(count);
    this.home = new Array(count);
    this.nextSet = new Int32Array(registers);
    this.exitsAtSet = new Int32Array(registers);
    this.isWritten = new Uint8Array(registers);
    this.setAt = new Int32Array(registers);
    this.lastRead = new Int32Array(registers);
    this.readUntil = new Int32Array(count);
    this.setDone = new Uint8Array(count);
    this.assignments = new Int32Array(count + 1);
    this.homedIn = context.frontend.registers.registers.map(() => []);
    this.groups = groupAccesses(context.unit, 0, 0);
  }

  /**
   * Emits all but the terminator; afterwards condition(), value() and spill() speak of the block's end.
   * @param interrupted a condition under which to leave before the block's first instruction
   */
  body(index: number, block: Block, interrupted?: string): void {
    this.start(index, block);
    if (interrupted !== undefined) this.line(`if (${interrupted}) ${this.sideExit(block.first, block.pc)}`, block.pc);
    const { unit, helpers } = this.context;
    let helperPc = -1;
    for (let at = block.first; at < block.end; at++) {
      if (helperPc >= 0 && (unit.pc[at] >>> 0 !== helperPc || at === block.end - 1)) {
        // A helper may have made this translation stale: leave before the next guest instruction.
        const next = at === block.end - 1 && unit.pc[at] >>> 0 === helperPc ? block.endPc : unit.pc[at] >>> 0;
        this.line(`if (U[0] !== 0) ${this.sideExit(at, next)}`, helperPc);
        helperPc = -1;
      }
      if (at === block.end - 1) break;
      this.instruction(at);
      if (kinds[unit.op[at]] === 'helper' && helpers.length > 0) helperPc = unit.pc[at] >>> 0;
    }
  }

  /** The side exit at the start of a block that is not being emitted: all dirty registers are in their locals. */
  exitBefore(index: number, block: Block): string {
    this.start(index, block);
    return this.sideExit(block.first, block.pc);
  }

  private start(index: number, block: Block): void {
    this.index = index;
    this.block = block;
    for (const register of this.written) this.isWritten[register] = 0;
    for (const register of this.touched) this.homedIn[register].length = 0;
    this.written.length = 0;
    this.touched.length = 0;
    this.analyse();
    this.groups = groupAccesses(this.context.unit, block.first, block.end);
  }

  // -- after the body: for the terminator

  /** A JavaScript condition for an i32 value. */
  condition(value: number): string {
    const { unit } = this.context;
    if (this.home[value] === undefined && isCompare[unit.op[value]] === 1) {
      return this.expand(testTemplates[unit.op[value]], value);
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
    if (code === op['i64.const']) return `join64(${unit.a[value]}, ${unit.b[value]})`;
    if (kinds[code] === 'get') return this.local(unit.imm[value]);
    return `(${this.expand(templates[code], value)})`;
  }

  /** Statements that store the locals that are newer than the state block, as one line; empty when there are none. */
  spill(): string {
    let text = '';
    for (const register of this.dirty(this.block.end - 1)) text += this.store(register, this.local(register));
    return text;
  }

  /** A statement that leaves before the instruction at `at`: the call has never run while the path is cold, so V8 compiles nothing for it. */
  sideExit(at: number, pc: number): string {
    const registers = this.dirty(at);
    for (const register of registers) this.context.exitRegisters[register] = 1;
    return `{ e = W(${this.context.addSideExit({ pc, registers })}); break E; }`;
  }

  /** A statement that fills a register's local from the state block. */
  fill(register: number): string {
    const { type, index } = this.context.frontend.registers.registers[register];
    return `${this.local(register)} = ${indexArray[type]}[${index}];`;
  }

  private store(register: number, value: string): string {
    const { type, index } = this.context.frontend.registers.registers[register];
    return `${indexArray[type]}[${index}] = ${value}; `;
  }

  // -- analysis: backwards over the block

  private analyse(): void {
    const { unit, flow, frontend, preciseFaults, helpers } = this.context;
    const { block, uses, last, needed, nextSet, exitsAtSet } = this;
    const registers = frontend.registers.registers;
    nextSet.fill(none);
    exitsAtSet.fill(0);
    this.lastRead.fill(-1);
    for (let at = block.first; at < block.end; at++) {
      uses[at] = 0;
      last[at] = -1;
      needed[at] = 0;
      this.setDone[at] = 0;
      this.home[at] = undefined;
    }
    const reads = unit.forwardedFlags;
    let read = this.readsBefore(block.end);
    /** Positions of side exits, descending. */
    const exits: number[] = [];
    const use = (value: number, at: number): void => {
      if (value < 0) return;
      uses[value]++;
      if (last[value] < at) last[value] = at;
    };
    for (let at = block.end - 1; at >= block.first; at--) {
      const code = unit.op[at];
      const kind = kinds[code];
      // A read noted at this position comes before this instruction.
      for (; read >= 2 && reads[read - 2] > at; read -= 2) {
        const register = reads[read - 1];
        if (this.lastRead[register] < 0) this.lastRead[register] = reads[read - 2];
      }
      if (kind === 'set') {
        const register = unit.imm[at];
        const value = unit.a[at];
        const next = nextSet[register];
        const final = next === none;
        const { flag } = registers[register];
        const live = has(flow.liveOut, flow.words, this.index, register);
        this.readUntil[at] = final && live ? none : this.lastRead[register];
        // The first side exit before the register's next write sees this value, if any does.
        const seen = exits.length > (final ? 0 : exitsAtSet[register]);
        if ((final && live) || (seen && (!flag || preciseFaults || this.isRead(at, exits[exits.length - 1])))) {
          needed[at] = 1;
          use(value, at);
        }
        this.lastRead[register] = -1;
        nextSet[register] = at;
        exitsAtSet[register] = exits.length;
        continue;
      }
      if (kind === 'pure') {
        if (uses[at] > 0) {
          needed[at] = 1;
          for (const operand of this.operandsOf(at)) use(operand, at);
        }
        continue;
      }
      if (kind === 'get' || kind === 'const') continue;
      needed[at] = 1;
      for (const operand of this.operandsOf(at)) use(operand, at);
      if (sideExits[code] === 1) {
        exits.push(at);
        if (kind === 'helper') {
          // A helper ends what is known of the registers that it writes.
          for (const register of helpers[unit.imm[at]].writes ?? []) {
            nextSet[register] = at;
            exitsAtSet[register] = exits.length;
          }
        }
      }
    }
    let count = 0;
    for (let at = block.first; at < block.end; at++) {
      this.assignments[at] = count;
      if ((kinds[unit.op[at]] === 'set' && needed[at] === 1) || kinds[unit.op[at]] === 'helper') count++;
    }
    this.assignments[block.end] = count;
  }

  private readonly operandBuffer: number[] = [];

  private operandsOf(at: number): readonly number[] {
    const { unit, frontend } = this.context;
    const code = unit.op[at];
    const buffer = this.operandBuffer;
    buffer.length = 0;
    const count = kinds[code] === 'helper' ? frontend.helpers[unit.imm[at]].operands.length : operandCounts[code];
    if (count > 0) buffer.push(unit.a[at]);
    if (count > 1) buffer.push(unit.b[at]);
    if (count > 2) buffer.push(unit.c[at]);
    return buffer;
  }

  // -- emission: forwards

  private instruction(at: number): void {
    const { unit } = this.context;
    const code = unit.op[at];
    switch (kinds[code]) {
      case 'get': {
        const register = unit.imm[at];
        this.home[at] = this.local(register);
        this.homedIn[register].push(at);
        this.touched.push(register);
        return;
      }
      case 'set':
        this.assign(at);
        return;
      case 'const':
        return;
      case 'pure':
        if (this.needed[at] === 1) this.make(at, () => this.expand(templates[code], at));
        return;
      case 'load':
        this.access(at);
        return;
      case 'helper':
        this.helper(at);
        return;
      default:
        if (code === op.exit_if)
          this.line(`if (${this.condition(unit.a[at])}) ${this.sideExit(at, this.pcOf(at))}`, this.pcOf(at));
    }
  }

  /** Gives a value a home: a register's local when the next instruction writes it there, its use when that is single and near, else a constant. */
  private make(at: number, expression: () => string, inlineAllowed = true): void {
    const { unit } = this.context;
    if (this.isMergedWithSet(at)) {
      const register = unit.imm[at + 1];
      this.release(register, at + 1);
      // The expression may read the register's old value, so it is made before the local changes.
      this.line(`${this.local(register)} = ${expression()};`, this.pcOf(at));
      this.finishSet(at + 1, register, at);
      return;
    }
    if (inlineAllowed && this.uses[at] === 1) {
      const use = this.last[at];
      if (this.assignments[at] === this.assignments[use]) {
        if (isCompare[unit.op[at]] === 1 && use === this.block.end - 1) return;
        const text = expression();
        if (text.length < 120) {
          this.home[at] = `(${text})`;
          return;
        }
      }
    }
    const name = `t${at}`;
    this.line(`const ${name} = ${expression()};`, this.pcOf(at));
    this.home[at] = name;
  }

  private isMergedWithSet(at: number): boolean {
    const { unit } = this.context;
    const next = at + 1;
    return next < this.block.end && kinds[unit.op[next]] === 'set' && unit.a[next] === at && this.needed[next] === 1;
  }

  private assign(at: number): void {
    if (this.setDone[at] === 1 || this.needed[at] === 0) return;
    const { unit } = this.context;
    const register = unit.imm[at];
    const text = this.value(unit.a[at]);
    const name = this.local(register);
    if (text !== name) {
      this.release(register, at);
      this.line(`${name} = ${text};`, this.pcOf(at));
    }
    this.finishSet(at, register, unit.a[at]);
  }

  private finishSet(at: number, register: number, value: number): void {
    this.markWritten(register, at);
    this.setDone[at] = 1;
    if (this.home[value] === undefined && this.context.unit.op[value] !== op['i32.const']) {
      this.home[value] = this.local(register);
      this.homedIn[register].push(value);
      this.touched.push(register);
    }
  }

  /** Before a local changes: values that live in it and are used later move to constants of their own. */
  private release(register: number, at: number): void {
    const homed = this.homedIn[register];
    for (const value of homed) {
      if (this.last[value] <= at) continue;
      const name = `t${value}`;
      this.line(`const ${name} = ${this.local(register)};`, this.pcOf(at));
      this.home[value] = name;
    }
    homed.length = 0;
  }

  private access(at: number): void {
    const { unit, memory } = this.context;
    const pc = this.pcOf(at);
    const group = this.groups.groupOf(at);
    const base = unit.op[unit.a[at]] === op['i32.const'] ? undefined : this.value(unit.a[at]);
    const constant = base === undefined ? unit.imm[unit.a[at]] : 0;
    if (group.first === at) {
      this.line(`if (${emitCheck(group, base, constant)}) ${this.sideExit(at, pc)}`, pc);
    }
    if (unit.op[at] === op.check) return;
    const bytes = accessBytes[unit.op[at]];
    const emitted = emitAccess(unit, at, memory, base, constant, bytes, (value) => this.value(value));
    if (emitted.statement !== undefined) {
      this.line(emitted.statement, pc);
      return;
    }
    if (this.uses[at] === 0) return;
    this.make(at, () => emitted.expression as string, false);
  }

  private helper(at: number): void {
    const { unit, frontend, helpers } = this.context;
    const number = unit.imm[at];
    const helper = frontend.helpers[number];
    const { reads, writes } = helpers[number];
    const pc = this.pcOf(at);
    this.context.usedHelpers.add(number);
    let text = '';
    const dirty = this.dirty(at);
    for (const register of dirty) {
      if (reads === undefined || reads.includes(register)) text += this.store(register, this.local(register));
    }
    const operands = this.operandsOf(at).map((value) => this.value(value));
    const call = `h${number}(T, M${operands.map((operand) => `, ${operand}`).join('')})`;
    if (helper.result === '') {
      this.line(`${text}${call};`, pc);
    } else {
      this.line(`${text}const t${at} = ${call};`, pc);
      this.home[at] = `t${at}`;
    }
    if (helper.mayExit) this.line(`if (S[${header.exit >> 2}] !== 0) ${this.sideExit(at, pc)}`, pc);
    for (const register of writes ?? []) {
      this.release(register, at);
      this.markWritten(register, at);
      this.readUntil[at] = none;
      this.line(this.fill(register), pc);
    }
  }

  // -- registers

  private local(register: number): string {
    this.context.usedLocals[register] = 1;
    return this.context.locals[register];
  }

  private markWritten(register: number, at: number): void {
    if (this.isWritten[register] === 0) this.written.push(register);
    this.isWritten[register] = 1;
    this.setAt[register] = at;
  }

  /** Registers whose values at position `at` are newer than the state block's, and worth storing. */
  private dirty(at: number): number[] {
    const { flow, frontend, preciseFaults } = this.context;
    const registers = frontend.registers.registers;
    const result: number[] = [];
    const atEnd = at === this.block.end - 1;
    const base = this.index * flow.words;
    for (let word = 0; word < flow.words; word++) {
      for (let bits = flow.dirtyIn[base + word]; bits !== 0; bits &= bits - 1) {
        const register = word * 32 + 31 - Math.clz32(bits & -bits);
        if (this.isWritten[register] === 1) continue;
        if (has(atEnd ? flow.liveOut : flow.liveIn, flow.words, this.index, register)) result.push(register);
      }
    }
    for (const register of this.written) {
      if (atEnd) {
        if (!has(flow.liveOut, flow.words, this.index, register)) continue;
      } else if (registers[register].flag && !preciseFaults && !this.isRead(this.setAt[register], at)) {
        continue;
      }
      result.push(register);
    }
    return result.sort((one, other) => one - other);
  }

  /** Whether what a flag was written at `set` is read at or after the guest instruction that holds position `at`. */
  private isRead(set: number, at: number): boolean {
    const until = this.readUntil[set];
    if (until > at) return true;
    const { unit } = this.context;
    let start = at;
    while (start > this.block.first && unit.pc[start - 1] === unit.pc[at]) start--;
    return until >= start;
  }

  /** Length of the prefix of the unit's forwarded reads (pairs) that lies before a position. */
  private readsBefore(position: number): number {
    const reads = this.context.unit.forwardedFlags;
    let low = 0;
    let high = reads.length >>> 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reads[middle * 2] <= position) low = middle + 1;
      else high = middle;
    }
    return low * 2;
  }

  // -- text

  private expand(template: readonly string[], at: number): string {
    const { unit } = this.context;
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
