/**
 * File tests: IR with its expected effect beside it (test/ir/filetests/*.ir).
 *
 *     case i32.add
 *     block 0x1000 (1 instruction, ends 0x1004)
 *       …
 *     run r1=2 r2=3 => r0=5
 *
 * A run starts with the registers and memory before the arrow; the others are 0, but the result
 * registers r0, f0 and d0, which hold `resultBefore`. Behind it stands what the block changed, and
 * besides: `exit` with `detail` and `access` when it left, `pc` unless it is the block's end,
 * `count` unless all of its guest instructions were executed. Memory is `[address]=bytes` in guest
 * order. `case NAME little` runs on memory that is not mirrored (a little-endian guest's).
 */
import { fromHalves, highHalf, lowHalf } from '../../translators/float/operations.ts';
import { exitCode, exitReasons } from '../../translators/ir/operations.ts';
import { parseUnit } from '../../translators/ir/parser.ts';
import { header, type Register, type State } from '../../translators/ir/state.ts';
import type { Unit } from '../../translators/ir/unit.ts';
import { verifyUnit } from '../../translators/ir/verifier.ts';
import type { MemoryView } from '../../translators/memory-view.ts';
import { byteOffset, makeMemory, makeState, memoryRange, testNames, testRegisters } from './guest.ts';

export interface Run {
  /** Number of the run's line in the file, from 0. */
  readonly line: number;
  readonly input: string;
  readonly expected: string;
}

export interface Case {
  readonly name: string;
  readonly mirrored: boolean;
  readonly unit: Unit;
  readonly runs: readonly Run[];
}

/** Executes the block at state.pc, its unit's first, and leaves the state as an engine would. */
export type Executor = (unit: Unit, state: State, memory: MemoryView) => void;

/** What r0 and the words of f0 and d0 hold before a run, so that a result of 0 shows. */
const resultBefore = 0x7e57_7e57;

/** Reads the cases of a file. @throws Error naming the case when its IR is malformed or breaks a rule */
export function readCases(text: string): Case[] {
  const cases: Case[] = [];
  let head = '';
  let body: string[] = [];
  let runs: Run[] = [];
  const finish = (): void => {
    if (head === '') return;
    const [name, order] = head.split(' ');
    let unit: Unit;
    try {
      unit = parseUnit(body.join('\n'), testNames);
    } catch (error) {
      throw new Error(`case ${name}: ${(error as Error).message}`);
    }
    const violations = verifyUnit(unit, testNames);
    if (violations.length > 0) throw new Error(`case ${name}: ${violations.join('; ')}`);
    cases.push({ name, mirrored: order !== 'little', unit, runs });
  };
  text.split('\n').forEach((line, number) => {
    const match = /^(case|run)\s+(.*)$/.exec(line);
    if (match === null) body.push(line);
    else if (match[1] === 'run') {
      const [input, expected = ''] = match[2].split('=>').map((part) => part.trim());
      runs.push({ line: number, input, expected });
    } else {
      finish();
      head = match[2].trim();
      body = [];
      runs = [];
    }
  });
  finish();
  return cases;
}

/** Carries out a run and returns its effect as the text behind the arrow. */
export function effectOf(test: Case, run: Run, execute: Executor): string {
  const state = makeState();
  const memory = makeMemory(test.mirrored);
  for (const name of ['r0', 'f0', 'd0']) {
    const { offset, type } = state.register(name);
    state.i32[offset >> 2] = resultBefore;
    if (type !== 'i32') state.i32[(offset >> 2) + 1] = resultBefore;
  }
  for (const item of run.input.split(/\s+/).filter((part) => part !== '')) assign(item, state, memory);
  const [block] = test.unit.blocks;
  state.pc = block.pc;
  const registers = testRegisters.registers.map((register) => readRegister(state, register));
  const bytes = Uint8Array.from(guestBytes(memory));

  execute(test.unit, state, memory);

  const effect = testRegisters.registers.flatMap((register, number) => {
    const value = readRegister(state, register);
    return value === registers[number] ? [] : [`${register.name}=${value}`];
  });
  effect.push(...changedMemory(bytes, Uint8Array.from(guestBytes(memory))));
  const exit = state.i32[header.exit >> 2];
  if (exit !== 0) effect.push(`exit=${exitReasons[exit]}`);
  if (exit !== 0 && exit !== exitCode.system_call) effect.push(`detail=${wordText(state.i32[header.detail >> 2])}`);
  if (exit === exitCode.fault) effect.push(`access=${state.i32[header.access >> 2]}`);
  if (state.pc !== block.endPc) effect.push(`pc=0x${state.pc.toString(16)}`);
  const count = state.f64[header.instructions >> 3];
  if (count !== block.guestInstructions) effect.push(`count=${count}`);
  return effect.join(' ');
}

/** The file's text with other text behind the arrow of some runs. */
export function withEffects(text: string, effects: ReadonlyMap<number, string>): string {
  const lines = text.split('\n');
  for (const [line, effect] of effects) lines[line] = `${lines[line].replace(/\s*=>.*$/, '')} => ${effect}`.trimEnd();
  return lines.join('\n');
}

function assign(item: string, state: State, memory: MemoryView): void {
  const [place, value] = item.split('=');
  const address = /^\[(\w+)\]$/.exec(place);
  if (address !== null) {
    Buffer.from(value, 'hex').forEach((byte, at) => {
      memory.view.setUint8(byteOffset(memory, Number(address[1]) + at), byte);
    });
    return;
  }
  const { type, offset, index } = state.register(place);
  if (type === 'i32') state.i32[offset >> 2] = Number(value);
  else if (type === 'i64')
    state.i64[index] = BigInt.asIntN(64, value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value));
  else {
    const bits = value.startsWith('nan:') ? BigInt(`0x${value.slice(4)}`) : undefined;
    const number = bits === undefined ? Number(value.replace('inf', 'Infinity')) : 0;
    state.i32[offset >> 2] = bits === undefined ? lowHalf(number) : Number(BigInt.asIntN(32, bits));
    state.i32[(offset >> 2) + 1] = bits === undefined ? highHalf(number) : Number(BigInt.asIntN(32, bits >> 32n));
  }
}

function readRegister(state: State, { type, offset, index }: Register): string {
  const low = state.i32[offset >> 2];
  if (type === 'i32') return wordText(low);
  const high = state.i32[(offset >> 2) + 1];
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  if (type === 'i64') {
    const value = state.i64[index];
    return value > -0x10000n && value < 0x10000n ? `${value}` : `0x${bits.toString(16)}`;
  }
  const value = fromHalves(low, high);
  if (Number.isNaN(value)) return `nan:${bits.toString(16)}`;
  return Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf');
}

/** Small numbers in decimal, others as unsigned hexadecimal words. */
function wordText(value: number): string {
  return value > -0x10000 && value < 0x10000 ? `${value}` : `0x${(value >>> 0).toString(16)}`;
}

function* guestBytes(memory: MemoryView): Generator<number> {
  for (let address = memoryRange.start; address < memoryRange.end; address++) {
    yield memory.view.getUint8(byteOffset(memory, address));
  }
}

/** `[address]=bytes` for each run of bytes that differ. */
function changedMemory(before: Uint8Array, after: Uint8Array): string[] {
  const changes: string[] = [];
  for (let at = 0; at < before.length; at++) {
    if (before[at] === after[at]) continue;
    const start = at;
    while (at < before.length && before[at] !== after[at]) at++;
    const bytes = Buffer.from(after.subarray(start, at)).toString('hex');
    changes.push(`[0x${(memoryRange.start + start).toString(16)}]=${bytes}`);
  }
  return changes;
}
