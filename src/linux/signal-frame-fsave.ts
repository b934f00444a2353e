/**
 * The image of FSAVE that stands in front of that of FXSAVE in frames of i386 (struct fregs_state; convert_from_fxsr and
 * convert_to_fxsr in arch/x86/kernel/fpu/regset.c). Programs change x87 registers here.
 */

/** Bytes of the image with the status word and the mark that follow it. */
export const fsaveSize = 112;

/** Offsets in the image, and in that of FXSAVE behind it. */
const at = {
  control: 0,
  status: 4,
  tags: 8,
  instruction: 12,
  code: 16,
  data: 20,
  dataSegment: 24,
  st: 28,
  statusAgain: 108,
} as const;
const fx = { control: 0, status: 2, tags: 4, opcode: 6, instruction: 8, data: 16, st: 32 } as const;
const registerSize = { here: 10, there: 16 } as const;

/** Upper halves of the words that hold 16 bits. */
const upper = 0xffff0000 | 0;
const tag = { valid: 0, zero: 1, special: 2, empty: 3 } as const;
const userCode = 0x23;
const userData = 0x2b;

/** The tag of a register's contents, by its significand's upper word and its exponent. */
function tagOf(view: DataView, register: number): number {
  const low = view.getUint32(register, true);
  const high = view.getUint32(register + 4, true);
  const exponent = view.getUint16(register + 8, true) & 0x7fff;
  if (exponent === 0x7fff) return tag.special;
  if (exponent === 0) return low === 0 && high === 0 ? tag.zero : tag.special;
  return high >>> 31 === 1 ? tag.valid : tag.special;
}

/** Fills the FSAVE image at the start of `floats` from the FXSAVE image behind it. */
export function writeFsave(floats: Uint8Array): void {
  const view = new DataView(floats.buffer, floats.byteOffset, floats.length);
  const there = (offset: number): number => view.getUint16(fsaveSize + offset, true);
  const status = there(fx.status);
  const top = (status >> 11) & 7;
  let tags = upper;
  for (let physical = 0; physical < 8; physical++) {
    const isUsed = ((there(fx.tags) >> physical) & 1) === 1;
    const register = fsaveSize + fx.st + ((physical - top) & 7) * registerSize.there;
    tags |= (isUsed ? tagOf(view, register) : tag.empty) << (2 * physical);
  }
  view.setInt32(at.control, there(fx.control) | upper, true);
  view.setInt32(at.status, status | upper, true);
  view.setInt32(at.tags, tags, true);
  view.setUint32(at.instruction, view.getUint32(fsaveSize + fx.instruction, true), true);
  view.setInt32(at.code, userCode, true);
  view.setUint32(at.data, view.getUint32(fsaveSize + fx.data, true), true);
  view.setInt32(at.dataSegment, userData | upper, true);
  for (let n = 0; n < 8; n++) {
    const from = fsaveSize + fx.st + n * registerSize.there;
    floats.copyWithin(at.st + n * registerSize.here, from, from + registerSize.here);
  }
  view.setUint16(at.statusAgain, status, true);
}

/** Puts what the FSAVE image says of the x87 registers into the FXSAVE image behind it. */
export function readFsave(floats: Uint8Array): void {
  const view = new DataView(floats.buffer, floats.byteOffset, floats.length);
  const put = (offset: number, value: number): void => view.setUint16(fsaveSize + offset, value, true);
  put(fx.control, view.getUint16(at.control, true));
  put(fx.status, view.getUint16(at.status, true));
  const tags = view.getUint16(at.tags, true);
  let used = 0;
  for (let physical = 0; physical < 8; physical++) {
    if (((tags >> (2 * physical)) & 3) !== tag.empty) used |= 1 << physical;
  }
  put(fx.tags, used);
  put(fx.opcode, view.getUint16(at.code + 2, true));
  view.setUint32(fsaveSize + fx.instruction, view.getUint32(at.instruction, true), true);
  view.setUint32(fsaveSize + fx.data, view.getUint32(at.data, true), true);
  for (let n = 0; n < 8; n++) {
    const from = at.st + n * registerSize.here;
    floats.copyWithin(fsaveSize + fx.st + n * registerSize.there, from, from + registerSize.here);
  }
}
