/** When the floating-point status is looked at. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Guest } from './guest.ts';

const guest = new Guest();
beforeEach(() => guest.reset());

describe('status that fast floating point does not keep', () => {
  it.each([
    ['mffs', 0xfc60048e, true],
    ['mffsl', 0xfc78048e, false],
    ['fadd.', 0xfc64282b, true],
    ['fmr.', 0xfc602091, true],
    ['fadd', 0xfc64282a, false],
    ['fcmpu', 0xfc042800, false],
    ['fctiwz', 0xfc60201e, false],
  ])('%s asks for exact translation: %s', (_name, word, asks) => {
    guest.exact = false;
    guest.run([word]);
    guest.exact = true;
    expect(guest.requests.includes('exact')).toBe(asks);
  });
});

it('mffs. sets condition field 1 also where the saved status is only put back', () => {
  // mffs. f3; fadd f1,f1,f2; mtfsf 255,f3; blr
  guest.set('fpscr', 0xb3a01000n);
  guest.run([0xfc60048f, 0xfc21102a, 0xfdfe1d8e, 0x4e800020]);
  expect(guest.get('cr')).toBe(0x0b000000n);
});
