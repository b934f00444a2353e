/** Arithmetic that prepared code does without its helper, and whose status it makes up later, ends as by helpers alone. */
import { expect, it } from 'vitest';
import { Builder } from '../../translators/ir/builder.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { rows, values } from '../../translators/powerpc/decode.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import { callHelper, helperNumber } from '../../translators/powerpc/helpers.ts';
import { fpr, fpscr } from '../../translators/powerpc/registers.ts';
import { generator, nans, randomDouble, seed } from '../float/cases.ts';
import { codeAddress, Guest } from './guest.ts';

const named = new Map(rows.map(([name], row) => [name, values[row]]));
const arithmetic = ['fadd', 'fsub', 'fmul', 'fdiv', 'fmadd', 'fmsub', 'fnmadd', 'fnmsub'];
const double = arithmetic.map((name) => named.get(name)!);
const single = arithmetic.map((name) => named.get(`${name}s`)!);
/** They read the status, or write a part of it: fcmpu, fctiwz, mffs, mcrfs, mtfsb0 and mtfsb1 on an exception or FI. */
const others = ['fcmpu', 'fctiwz', 'mffs', 'mcrfs', 'mtfsb0', 'mtfsb1'].map((name) => named.get(name)!);

const inexactSeen = 0x82000000n;
const results = [...Array.from({ length: 8 }, (_, number) => `f${number}`), 'fpscr', 'cr'];
const guest = new Guest();
const helpersAlone = new Guest({
  ...powerpc,
  helpers: powerpc.helpers.map((helper) => ({ ...helper, ordinary: undefined })),
});
const next = generator(seed);
const pick = <T>(list: readonly T[]): T => list[(next() >>> 0) % list.length];
const registers = (): number =>
  ((next() & 7) << 21) | ((next() & 7) << 16) | ((next() & 7) << 11) | ((next() & 7) << 6) | (next() & 1);

/** Mostly between 1 and 2, so that products stay ordinary for a while; small integers, so that some are exact; else anything. */
function operand(): bigint {
  const double = new Float64Array(1);
  const kind = next() & 31;
  double[0] =
    kind === 0
      ? pick([...nans])
      : kind < 4
        ? randomDouble(next)
        : kind < 12
          ? next() & 7
          : 1 + (next() >>> 0) / 2 ** 32;
  if (kind > 16) double[0] = Math.fround(double[0]);
  return new BigUint64Array(double.buffer)[0];
}

function instruction(): number {
  const kind = next() & 7;
  if (kind === 0) {
    const other = pick(others);
    if (other === named.get('fcmpu')) return other | ((next() & 7) << 23) | ((next() & 7) << 16) | ((next() & 7) << 11);
    if (other === named.get('mcrfs')) return other | ((next() & 7) << 23) | (pick([3, 4, 0]) << 18);
    if (other === named.get('mffs')) return other | ((next() & 7) << 21) | (next() & 1);
    if (other === named.get('fctiwz')) return other | ((next() & 7) << 21) | ((next() & 7) << 11) | (next() & 1);
    return other | (pick([6, 14, 17, 7]) << 21) | (next() & 1);
  }
  return pick(kind < 6 ? double : single) | (pick([0, 0, 1]) === 0 ? registers() & ~1 : registers());
}

it('leaves the registers and the status that helpers leave', () => {
  for (let round = 0; round < 2000; round++) {
    const code = Array.from({ length: 2 + (next() & 15) }, () => instruction() >>> 0);
    const operands = Array.from({ length: 8 }, operand);
    const status = pick([0n, inexactSeen, inexactSeen, inexactSeen | BigInt(next() & 3)]);
    const outcomes = [helpersAlone, guest].map((each) => {
      each.reset();
      operands.forEach((value, number) => {
        each.set(`f${number}`, value);
      });
      each.set('fpscr', status);
      each.run(code);
      return results.map((name) => each.get(name).toString(16));
    });
    const what = `${code.map((word) => word.toString(16))}, seed ${seed}`;
    expect([what, ...outcomes[1]]).toEqual([what, ...outcomes[0]]);
  }
});

it('shows the status to whoever gets the register', () => {
  const builder = new Builder(powerpc.registers);
  builder.begin(codeAddress);
  builder.set(fpr + 3, callHelper(builder, helperNumber('fadd'), builder.get(fpr + 1), builder.get(fpr + 2)));
  const r3 = powerpc.registers.numbers.r3;
  builder.set(r3, builder.get(fpscr));
  builder.jump(codeAddress + 4);
  builder.end(codeAddress + 4, 1);
  guest.reset();
  guest.set('f1', 0x3ff0000000000000n);
  guest.set('f2', 0x3c90000000000000n);
  guest.set('fpscr', inexactSeen);
  const { state, memory, machine } = guest;
  state.pc = codeAddress;
  new Interpreter(powerpc, state, memory, machine, () => builder.unit).step();
  // FI, and the class of a positive normal number.
  expect(guest.get('r3').toString(16)).toBe((inexactSeen | 0x24000n).toString(16));
});
