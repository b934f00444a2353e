/** Colours of listings on a terminal, by what a line is. */
import type { Stage } from './stage-names.ts';

/** A way to mark text: SGR codes of ECMA-48, or none. */
export interface Palette {
  heading(text: string): string;
  faint(text: string): string;
  /** The text of a line of a stage. */
  code(stage: Stage, text: string): string;
}

const same = (text: string): string => text;

/** For what is no terminal. */
export const plain: Palette = { heading: same, faint: same, code: (_stage, text) => text };

const sgr =
  (code: string) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;
const kinds = {
  mnemonic: sgr('1;36'),
  keyword: sgr('35'),
  number: sgr('33'),
  value: sgr('32'),
  comment: sgr('2'),
};

export const tokenKinds = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** What a stage's text is made of: the first alternative that matches colours it; its group is one of `tokenKinds`. */
export const tokens: Readonly<Record<Stage, RegExp>> = {
  guest: /(?<mnemonic>^\S+)|(?<number>\b(?:0x[\da-f]+|\d+)\b)/g,
  ir: /(?<comment>;.*$)|(?<value>\bv\d+\b)|(?<mnemonic>\b[a-z][a-z_\d]*\.[a-z_\d.]+|\b(?:load|store|jump|branch|call|return|exit)\w*\b)|(?<number>-?\b(?:0x[\da-f]+|\d+)\b)/g,
  optimized:
    /(?<comment>;.*$)|(?<value>\bv\d+\b)|(?<mnemonic>\b[a-z][a-z_\d]*\.[a-z_\d.]+|\b(?:load|store|jump|branch|call|return|exit)\w*\b)|(?<number>-?\b(?:0x[\da-f]+|\d+)\b)/g,
  host: /(?<comment>^[\da-f]{4,}|;;.*$|<.*>)|(?<mnemonic>(?<=^[\da-f]{4,} {2})\S+)|(?<number>#?\b0x[\da-f]+\b)/g,
  js: /(?<keyword>\b(?:function|const|let|if|else|for|switch|case|default|break|continue|return)\b)|(?<number>\b(?:0x[\da-f]+|\d+)\b)/g,
  wasm: /(?<keyword>\b(?:block|loop|if|else|end|br|br_if|br_table|return|call|call_indirect|unreachable)\b)|(?<mnemonic>\b[a-z]+\d*\.[a-z\d_.]+)|(?<number>-?\b\d[\d.e+]*\b)/g,
};

export const coloured: Palette = {
  heading: sgr('1'),
  faint: kinds.comment,
  code: (stage, text) =>
    text.replace(tokens[stage], (token, ...rest) => {
      const groups: Record<string, string | undefined> = rest[rest.length - 1];
      const kind = tokenKinds.find((name) => groups[name] !== undefined);
      return kind === undefined ? token : kinds[kind](token);
    }),
};
