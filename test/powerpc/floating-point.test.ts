/** What qemu-ppc does not have or gets wrong: enabled exceptions, FR, directed negation, requests for exactness. */
import { beforeEach, describe, expect, test } from 'vitest';
import { fromHalves } from '../../translators/float/bits.ts';
import type { Machine } from '../../translators/frontend.ts';
import { exitCode } from '../../translators/ir/operations.ts';
import { header, State, stateBlockSize } from '../../translators/ir/state.ts';
import { floatingPointHelpers } from '../../translators/powerpc/floating-point.ts';
import { fpscr } from '../../translators/powerpc/floating-point-status.ts';
import { powerpcRegisters } from '../../translators/powerpc/registers.ts';
import { bits, nans } from '../float/cases.ts';

let state: State;
let requests: string;
const machine = {
  requireExactFloatingPoint() {
    requests = 'exact';
  },
  leaveDefaultFloatingPoint() {
    requests = 'mode';
  },
} as Machine;

beforeEach(() => {
  state = new State(powerpcRegisters, new ArrayBuffer(stateBlockSize), 0);
  requests = '';
});

function run(name: string, a = 0, b = 0, c = 0): number {
  return floatingPointHelpers.find((row) => row.name === name)!.run(state, machine, a, b, c);
}

function statusAfter(name: string, a: number, b = 0, c = 0): number {
  run(name, a, b, c);
  return state.get('fpscr');
}

const exit = () => [state.i32[header.exit >> 2], state.i32[header.detail >> 2]];
const [quiet, , signalling] = nans;
const normal = 0x4000;
const infinity = 0x5000;
const notNumber = 0x11000;

describe('status of a result', () => {
  // biome-ignore format: one result per line
  const classes: [value: number, fprf: number][] = [
    [NaN, 0x11000], [-Infinity, 0x9000], [-1, 0x8000], [-(2 ** -1074), 0x18000], [-0, 0x12000],
    [0, 0x2000], [2 ** -1074, 0x14000], [2 ** -1022, 0x4000], [Infinity, 0x5000],
  ];
  test.each(classes)('FPRF of %d', (value, fprf) => {
    expect(statusAfter('fadd', value, -0)).toBe(fprf);
  });

  test('FR tells that the magnitude was rounded up, FI that the result is inexact', () => {
    const inexact = fpscr.FX | fpscr.XX | fpscr.FI;
    expect(statusAfter('fadd', 1, 2 ** -60)).toBe(inexact | normal);
    expect(statusAfter('fadd', 1, -(2 ** -60))).toBe(inexact | fpscr.FR | normal);
    expect(statusAfter('fadd', 1, 1)).toBe(fpscr.FX | fpscr.XX | normal);
  });

  test('a subnormal single is classified as one', () => {
    expect(statusAfter('fmuls', 2 ** -100, 2 ** -40)).toBe(0x14000);
    expect(statusAfter('fmul', 2 ** -100, 2 ** -40)).toBe(normal);
  });

  test('underflow is a tiny result that is inexact', () => {
    expect(statusAfter('fmul', 2 ** -1000, 2 ** -40) & fpscr.UX).toBe(0);
    expect(statusAfter('fmul', 2 ** -1022, 1 - 2 ** -53) & fpscr.UX).toBe(fpscr.UX);
  });

  test('integers are inexact when rounded, and invalid out of range', () => {
    state.set('fpscr', normal);
    expect(bits(run('fctiw', 2.5))).toBe('0000000000000002');
    expect(state.get('fpscr')).toBe(fpscr.FX | fpscr.XX | fpscr.FI | normal);
    expect(bits(run('fctiwz', -1e10))).toBe('ffffffff80000000');
    expect(state.get('fpscr') & (fpscr.VX | fpscr.VXCVI | fpscr.FI)).toBe(fpscr.VX | fpscr.VXCVI);
  });

  test('rounding to an integral value is never inexact', () => {
    expect(['frin', 'friz', 'frip', 'frim'].map((name) => run(name, -2.5))).toEqual([-3, -2, -2, -3]);
    expect(state.get('fpscr')).toBe(0x8000);
    expect(bits(run('frin', signalling))).toBe('7ff8000000000001');
    expect(state.get('fpscr')).toBe(fpscr.FX | fpscr.VX | fpscr.VXSNAN | notNumber);
  });

  test('square roots', () => {
    expect(run('fsqrt', 2)).toBe(Math.SQRT2);
    expect(run('fsqrts', 2)).toBe(Math.fround(Math.SQRT2));
    expect(bits(run('fsqrt', -1))).toBe('7ff8000000000000');
    expect(state.get('fpscr') & fpscr.VXSQRT).toBe(fpscr.VXSQRT);
  });

  test('estimates of a zero are infinities and division by zero', () => {
    expect([run('fres', -0), run('frsqrte', 0)]).toEqual([-Infinity, Infinity]);
    expect(state.get('fpscr')).toBe(fpscr.FX | fpscr.ZX | infinity);
  });

  test('negated multiply-add rounds before it negates', () => {
    state.set('fpscr', 2);
    expect(run('fnmadd', 1, 1, 2 ** -60)).toBe(-1 - 2 ** -52);
    state.set('fpscr', 3);
    expect(run('fnmsub', 1, 1, -(2 ** -60))).toBe(-1);
    expect(run('fnmadd', 2, 3, -6)).toBe(0);
  });

  test('a NaN is not negated and comes from FRA, then FRB, then FRC', () => {
    const other = fromHalves(7, 0x7ff80000);
    expect(bits(run('fnmadd', 1, signalling, other))).toBe(bits(other));
    expect(bits(run('fnmsub', 1, signalling, 0))).toBe('7ff8000000000001');
    expect(bits(run('fmsub', 0, Infinity, 1))).toBe('7ff8000000000000');
  });
});

describe('enabled exceptions leave the block', () => {
  // biome-ignore format: one operation per line
  const rows: [name: string, enable: number, exception: number, a: number, b: number][] = [
    ['fdiv', fpscr.VE, fpscr.VX, 0, 0],
    ['fdiv', fpscr.ZE, fpscr.ZX, 1, 0],
    ['fmul', fpscr.OE, fpscr.OX, 1e300, 1e300],
    ['fmul', fpscr.UE, fpscr.UX, 1e-300, 1e-300],
    ['fadd', fpscr.XE, fpscr.XX, 1, 1e-300],
    ['fcmpo', fpscr.VE, fpscr.VX, 1, quiet],
  ];
  test.each(rows)('%s with enable %i', (name, enable, exception, a, b) => {
    state.set('fpscr', enable);
    const after = statusAfter(name, a, b);
    expect(after & (fpscr.FX | fpscr.FEX | exception)).toBe(fpscr.FX | fpscr.FEX | exception);
    expect(exit()).toEqual([exitCode.floating_point, exception]);
  });

  test('not when another one is enabled', () => {
    state.set('fpscr', fpscr.VE);
    expect(statusAfter('fdiv', 1, 0)).toBe(fpscr.FX | fpscr.ZX | fpscr.VE | infinity);
    expect(exit()).toEqual([exitCode.none, 0]);
  });

  test('the class of the result stays when the target does', () => {
    state.set('fpscr', fpscr.VE | infinity);
    expect(statusAfter('fadd', signalling, 1) & fpscr.FPRF).toBe(infinity);
    state.set('fpscr', fpscr.ZE | normal);
    expect(statusAfter('fdiv', 1, 0) & fpscr.FPRF).toBe(normal);
  });

  test('exponents are adjusted for enabled overflow and underflow', () => {
    state.set('fpscr', fpscr.OE);
    expect(run('fmul', 2 ** 1000, 2 ** 100)).toBe(2 ** (1100 - 1536));
    state.set('fpscr', fpscr.UE);
    expect(run('fmuls', 2 ** -100, 2 ** -100)).toBe(2 ** (-200 + 192));
    expect(state.get('fpscr') & (fpscr.UX | fpscr.XX)).toBe(fpscr.UX);
  });

  test('enabling an exception that is set', () => {
    state.set('fpscr', fpscr.FX | fpscr.ZX);
    expect(statusAfter('mtfsb1', 27)).toBe(fpscr.FX | fpscr.FEX | fpscr.ZX | fpscr.ZE);
    expect(exit()).toEqual([exitCode.floating_point, fpscr.ZX]);
  });

  test('a signalling comparison is VXVC as well only where it does not trap', () => {
    expect(statusAfter('fcmpo', 1, signalling) & (fpscr.VXSNAN | fpscr.VXVC)).toBe(fpscr.VXSNAN | fpscr.VXVC);
    state.set('fpscr', fpscr.VE);
    expect(statusAfter('fcmpo', 1, signalling) & (fpscr.VXSNAN | fpscr.VXVC)).toBe(fpscr.VXSNAN);
  });
});

describe('moves to and from FPSCR', () => {
  test('mtfsb1 sets FX with an exception, and cannot set FEX, VX or the reserved bit', () => {
    expect(statusAfter('mtfsb1', 23)).toBe(fpscr.FX | fpscr.VX | fpscr.VXCVI);
    expect(statusAfter('mtfsb0', 0)).toBe(fpscr.VX | fpscr.VXCVI);
    expect(statusAfter('mtfsb1', 23)).toBe(fpscr.VX | fpscr.VXCVI);
    state.set('fpscr', 0);
    for (const bit of [1, 2, 20]) expect(statusAfter('mtfsb1', bit)).toBe(0);
    expect(statusAfter('mtfsb1', 29)).toBe(fpscr.NI);
  });

  test('mcrfs gives a field and clears its exceptions', () => {
    state.set('fpscr', fpscr.FX | fpscr.VX | fpscr.VXISI | fpscr.VXVC | fpscr.FR | 0x8002);
    expect(run('mcrfs', 2)).toBe(8);
    expect(run('mcrfs', 3)).toBe(12);
    expect(state.get('fpscr')).toBe(fpscr.FX | fpscr.FR | 0x8002);
    expect(run('mcrfs', 0)).toBe(8);
    expect([run('mcrfs', 4), run('mcrfs', 7)]).toEqual([8, 2]);
    expect(state.get('fpscr')).toBe(fpscr.FR | 0x8002);
  });

  test('mffsl shows the mode and the last result, mffs all', () => {
    state.set('fpscr', fpscr.FX | fpscr.XX | fpscr.FI | normal | fpscr.NI | 1);
    expect(bits(run('mffsl'))).toBe('0000000000024005');
    expect(bits(run('mffs'))).toBe('0000000082024005');
  });

  // biome-ignore format: one instruction per line
  const asks: [name: string, a: number, b: number, expected: string][] = [
    ['mffs', 0, 0, 'exact'],
    ['mffsl', 0, 0, ''],
    ['mcrfs', 0, 0, 'exact'],
    ['mcrfs', 4, 0, 'exact'],
    ['mcrfs', 7, 0, ''],
    ['mtfsfi', 7, 0, ''],
    ['mtfsfi', 7, 1, 'mode'],
    ['mtfsfi', 6, 8, 'mode'],
    ['mtfsfi', 0, 0, 'exact'],
    ['mtfsf', 0, 1, ''],
    ['mtfsf', fromHalves(3, 0), 1, 'mode'],
    ['mtfsf', 0, 0xff, ''],
    ['mtfsf', fromHalves(fpscr.XX, 0), 0xff, 'exact'],
    ['mtfsf', fromHalves(fpscr.XE, 0), 0xff, 'mode'],
    ['mffsControl', 0, 0, ''],
    ['mtfsb0', 30, 0, ''],
    ['mtfsb1', 30, 0, 'mode'],
    ['mtfsb0', 6, 0, 'exact'],
    ['mtfsb1', 29, 0, ''],
    ['fadd', 1, 2, ''],
  ];
  test.each(asks)('%s %d %d asks for exactness, or says that the mode was left: %s', (name, a, b, expected) => {
    run(name, a, b);
    expect(requests).toBe(expected);
  });
});
