/** Which floating-point exception stopped a guest on the processor itself, from its FXSAVE image. */

/** Places in the image: control word, status word, MXCSR. */
const at = { control: 0, status: 2, mxcsr: 24 } as const;
/** Exceptions in status and control words, and in MXCSR, where their masks are 7 bits higher. */
const exceptionBits = 0x3f;
const maskShift = 7;
/** Where an exit's detail has those of MXCSR (src/linux/exceptions-x86.ts). */
const simdShift = 16;

/** The exceptions that there are and that are not masked, as an exit's detail has them: those of x87 if there are any. */
export function raisedExceptions(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const x87 = view.getUint16(at.status, true) & ~view.getUint16(at.control, true) & exceptionBits;
  if (x87 !== 0) return x87;
  const mxcsr = view.getUint32(at.mxcsr, true);
  return (mxcsr & ~(mxcsr >> maskShift) & exceptionBits) << simdShift;
}
