/** pcmpestri, pcmpestrm, pcmpistri and pcmpistrm (Intel SDM volume 2, section 4.1). */

/** Bits of the result: the comparison's mask in the lowest 16, the index, and flags. */
export const comparison = { index: 16, carry: 1 << 24, zero: 1 << 25, sign: 1 << 26, overflow: 1 << 27 } as const;

/** Above the immediate: the strings' own ends give their lengths. */
export const implicit = 0x100;

/** Elements of a vector: unsigned or signed bytes or halfwords by bits 0 and 1 of the immediate. */
function elementsOf(bytes: Uint8Array, immediate: number): number[] {
  const isWide = (immediate & 1) !== 0;
  const isSigned = (immediate & 2) !== 0;
  return Array.from({ length: isWide ? 8 : 16 }, (_, at) => {
    const value = isWide ? bytes[2 * at] | (bytes[2 * at + 1] << 8) : bytes[at];
    if (!isSigned) return value;
    return isWide ? (value << 16) >> 16 : (value << 24) >> 24;
  });
}

function lengthOf(elements: readonly number[], length: number, immediate: number): number {
  if ((immediate & implicit) !== 0) {
    const end = elements.indexOf(0);
    return end < 0 ? elements.length : end;
  }
  return Math.min(Math.abs(length), elements.length);
}

/**
 * Compares elements as the immediate says: any of a set, ranges, each with each, substring.
 * @param immediate the instruction's, and `implicit`
 * @param firstLength in elements, its absolute value counts
 * @returns bits of `comparison`
 */
export function compareStrings(
  first: Uint8Array,
  second: Uint8Array,
  immediate: number,
  firstLength: number,
  secondLength: number,
): number {
  const a = elementsOf(first, immediate);
  const b = elementsOf(second, immediate);
  const count = a.length;
  const [aEnd, bEnd] = [lengthOf(a, firstLength, immediate), lengthOf(b, secondLength, immediate)];
  const isAt = (at: number): boolean => {
    switch ((immediate >> 2) & 3) {
      case 0:
        return at < bEnd && a.slice(0, aEnd).includes(b[at]);
      case 1:
        if (at >= bEnd) return false;
        for (let i = 0; i + 1 < aEnd; i += 2) if (a[i] <= b[at] && b[at] <= a[i + 1]) return true;
        return false;
      case 2:
        // Beyond both ends elements count as equal.
        return at < aEnd && at < bEnd ? a[at] === b[at] : at >= aEnd && at >= bEnd;
      default:
        for (let i = 0; i < aEnd && at + i < count; i++) if (at + i >= bEnd || a[i] !== b[at + i]) return false;
        return true;
    }
  };
  let found = 0;
  for (let at = 0; at < count; at++) if (isAt(at)) found |= 1 << at;
  if ((immediate & 0x10) !== 0) {
    // All bits inverted, or only those of elements that the second string has.
    found ^= (1 << ((immediate & 0x20) !== 0 ? bEnd : count)) - 1;
  }
  let index = count;
  if (found !== 0) index = (immediate & 0x40) !== 0 ? 31 - Math.clz32(found) : 31 - Math.clz32(found & -found);
  let result = found | (index << comparison.index);
  if (found !== 0) result |= comparison.carry;
  if (bEnd < count) result |= comparison.zero;
  if (aEnd < count) result |= comparison.sign;
  if ((found & 1) !== 0) result |= comparison.overflow;
  return result;
}
