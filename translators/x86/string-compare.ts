/** pcmpestri, pcmpestrm, pcmpistri and pcmpistrm (Intel SDM volume 2, section 4.1). */

/** Bits of the result: the comparison's mask in the lowest 16, the index, and flags. */
export const comparison = { index: 16, carry: 1 << 24, zero: 1 << 25, sign: 1 << 26, overflow: 1 << 27 } as const;

/** Above the immediate: the strings' own ends give their lengths. */
export const implicit = 0x100;

const words = new Int32Array(8);
const bytes = new Uint8Array(words.buffer);
const firstBytes = bytes.subarray(0, 16);
const secondBytes = bytes.subarray(16);
/** Elements of the strings that are compared. */
const firstElements = new Int32Array(16);
const secondElements = new Int32Array(16);

/** Elements of a vector of four words: unsigned or signed bytes or halfwords by bits 0 and 1 of the immediate. */
function spread(into: Int32Array, from: number, immediate: number): void {
  const isSigned = (immediate & 2) !== 0;
  if ((immediate & 1) !== 0) {
    for (let at = 0; at < 8; at++) {
      const value = bytes[from + 2 * at] | (bytes[from + 2 * at + 1] << 8);
      into[at] = isSigned ? (value << 16) >> 16 : value;
    }
  } else {
    for (let at = 0; at < 16; at++) into[at] = isSigned ? (bytes[from + at] << 24) >> 24 : bytes[from + at];
  }
}

/** Whether an immediate says to look for bytes of the second string in the set that the first one is (strcspn, strpbrk, strtok). */
const isAnyByte = (immediate: number): boolean => (immediate & 0b1101) === 0;

/** A bit for each byte that belongs to the set. */
const members = new Int32Array(8);

/** The mask of those bytes of the second string that the first one has. */
function findMembers(aEnd: number, bEnd: number): number {
  members.fill(0);
  for (let i = 0; i < aEnd; i++) members[firstBytes[i] >> 5] |= 1 << (firstBytes[i] & 31);
  let found = 0;
  for (let at = 0; at < bEnd; at++) {
    const byte = secondBytes[at];
    found |= ((members[byte >> 5] >>> (byte & 31)) & 1) << at;
  }
  return found;
}

function lengthOf(elements: Int32Array | Uint8Array, count: number, length: number, immediate: number): number {
  if ((immediate & implicit) === 0) return Math.min(Math.abs(length), count);
  let end = 0;
  while (end < count && elements[end] !== 0) end++;
  return end;
}

/** The mask of those elements of the second string for which the comparison holds. */
function findAll(aEnd: number, bEnd: number, count: number, immediate: number): number {
  let found = 0;
  for (let at = 0; at < count; at++) if (holdsAt(at, aEnd, bEnd, count, immediate)) found |= 1 << at;
  return found;
}

/** Whether the comparison that bits 2 and 3 of the immediate name holds for an element of the second string. */
function holdsAt(at: number, aEnd: number, bEnd: number, count: number, immediate: number): boolean {
  const a = firstElements;
  const b = secondElements;
  switch ((immediate >> 2) & 3) {
    case 0:
      if (at >= bEnd) return false;
      for (let i = 0; i < aEnd; i++) if (a[i] === b[at]) return true;
      return false;
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
}

/**
 * Compares elements as the immediate says: any of a set, ranges, each with each, substring.
 * @param from has both vectors, four words each, at `first` and `second`
 * @param immediate the instruction's, and `implicit`
 * @param firstLength in elements, its absolute value counts
 * @returns bits of `comparison`
 */
export function compareStrings(
  from: Int32Array,
  first: number,
  second: number,
  immediate: number,
  firstLength: number,
  secondLength: number,
): number {
  for (let n = 0; n < 4; n++) {
    words[n] = from[first + n];
    words[4 + n] = from[second + n];
  }
  const count = (immediate & 1) !== 0 ? 8 : 16;
  const isSet = isAnyByte(immediate);
  if (!isSet) {
    spread(firstElements, 0, immediate);
    spread(secondElements, 16, immediate);
  }
  const aEnd = lengthOf(isSet ? firstBytes : firstElements, count, firstLength, immediate);
  const bEnd = lengthOf(isSet ? secondBytes : secondElements, count, secondLength, immediate);
  let found = isSet ? findMembers(aEnd, bEnd) : findAll(aEnd, bEnd, count, immediate);
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
