/**
 * The floating-point registers as KVM hands them over: struct kvm_xsave, an XSAVE area, whose first part is an FXSAVE
 * image (SDM volume 1, section 13.4). The rest, of registers that guests are not told of, goes back as it came.
 */
import type { State } from '../../../translators/ir/state.ts';
import { fxsaveSize, readFxsave, writeFxsave } from '../../../translators/x86/state-image.ts';

/** Bytes of struct kvm_xsave. */
const size = 4096;
/** Where the area tells which parts of it count, and the bits of x87 and SSE. */
const partsAt = 512;
const x87AndSse = 3;

/** Places in the image: control word, status word, MXCSR. */
const at = { control: 0, status: 2, mxcsr: 24 } as const;
/** Exceptions in status and control words, and in MXCSR, where their masks are 7 bits higher. */
const exceptionBits = 0x3f;
const maskShift = 7;
/** Where an exit's detail has those of MXCSR (src/linux/exceptions-x86.ts). */
const simdShift = 16;

export class FloatingPointImage {
  /** Struct kvm_xsave. */
  readonly bytes = new Uint8Array(size);
  private readonly image = this.bytes.subarray(0, fxsaveSize);
  private readonly view = new DataView(this.bytes.buffer);

  /** Fills `bytes` from the state block. */
  load(state: State): void {
    writeFxsave(state, this.image);
    this.bytes[partsAt] |= x87AndSse;
  }

  /** Writes the state block from `bytes`. */
  store(state: State): void {
    readFxsave(state, this.image);
  }

  /** The exceptions that `bytes` has and does not mask: an exit's detail. */
  raised(isSimd: boolean): number {
    if (isSimd) {
      const mxcsr = this.view.getUint32(at.mxcsr, true);
      return (mxcsr & ~(mxcsr >> maskShift) & exceptionBits) << simdShift;
    }
    return this.view.getUint16(at.status, true) & ~this.view.getUint16(at.control, true) & exceptionBits;
  }
}
