/** The fused multiply-add: the processor's own where WebAssembly gives it to us, else exact software. */
import { productError, sumError } from './errors.ts';
import { double, fmaExact, rounding } from './exact.ts';

const productFloor = 2 ** -960;

/** a * b + c, rounded once, in plain double arithmetic. */
export function fmaSoftware(a: number, b: number, c: number): number {
  const product = a * b;
  if (!(Math.abs(product) > productFloor)) return fmaExtreme(a, b, c, product);
  // a * b + c = sum + tail but for a rest far below the last bit of sum.
  const low = productError(a, b, product);
  const sum = product + c;
  const high = sumError(product, c, sum);
  const tail = high + low;
  const result = sum + tail;
  // The rest matters only where sum + tail is midway between two doubles: result and its neighbour.
  const step = 2 * (sum - result + tail);
  const neighbour = result + step;
  if (neighbour - result === step && step !== 0) {
    const rest = sumError(high, low, tail);
    return rest !== 0 && rest > 0 === step > 0 ? neighbour : result;
  }
  // Whatever overflowed on the way has made the result infinite or a NaN.
  return Math.abs(result) < Infinity ? result : fmaExtreme(a, b, c, product);
}

/** fma where a step of the fast path could overflow, underflow or meet an infinity or a NaN. */
function fmaExtreme(a: number, b: number, c: number, product: number): number {
  if (a === 0 || b === 0 || !Number.isFinite(a) || !Number.isFinite(b)) return product + c;
  // The product may have overflowed only as a double: an infinity or a NaN is c.
  if (!Number.isFinite(c)) return c;
  // A product far below the last bit of c cannot move c.
  if (Math.abs(product) <= productFloor && Math.abs(c) > 2 ** -800) return c;
  return fmaExact(a, b, c, double, rounding.nearest);
}

/**
 * (module (func (export "fma") (param f64 f64 f64) (result f64)
 *   (f64x2.extract_lane 0 (f64x2.relaxed_madd
 *     (f64x2.splat (local.get 0)) (f64x2.splat (local.get 1)) (f64x2.splat (local.get 2))))))
 */
// biome-ignore format: one section per line
const fmaModule = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7c, 0x7c, 0x7c, 0x01, 0x7c,
  0x03, 0x02, 0x01, 0x00,
  0x07, 0x07, 0x01, 0x03, 0x66, 0x6d, 0x61, 0x00, 0x00,
  0x0a, 0x16, 0x01, 0x14, 0x00,
  0x20, 0x00, 0xfd, 0x14, 0x20, 0x01, 0xfd, 0x14, 0x20, 0x02, 0xfd, 0x14, 0xfd, 0x87, 0x02, 0xfd, 0x21, 0x00, 0x0b,
]);

type Fma = (a: number, b: number, c: number) => number;

/** The part of the WebAssembly interface that is needed; the language's library types do not have it. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: { readonly fma: Fma } };
};

/**
 * The host's fused multiply-add, or undefined: relaxed SIMD may be missing, and where the processor has no
 * FMA relaxed_madd rounds twice. Making it takes about 0.15 ms.
 */
export function hostFma(): Fma | undefined {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(fmaModule)) return undefined;
  const candidate = new WebAssembly.Instance(new WebAssembly.Module(fmaModule)).exports.fma;
  // Rounded twice this is 0: the last bit of the square lies beyond a double.
  return candidate(1 + 2 ** -52, 1 + 2 ** -52, -1 - 2 ** -51) === 2 ** -104 ? candidate : undefined;
}

/**
 * a * b + c, rounded once. A constant, so that optimized code calls WebAssembly without a wrapper (bench/fma.ts:
 * 5 to 8 ns a call; 40 where the call site has seen other callees or is not optimized yet; software 10 to 25).
 */
export const fma: Fma = hostFma() ?? fmaSoftware;
