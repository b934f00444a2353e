/** Which address an instruction of a 64-bit program wanted to access, when that is not one where anything can be. */
import type { Fetch } from '../frontend.ts';
import type { State } from '../ir/state.ts';
import { decoderOf } from './decode.ts';
import type { Instruction } from './instruction.ts';
import { fs, gs, rax, rbp, rbx, rdi, rsi, rsp, x86_64Registers } from './registers.ts';

export interface WideAddress {
  /** 64 bits, unsigned. */
  readonly address: bigint;
  /** In the stack segment, whose faults are reported differently. */
  readonly isStack: boolean;
}

const mask32 = 0xffff_ffffn;

/** Instructions that store below the stack pointer, and those that load at it. */
const pushes = /^(push|call|enter)/;
const pops = /^(pop|ret)(?!cnt)/;

/** The first address beyond 32 bits that the instruction at pc accesses with the registers of `state`; undefined when there is none. */
export function wideAddress(i: Instruction, fetch: Fetch, pc: number, state: State): WideAddress | undefined {
  if (decoderOf(64).decode(i, fetch, pc) < 0) return undefined;
  for (const { address, isStack } of accesses(i, state)) {
    const unsigned = BigInt.asUintN(64, address);
    if (unsigned > mask32) return { address: unsigned, isStack };
  }
  return undefined;
}

/** Where the instruction accesses memory. Sums may have more than 64 bits. */
function accesses(i: Instruction, state: State): WideAddress[] {
  const { registers } = x86_64Registers.file;
  const register = (number: number): bigint => state.i64[registers[number].index];
  const { segment, mnemonic } = i;
  const segmentBase =
    segment === fs ? register(x86_64Registers.fsBase) : segment === gs ? register(x86_64Registers.gsBase) : 0n;
  const inSegment = (offset: bigint): bigint => segmentBase + (i.addressSize === 8 ? offset : offset & mask32);
  const found: WideAddress[] = [];
  const data = (address: bigint): void => void found.push({ address, isStack: false });
  const stack = (address: bigint): void => void found.push({ address, isStack: true });

  for (const { kind } of i.operands) {
    if (kind === 'X') data(inSegment(register(rsi)));
    else if (kind === 'Y') data(i.addressSize === 8 ? register(rdi) : register(rdi) & mask32);
    else if (kind === 'M' || kind === 'O' || ('EQW'.includes(kind) && i.mod !== 3)) {
      let sum = BigInt(i.displacementHigh) * 0x1_0000_0000n + BigInt(i.displacement >>> 0);
      if (i.base >= 0) sum += register(i.base);
      if (i.index >= 0) sum += register(i.index) << BigInt(i.scale);
      // bt, bts, btr and btc with the bit's number in a register reach any distance.
      if (mnemonic.startsWith('bt') && i.operands[1].kind === 'G') {
        const size = i.operandSize;
        sum += (BigInt.asIntN(8 * size, register(i.reg)) >> BigInt(Math.log2(8 * size))) * BigInt(size);
      }
      if (mnemonic === 'lea' || mnemonic === 'nop' || mnemonic.startsWith('prefetch')) continue;
      found.push({ address: inSegment(sum), isStack: segment < 0 && (i.base === rsp || i.base === rbp) });
    }
  }
  if (pushes.test(mnemonic)) stack(register(rsp) - BigInt(i.operandSize));
  else if (pops.test(mnemonic)) stack(register(rsp));
  else if (mnemonic === 'leave') stack(register(rbp));
  else if (mnemonic.startsWith('xlat')) data(inSegment(register(rbx) + (register(rax) & 0xffn)));
  else if (mnemonic.startsWith('maskmov')) data(inSegment(register(rdi)));
  return found;
}
