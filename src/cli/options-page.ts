/** The page of options (docs/options.md), from their rows. */
import { type OptionRow, runOptions } from './options.ts';

const head = `# Options of \`stele run\`

\`stele run [options] PROGRAM [arguments]\`: options end at the program's name. A flag beats the environment
variable, which beats the configuration file (\`stele/config.json\` in the user's configuration directory, a JSON object
whose keys are the long names), which beats the default.

| flag | variable | default | meaning |
| --- | --- | --- | --- |
`;

function flags(row: OptionRow): string {
  const value = row.value === '' ? '' : ` ${row.value.toUpperCase()}`;
  const spellings = [row.short === '' ? undefined : `-${row.short}`, row.alias, `--${row.long}`];
  return spellings
    .filter((spelling) => spelling !== undefined)
    .map((spelling) => `\`${spelling}${value}\``)
    .join(', ');
}

function defaultOf(row: OptionRow): string {
  if (row.kind === 'choice') return `\`${row.default}\``;
  return row.kind === 'size' ? `${(row.default as number) >> 20}M` : '';
}

function meaning(row: OptionRow): string {
  return row.choices === undefined ? row.doc : `${row.doc}: ${row.choices.map((name) => `\`${name}\``).join(', ')}`;
}

export function optionsPage(): string {
  const lines = runOptions.map(
    (row) => `| ${flags(row)} | \`${row.environment}\` | ${defaultOf(row)} | ${meaning(row)} |\n`,
  );
  return head + lines.join('');
}
