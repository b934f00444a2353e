/** Loads, stores, reservations and cache management. */
import { type Builder, op, type Value } from '../ir/builder.ts';
import { cacheBlockSize, callHelper, helperNumber } from './helpers.ts';
import { baseOrZero, indexedAddress, type Lift, RA, RB, type Row, RT, SI } from './instruction.ts';
import { cr, fpr, reserveAddress, reserveValue, so } from './registers.ts';

const load8 = op.load8_u;
const load16 = op.load16_u;
const load32 = op.load32;
const store8 = op.store8;
const store16 = op.store16;
const store32 = op.store32;
const storeDouble = op['store64.f64'];
const lowHalf = op['f64.low'];
const fromHalves = op['f64.from_halves'];

// -- one access. `bank` is the number of the first register of the file that is moved: 0 or fpr.

const load =
  (code: number, bank = 0): Lift =>
  (b, word) =>
    b.set(bank + RT(word), b.load(code, baseOrZero(b, word), SI(word)));

const loadIndexed =
  (code: number, bank = 0, reversed = false): Lift =>
  (b, word) =>
    b.set(bank + RT(word), b.load(code, indexedAddress(b, word), 0, reversed));

const store =
  (code: number, bank = 0): Lift =>
  (b, word) =>
    b.store(code, baseOrZero(b, word), SI(word), b.get(bank + RT(word)));

const storeIndexed =
  (code: number, bank = 0, reversed = false): Lift =>
  (b, word) =>
    b.store(code, indexedAddress(b, word), 0, b.get(bank + RT(word)), reversed);

/** The base register of an update form takes the address, after the access. It must be one, and not what a load overwrites. */
const updates = (word: number, target: number): boolean => RA(word) !== 0 && RA(word) !== target;

const updatedAddress = (b: Builder, word: number, indexed: boolean): Value =>
  b.add(b.get(RA(word)), indexed ? b.get(RB(word)) : b.constant(SI(word)));

const loadUpdate =
  (code: number, indexed: boolean, bank = 0): Lift =>
  (b, word) => {
    const target = bank + RT(word);
    if (!updates(word, target)) {
      b.exit('illegal');
      return;
    }
    const address = updatedAddress(b, word, indexed);
    const value = b.load(code, address);
    b.set(RA(word), address);
    b.set(target, value);
  };

const storeUpdate =
  (code: number, indexed: boolean, bank = 0): Lift =>
  (b, word) => {
    if (!updates(word, -1)) {
      b.exit('illegal');
      return;
    }
    const address = updatedAddress(b, word, indexed);
    b.store(code, address, 0, b.get(bank + RT(word)));
    b.set(RA(word), address);
  };

/** stfiwx: the low word of a floating-point register. */
const stfiwx: Lift = (b, word) => b.store(store32, indexedAddress(b, word), 0, b.unary(lowHalf, b.get(fpr + RT(word))));

const lfiwax: Lift = (b, word) => {
  const low = b.load(load32, indexedAddress(b, word));
  b.set(fpr + RT(word), b.binary(fromHalves, low, b.shrS(low, b.constant(31))));
};

const lfiwzx: Lift = (b, word) =>
  b.set(fpr + RT(word), b.binary(fromHalves, b.load(load32, indexedAddress(b, word)), b.constant(0)));

// -- many words. The whole range is checked first: no register or byte changes when a part of it faults.

const lmw: Lift = (b, word) => {
  const base = baseOrZero(b, word);
  const first = RT(word);
  if (first < 31) b.check(base, SI(word), 4 * (32 - first), 1);
  const values: Value[] = [];
  for (let i = first; i < 32; i++) values.push(b.load(load32, base, SI(word) + 4 * (i - first)));
  for (let i = first; i < 32; i++) b.set(i, values[i - first]);
};

const stmw: Lift = (b, word) => {
  const base = baseOrZero(b, word);
  const first = RT(word);
  if (first < 31) b.check(base, SI(word), 4 * (32 - first), 2);
  for (let i = first; i < 32; i++) b.store(store32, base, SI(word) + 4 * (i - first), b.get(i));
};

/** Bytes that lswi and stswi move: the field RB, in which 0 stands for 32. */
const immediateCount = (word: number): number => RB(word) || 32;

const lswi: Lift = (b, word) => {
  const base = baseOrZero(b, word);
  const count = immediateCount(word);
  b.check(base, 0, count, 1);
  const values: Value[] = [];
  for (let at = 0; at < count; at += 4) {
    const rest = count - at;
    if (rest >= 4) values.push(b.load(load32, base, at));
    else if (rest === 1) values.push(b.shl(b.load(load8, base, at), b.constant(24)));
    else {
      const high = b.shl(b.load(load16, base, at), b.constant(16));
      values.push(rest === 2 ? high : b.or(high, b.shl(b.load(load8, base, at + 2), b.constant(8))));
    }
  }
  for (let i = 0; i < values.length; i++) b.set((RT(word) + i) & 31, values[i]);
};

const stswi: Lift = (b, word) => {
  const base = baseOrZero(b, word);
  const count = immediateCount(word);
  b.check(base, 0, count, 2);
  for (let at = 0; at < count; at += 4) {
    const value = b.get((RT(word) + (at >> 2)) & 31);
    const rest = count - at;
    if (rest >= 4) b.store(store32, base, at, value);
    else if (rest === 1) b.store(store8, base, at, b.shrU(value, b.constant(24)));
    else {
      b.store(store16, base, at, b.shrU(value, b.constant(16)));
      if (rest === 3) b.store(store8, base, at + 2, b.shrU(value, b.constant(8)));
    }
  }
};

// The count of the indexed forms is known only when they run.
const loadString = helperNumber('lswx');
const storeString = helperNumber('stswx');
const lswx: Lift = (b, word) => {
  callHelper(b, loadString, indexedAddress(b, word), b.constant(RT(word)));
};
const stswx: Lift = (b, word) => {
  callHelper(b, storeString, indexedAddress(b, word), b.constant(RT(word)));
};

// -- reservations: the address, and the aligned word found there. A store-conditional is a
// compare-exchange of that word, so other threads' stores of another value between are noticed.

/** Bits that the value at `address` lies above the low end of its aligned word; `bytes` is its size. */
const position = (b: Builder, address: Value, bytes: number): Value =>
  b.shl(b.and(b.xor(address, b.constant(4 - bytes)), b.constant(3)), b.constant(3));

const aligned = (b: Builder, address: Value): Value => b.and(address, b.constant(~3));

function requireAlignment(b: Builder, address: Value, bytes: number): void {
  if (bytes > 1) b.exitIf(b.and(address, b.constant(bytes - 1)), 'misaligned');
}

const loadReserve =
  (bytes: 1 | 2 | 4): Lift =>
  (b, word) => {
    const address = indexedAddress(b, word);
    requireAlignment(b, address, bytes);
    const found = b.load(load32, bytes === 4 ? address : aligned(b, address));
    b.set(reserveAddress, address);
    b.set(reserveValue, found);
    if (bytes === 4) b.set(RT(word), found);
    else {
      const mask = b.constant(bytes === 1 ? 0xff : 0xffff);
      b.set(RT(word), b.and(b.shrU(found, position(b, address, bytes)), mask));
    }
  };

const storeConditional =
  (bytes: 1 | 2 | 4): Lift =>
  (b, word) => {
    const address = indexedAddress(b, word);
    requireAlignment(b, address, bytes);
    const expected = b.get(reserveValue);
    let replacement = b.get(RT(word));
    if (bytes !== 4) {
      const shift = position(b, address, bytes);
      const mask = b.constant(bytes === 1 ? 0xff : 0xffff);
      const others = b.and(expected, b.not(b.shl(mask, shift)));
      replacement = b.or(others, b.shl(b.and(replacement, mask), shift));
    }
    // Without the reservation the word is exchanged for itself.
    const reserved = b.eq(b.get(reserveAddress), address);
    const found = b.compareExchange(
      bytes === 4 ? address : aligned(b, address),
      expected,
      b.select(reserved, replacement, expected),
    );
    b.set(reserveAddress, b.constant(-1));
    b.set(cr, b.constant(0));
    b.set(cr + 1, b.constant(0));
    b.set(cr + 2, b.and(reserved, b.eq(found, expected)));
    b.set(cr + 3, b.get(so));
  };

// -- caches

const blockAddress = (b: Builder, word: number): Value => b.and(indexedAddress(b, word), b.constant(-cacheBlockSize));

/** Clears a cache block. The block lies in one page, so either its first store faults or none does. */
const dcbz: Lift = (b, word) => {
  const address = blockAddress(b, word);
  const zero = b.constantF64(0, 0);
  for (let at = 0; at < cacheBlockSize; at += 8) b.store(storeDouble, address, at, zero);
};

/** Memory is always up to date; what is left of the instruction is that it faults as a load does. */
const touch: Lift = (b, word) => b.check(indexedAddress(b, word), 0, 1, 1);

const nothing: Lift = () => {};

const invalidate = helperNumber('icbi');
/** Ends the block through the table of translations, where the stale ones no longer are. */
const icbi: Lift = (b, word) => {
  const address = blockAddress(b, word);
  b.check(address, 0, 1, 1);
  callHelper(b, invalidate, address);
  b.jumpIndirect(b.constant(b.pc + 4));
};

// biome-ignore format: one row per line
export const memoryRows: readonly Row[] = [
  ['lbz',    '100010 ttttt aaaaa dddddddddddddddd',      'rt,d(ra0)',    'I 3.3.2', load(op.load8_u)],
  ['lbzx',   '011111 ttttt aaaaa bbbbb 0001010111 -',    'rt,ra0,rb',    'I 3.3.2', loadIndexed(op.load8_u)],
  ['lbzu',   '100011 ttttt aaaaa dddddddddddddddd',      'rt,d(ra)',     'I 3.3.2', loadUpdate(op.load8_u, false)],
  ['lbzux',  '011111 ttttt aaaaa bbbbb 0001110111 -',    'rt,ra,rb',     'I 3.3.2', loadUpdate(op.load8_u, true)],
  ['lhz',    '101000 ttttt aaaaa dddddddddddddddd',      'rt,d(ra0)',    'I 3.3.2', load(op.load16_u)],
  ['lhzx',   '011111 ttttt aaaaa bbbbb 0100010111 -',    'rt,ra0,rb',    'I 3.3.2', loadIndexed(op.load16_u)],
  ['lhzu',   '101001 ttttt aaaaa dddddddddddddddd',      'rt,d(ra)',     'I 3.3.2', loadUpdate(op.load16_u, false)],
  ['lhzux',  '011111 ttttt aaaaa bbbbb 0100110111 -',    'rt,ra,rb',     'I 3.3.2', loadUpdate(op.load16_u, true)],
  ['lha',    '101010 ttttt aaaaa dddddddddddddddd',      'rt,d(ra0)',    'I 3.3.2', load(op.load16_s)],
  ['lhax',   '011111 ttttt aaaaa bbbbb 0101010111 -',    'rt,ra0,rb',    'I 3.3.2', loadIndexed(op.load16_s)],
  ['lhau',   '101011 ttttt aaaaa dddddddddddddddd',      'rt,d(ra)',     'I 3.3.2', loadUpdate(op.load16_s, false)],
  ['lhaux',  '011111 ttttt aaaaa bbbbb 0101110111 -',    'rt,ra,rb',     'I 3.3.2', loadUpdate(op.load16_s, true)],
  ['lwz',    '100000 ttttt aaaaa dddddddddddddddd',      'rt,d(ra0)',    'I 3.3.2', load(op.load32)],
  ['lwzx',   '011111 ttttt aaaaa bbbbb 0000010111 -',    'rt,ra0,rb',    'I 3.3.2', loadIndexed(op.load32)],
  ['lwzu',   '100001 ttttt aaaaa dddddddddddddddd',      'rt,d(ra)',     'I 3.3.2', loadUpdate(op.load32, false)],
  ['lwzux',  '011111 ttttt aaaaa bbbbb 0000110111 -',    'rt,ra,rb',     'I 3.3.2', loadUpdate(op.load32, true)],
  ['stb',    '100110 sssss aaaaa dddddddddddddddd',      'rs,d(ra0)',    'I 3.3.3', store(op.store8)],
  ['stbx',   '011111 sssss aaaaa bbbbb 0011010111 -',    'rs,ra0,rb',    'I 3.3.3', storeIndexed(op.store8)],
  ['stbu',   '100111 sssss aaaaa dddddddddddddddd',      'rs,d(ra)',     'I 3.3.3', storeUpdate(op.store8, false)],
  ['stbux',  '011111 sssss aaaaa bbbbb 0011110111 -',    'rs,ra,rb',     'I 3.3.3', storeUpdate(op.store8, true)],
  ['sth',    '101100 sssss aaaaa dddddddddddddddd',      'rs,d(ra0)',    'I 3.3.3', store(op.store16)],
  ['sthx',   '011111 sssss aaaaa bbbbb 0110010111 -',    'rs,ra0,rb',    'I 3.3.3', storeIndexed(op.store16)],
  ['sthu',   '101101 sssss aaaaa dddddddddddddddd',      'rs,d(ra)',     'I 3.3.3', storeUpdate(op.store16, false)],
  ['sthux',  '011111 sssss aaaaa bbbbb 0110110111 -',    'rs,ra,rb',     'I 3.3.3', storeUpdate(op.store16, true)],
  ['stw',    '100100 sssss aaaaa dddddddddddddddd',      'rs,d(ra0)',    'I 3.3.3', store(op.store32)],
  ['stwx',   '011111 sssss aaaaa bbbbb 0010010111 -',    'rs,ra0,rb',    'I 3.3.3', storeIndexed(op.store32)],
  ['stwu',   '100101 sssss aaaaa dddddddddddddddd',      'rs,d(ra)',     'I 3.3.3', storeUpdate(op.store32, false)],
  ['stwux',  '011111 sssss aaaaa bbbbb 0010110111 -',    'rs,ra,rb',     'I 3.3.3', storeUpdate(op.store32, true)],
  ['lhbrx',  '011111 ttttt aaaaa bbbbb 1100010110 -',    'rt,ra0,rb',    'I 3.3.5', loadIndexed(op.load16_u, 0, true)],
  ['lwbrx',  '011111 ttttt aaaaa bbbbb 1000010110 -',    'rt,ra0,rb',    'I 3.3.5', loadIndexed(op.load32, 0, true)],
  ['sthbrx', '011111 sssss aaaaa bbbbb 1110010110 -',    'rs,ra0,rb',    'I 3.3.5', storeIndexed(op.store16, 0, true)],
  ['stwbrx', '011111 sssss aaaaa bbbbb 1010010110 -',    'rs,ra0,rb',    'I 3.3.5', storeIndexed(op.store32, 0, true)],
  ['lmw',    '101110 ttttt aaaaa dddddddddddddddd',      'rt,d(ra0)',    'I 3.3.6', lmw],
  ['stmw',   '101111 sssss aaaaa dddddddddddddddd',      'rs,d(ra0)',    'I 3.3.6', stmw],
  ['lswi',   '011111 ttttt aaaaa nnnnn 1001010101 -',    'rt,ra0,nb',    'I 3.3.7', lswi],
  ['lswx',   '011111 ttttt aaaaa bbbbb 1000010101 -',    'rt,ra0,rb',    'I 3.3.7', lswx],
  ['stswi',  '011111 sssss aaaaa nnnnn 1011010101 -',    'rs,ra0,nb',    'I 3.3.7', stswi],
  ['stswx',  '011111 sssss aaaaa bbbbb 1010010101 -',    'rs,ra0,rb',    'I 3.3.7', stswx],
  ['lfs',    '110000 ttttt aaaaa dddddddddddddddd',      'frt,d(ra0)',   'I 4.6.2', load(op['load32.f64'], fpr)],
  ['lfsx',   '011111 ttttt aaaaa bbbbb 1000010111 -',    'frt,ra0,rb',   'I 4.6.2', loadIndexed(op['load32.f64'], fpr)],
  ['lfsu',   '110001 ttttt aaaaa dddddddddddddddd',      'frt,d(ra)',    'I 4.6.2', loadUpdate(op['load32.f64'], false, fpr)],
  ['lfsux',  '011111 ttttt aaaaa bbbbb 1000110111 -',    'frt,ra,rb',    'I 4.6.2', loadUpdate(op['load32.f64'], true, fpr)],
  ['lfd',    '110010 ttttt aaaaa dddddddddddddddd',      'frt,d(ra0)',   'I 4.6.2', load(op['load64.f64'], fpr)],
  ['lfdx',   '011111 ttttt aaaaa bbbbb 1001010111 -',    'frt,ra0,rb',   'I 4.6.2', loadIndexed(op['load64.f64'], fpr)],
  ['lfdu',   '110011 ttttt aaaaa dddddddddddddddd',      'frt,d(ra)',    'I 4.6.2', loadUpdate(op['load64.f64'], false, fpr)],
  ['lfdux',  '011111 ttttt aaaaa bbbbb 1001110111 -',    'frt,ra,rb',    'I 4.6.2', loadUpdate(op['load64.f64'], true, fpr)],
  ['lfiwax', '011111 ttttt aaaaa bbbbb 1101010111 -',    'frt,ra0,rb',   'I 4.6.2', lfiwax],
  ['lfiwzx', '011111 ttttt aaaaa bbbbb 1101110111 -',    'frt,ra0,rb',   'I 4.6.2', lfiwzx],
  ['stfs',   '110100 sssss aaaaa dddddddddddddddd',      'frt,d(ra0)',   'I 4.6.3', store(op['store32.f64'], fpr)],
  ['stfsx',  '011111 sssss aaaaa bbbbb 1010010111 -',    'frt,ra0,rb',   'I 4.6.3', storeIndexed(op['store32.f64'], fpr)],
  ['stfsu',  '110101 sssss aaaaa dddddddddddddddd',      'frt,d(ra)',    'I 4.6.3', storeUpdate(op['store32.f64'], false, fpr)],
  ['stfsux', '011111 sssss aaaaa bbbbb 1010110111 -',    'frt,ra,rb',    'I 4.6.3', storeUpdate(op['store32.f64'], true, fpr)],
  ['stfd',   '110110 sssss aaaaa dddddddddddddddd',      'frt,d(ra0)',   'I 4.6.3', store(op['store64.f64'], fpr)],
  ['stfdx',  '011111 sssss aaaaa bbbbb 1011010111 -',    'frt,ra0,rb',   'I 4.6.3', storeIndexed(op['store64.f64'], fpr)],
  ['stfdu',  '110111 sssss aaaaa dddddddddddddddd',      'frt,d(ra)',    'I 4.6.3', storeUpdate(op['store64.f64'], false, fpr)],
  ['stfdux', '011111 sssss aaaaa bbbbb 1011110111 -',    'frt,ra,rb',    'I 4.6.3', storeUpdate(op['store64.f64'], true, fpr)],
  ['stfiwx', '011111 sssss aaaaa bbbbb 1111010111 -',    'frt,ra0,rb',   'I 4.6.3', stfiwx],
  ['icbi',   '011111 ----- aaaaa bbbbb 1111010110 -',    'ra0,rb',       'II 4.3.1', icbi],
  ['dcba',   '011111 ----- aaaaa bbbbb 1011110110 -',    'ra0,rb',       'PEM 4.3.3', nothing],
  ['dcbt',   '011111 ----- aaaaa bbbbb 0100010110 -',    'ra0,rb',       'II 4.3.2', nothing],
  ['dcbtst', '011111 ----- aaaaa bbbbb 0011110110 -',    'ra0,rb',       'II 4.3.2', nothing],
  ['dcbz',   '011111 ----- aaaaa bbbbb 1111110110 -',    'ra0,rb',       'II 4.3.2', dcbz],
  ['dcbst',  '011111 ----- aaaaa bbbbb 0000110110 -',    'ra0,rb',       'II 4.3.2', touch],
  ['dcbf',   '011111 ----- aaaaa bbbbb 0001010110 -',    'ra0,rb',       'II 4.3.2', touch],
  ['isync',  '010011 ----- ----- ----- 0010010110 -',    '',             'II 4.4.1', nothing],
  ['lbarx',  '011111 ttttt aaaaa bbbbb 0000110100 -',    'rt,ra0,rb',    'II 4.4.2', loadReserve(1)],
  ['lharx',  '011111 ttttt aaaaa bbbbb 0001110100 -',    'rt,ra0,rb',    'II 4.4.2', loadReserve(2)],
  ['lwarx',  '011111 ttttt aaaaa bbbbb 0000010100 -',    'rt,ra0,rb',    'II 4.4.2', loadReserve(4)],
  ['stbcx.', '011111 sssss aaaaa bbbbb 1010110110 1',    'rs,ra0,rb',    'II 4.4.2', storeConditional(1)],
  ['sthcx.', '011111 sssss aaaaa bbbbb 1011010110 1',    'rs,ra0,rb',    'II 4.4.2', storeConditional(2)],
  ['stwcx.', '011111 sssss aaaaa bbbbb 0010010110 1',    'rs,ra0,rb',    'II 4.4.2', storeConditional(4)],
  ['sync',   '011111 ---ll ----- ----- 1001010110 -',    'l',            'II 4.4.3', nothing],
  ['eieio',  '011111 ----- ----- ----- 1101010110 -',    '',             'II 4.4.3', nothing],
];
