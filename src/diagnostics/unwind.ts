/** Follows a stack by call frame information (src/elf/call-frames.ts). */
import type { CallFrame, Expression } from '../elf/call-frames.ts';

/** The registers of a frame that are known, by DWARF's numbers of the architecture. */
export type FrameRegisters = ReadonlyMap<number, number>;

/** What is looked at in the guest. */
export interface UnwindView {
  /** The pointer at a guest address; undefined where nothing is mapped or no address stands. */
  pointer(address: number): number | undefined;
}

/** The frame of a function's caller. */
export interface CallerFrame {
  readonly registers: FrameRegisters;
  /** Where it goes on; undefined: nobody called. */
  readonly returnAddress: number | undefined;
}

/**
 * The caller's registers.
 * @param stack the stack pointer's number
 * @returns undefined when they cannot be found
 */
export function callerFrame(
  call: CallFrame,
  registers: FrameRegisters,
  stack: number,
  view: UnwindView,
): CallerFrame | undefined {
  const { frame } = call;
  const base = frame.kind === 'register' ? registers.get(frame.register) : undefined;
  const address =
    frame.kind === 'expression'
      ? evaluate(frame.expression, registers, view, undefined)
      : base === undefined
        ? undefined
        : (base + frame.offset) >>> 0;
  if (address === undefined) return undefined;
  const caller = new Map(registers).set(stack, address);
  for (const [register, rule] of call.registers) {
    let value: number | undefined;
    if (rule.kind === 'offset') value = view.pointer((address + rule.offset) >>> 0);
    else if (rule.kind === 'value') value = (address + rule.offset) >>> 0;
    else if (rule.kind === 'register') value = registers.get(rule.register);
    else if (rule.kind === 'expression') {
      const place = evaluate(rule.expression, registers, view, address);
      value = place === undefined ? undefined : view.pointer(place);
    }
    if (value === undefined) caller.delete(register);
    else caller.set(register, value);
  }
  const returnAddress = caller.get(call.returnAddress);
  const isOutermost = call.registers.get(call.returnAddress)?.kind === 'undefined';
  return returnAddress === undefined && !isOutermost ? undefined : { registers: caller, returnAddress };
}

/** DW_OP_*, those that are found in frames of signal handlers and of code that realigns the stack. */
const operation = {
  dereference: 0x06,
  constant1: 0x08,
  constant1Signed: 0x09,
  plus: 0x22,
  plusConstant: 0x23,
  literal: 0x30,
  base: 0x70,
  lastBase: 0x8f,
} as const;

/** @param initial what stands on the stack first. @returns undefined for an expression that is not understood */
function evaluate(
  expression: Expression,
  registers: FrameRegisters,
  view: UnwindView,
  initial: number | undefined,
): number | undefined {
  const cursor = expression();
  const stack: (number | undefined)[] = initial === undefined ? [] : [initial];
  while (cursor.offset < cursor.end) {
    const code = cursor.u8();
    let value: number | undefined;
    if (code >= operation.base && code <= operation.lastBase) {
      const base = registers.get(code - operation.base);
      const distance = cursor.sleb();
      value = base === undefined ? undefined : base + distance;
    } else if (code >= operation.literal && code < operation.literal + 32) value = code - operation.literal;
    else if (code === operation.constant1) value = cursor.u8();
    else if (code === operation.constant1Signed) value = cursor.i8();
    else {
      const top = stack.pop();
      if (top === undefined) return undefined;
      if (code === operation.dereference) value = view.pointer(top >>> 0);
      else if (code === operation.plusConstant) value = top + cursor.uleb();
      else if (code === operation.plus) value = top + (stack.pop() ?? Number.NaN);
    }
    if (value === undefined || Number.isNaN(value)) return undefined;
    stack.push(value);
  }
  const result = stack.at(-1);
  return result === undefined ? undefined : result >>> 0;
}
