/** Arguments as they are typed. */
import { expect, test } from 'vitest';
import { splitWords } from '../../web/run/words.ts';

test.each([
  ['', []],
  ['  ', []],
  ['a  b\tc ', ['a', 'b', 'c']],
  [`'a b' "c d"`, ['a b', 'c d']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  ['a\\ b \\" \\\\', ['a b', '"', '\\']],
  [`"a\\"b\\\\c\\d"`, ['a"b\\c\\d']],
  [`'a\\b'`, ['a\\b']],
  [`"it's" 'say "x"'`, ["it's", 'say "x"']],
  ['ä 漢', ['ä', '漢']],
])('%j', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test.each([`'a`, `a "b 'c'`, `"a\\"`, 'a\\'])('%j is not finished', (text) => {
  expect(splitWords(text)).toHaveProperty('problem');
});
