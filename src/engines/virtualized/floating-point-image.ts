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

export class FloatingPointImage {
  /** Struct kvm_xsave. */
  readonly bytes = new Uint8Array(size);
  private readonly image = this.bytes.subarray(0, fxsaveSize);

  /** Fills `bytes` from the state block. */
  load(state: State): void {
    writeFxsave(state, this.image);
    this.bytes[partsAt] |= x87AndSse;
  }

  /** Writes the state block from `bytes`. */
  store(state: State): void {
    readFxsave(state, this.image);
  }
}
