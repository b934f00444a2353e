/** The page that says which instructions are implemented, generated from the tables. */
import { branchRows } from './branch.ts';
import { floatingRows } from './floating.ts';
import type { Row } from './instruction.ts';
import { integerRows } from './integer.ts';
import { memoryRows } from './memory.ts';
import { specialRegisters, systemRows } from './system.ts';

const chapters: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  ['Branch, condition register, trap, system call', branchRows],
  ['Fixed point', integerRows],
  ['Storage access and caches', memoryRows],
  ['Floating point', floatingRows],
  ['Special registers and the operating system', systemRows],
];

/** User-mode instructions of 32-bit processors that end in SIGILL. */
// biome-ignore format: one group per line
const absent: readonly (readonly [instructions: string, section: string, reason: string])[] = [
  ['eciwx, ecowx', 'II 5', 'optional; Linux does not enable external control'],
  ['fre, frsqrtes', 'I 4.6.6.1', 'not on 32-bit processors before Power ISA 2.02'],
  ['lfdp, lfdpx, stfdp, stfdpx', 'I 4.6.4', 'being phased out of the architecture'],
  ['ftdiv, ftsqrt, lxv…, xs…, xv…', 'I 4.6.6, I 7', 'with the vector-scalar registers of 64-bit servers'],
  ['lvx…, stvx…, v…', 'I 6', 'AltiVec; the auxiliary vector says that it is not there'],
  ['dadd…, drsp…', 'I 5', 'decimal floating point of 64-bit servers'],
  ['ev…, efs…, efd…', 'I 8', 'SPE of embedded processors'],
];

/** Suffixes by the capitals in a row's bits (instruction.ts). */
const suffixes: readonly (readonly [letter: string, suffix: string])[] = [
  ['O', 'o'],
  ['L', 'l'],
  ['A', 'a'],
  ['R', '.'],
];

/** `add`, `addo`, `add.`, `addo.`: every mnemonic that a row stands for. */
function forms([mnemonic, bits]: Row): string {
  let names = [mnemonic];
  for (const [letter, suffix] of suffixes) {
    if (bits.includes(letter)) names = names.flatMap((name) => [name, name + suffix]);
  }
  return names.map((name) => `\`${name}\``).join(' ');
}

const privileged = (section: string): boolean => section.startsWith('PEM 4.4');

/** The page as Markdown. */
export function coveragePage(): string {
  const lines = [
    '# PowerPC instructions',
    '',
    'Generated from the tables in `translators/powerpc/`; `npx vitest run test/powerpc/coverage.test.ts -u` writes it anew.',
    'Sections are those of Power ISA 2.07 B, or of the Programming Environments Manual for 32-bit processors (PEM).',
  ];
  for (const [title, rows] of chapters) {
    lines.push('', `## ${title}`, '', '| instruction | bits | section | |', '| --- | --- | --- | --- |');
    for (const row of rows) {
      const note = privileged(row[3]) ? 'privileged: SIGILL' : 'implemented';
      lines.push(`| ${forms(row)} | \`${row[1]}\` | ${row[3]} | ${note} |`);
    }
  }
  lines.push('', '## Special registers that programs reach', '', '| number | name | |', '| --- | --- | --- |');
  for (const [number, { name, write }] of specialRegisters) {
    lines.push(`| ${number} | \`${name}\` | ${write === undefined ? 'read only' : 'read and write'} |`);
  }
  lines.push('', '## Not implemented (SIGILL)', '', '| instructions | section | why |', '| --- | --- | --- |');
  for (const [instructions, section, reason] of absent) lines.push(`| ${instructions} | ${section} | ${reason} |`);
  return `${lines.join('\n')}\n`;
}
