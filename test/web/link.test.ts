/** The page's address: what it says of what is shown, and what is made of addresses that say something else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyView, linkTo, themes, type View, viewOf } from '../../web/state/link.ts';

const optional = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(values, { nil: undefined });

test('a link shows what it was made of', () => {
  const views: fc.Arbitrary<View> = fc.record({
    tab: fc.constantFrom('', 'regions', 'time'),
    region: optional(fc.nat(999_999_999)),
    at: optional(fc.nat(0xffff_ffff)),
    panes: optional(fc.array(fc.constantFrom('guest', 'ir', 'wasm'))),
    search: fc.string({ unit: 'grapheme' }),
    sort: fc.constantFrom('', 'size'),
    theme: optional(fc.constantFrom(...themes)),
  });
  fc.assert(
    fc.property(views, (view) => {
      expect(viewOf(`#${linkTo(view)}`)).toEqual(view);
    }),
  );
});

test('a link says only what is out of the ordinary, as people would read it', () => {
  expect(linkTo(emptyView)).toBe('');
  expect(linkTo({ ...emptyView, region: 12, at: 0x10000064, panes: ['guest', 'wasm'] })).toBe(
    'region=12&at=10000064&panes=guest.wasm',
  );
});

test.each(['', '#', '#region=-1&at=main&theme=blue', '#region=1e3&at=100000000&other=7'])(
  '%j shows what a page without a fragment does',
  (fragment) => {
    expect(viewOf(fragment)).toEqual(emptyView);
  },
);
