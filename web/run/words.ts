/** Splits what was typed as arguments into words, as a shell does with quotes and backslashes, and nothing else of a shell. */

/** @returns the words, or what is wrong with the text */
export function splitWords(text: string): string[] | { readonly problem: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quote === "'" ? character === "'" : quote === '"' && character === '"') quote = '';
    else if (quote === "'") word += character;
    else if (character === '\\') {
      if (++at === text.length) return { problem: 'nothing follows the backslash at the end' };
      const isEscape = quote === '' || text[at] === '"' || text[at] === '\\';
      word = (word ?? '') + (isEscape ? '' : '\\') + text[at];
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') return { problem: `the quote ${quote} is not closed` };
  return word === undefined ? words : [...words, word];
}
