/** The page that says which instructions are implemented: the manual's lists against the tables. */
import type { Row } from './instruction.ts';
import { absentGroups, manualGroups } from './manual.ts';
import { rows } from './rows.ts';

/** Features whose rows are a group of their own. */
const ownGroups = new Set(manualGroups.map(({ feature }) => feature).filter((feature) => feature !== ''));

/** The group's feature of a row, `''` for the general-purpose instructions. */
const featureOf = ([, , , attributes]: Row): string =>
  attributes.split(' ').find((attribute) => ownGroups.has(attribute)) ?? '';

const key = (feature: string, mnemonic: string): string => `${feature} ${mnemonic}`;

/** Rows by feature and mnemonic, in the order of the tables. */
function rowsByName(): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    for (const mnemonic of row[1].split('|')) {
      const name = key(featureOf(row), mnemonic);
      const list = found.get(name);
      if (list === undefined) found.set(name, [row]);
      else list.push(row);
    }
  }
  return found;
}

const names = (mnemonics: string): string[] => mnemonics.trim().split(/\s+/);

/** Rows that no list of the manual has: a name or a feature is written wrong. */
export function rowsOutsideTheManual(): string[] {
  const known = new Set(
    manualGroups.flatMap(({ feature, mnemonics }) => names(mnemonics).map((name) => key(feature, name))),
  );
  return [...rowsByName()].filter(([name]) => !known.has(name)).map(([name, [row]]) => `${name}: ${row[0]}`);
}

const encodingOf = ([encoding, , operands, attributes]: Row): string => {
  const modes = attributes.split(' ').includes('i64') ? ' (32)' : /\b(o64|w1)\b/.test(attributes) ? ' (64)' : '';
  return `\`${encoding}${operands === '' ? '' : ` ${operands}`}\`${modes}`;
};

/** The page as Markdown. */
export function coveragePage(): string {
  const implemented = rowsByName();
  const lines = [
    '# x86 instructions',
    '',
    "Generated from the tables in `translators/x86/` and the lists of the manual (Intel's Software Developer's Manual, volume 2)",
    'in `translators/x86/manual.ts`; `npx vitest run test/x86/coverage.test.ts -u` writes it anew.',
    '',
    'Each instruction has its encodings with their operands, in the notation of `translators/x86/instruction.ts`; (32) and (64)',
    'are encodings of 32-bit and 64-bit mode only. What is *not implemented* ends in SIGILL.',
  ];
  for (const { title, feature, mnemonics } of manualGroups) {
    lines.push('', `## ${title}`, '', '| instruction | encodings |', '| --- | --- |');
    for (const mnemonic of names(mnemonics)) {
      const found = implemented.get(key(feature, mnemonic));
      lines.push(`| \`${mnemonic}\` | ${found?.map(encodingOf).join(', ') ?? '*not implemented*'} |`);
    }
  }
  lines.push('', '## Not implemented', '', '| group | instructions | why |', '| --- | --- | --- |');
  for (const [title, instructions, reason] of absentGroups) lines.push(`| ${title} | ${instructions} | ${reason} |`);
  return `${lines.join('\n')}\n`;
}
