/** The page of coverage (docs/system-calls.md), from the rows and the ABIs' lists of all calls. */
import type { Abi } from './abi/abi.ts';
import type { SystemCallRow } from './system-call.ts';

/** @returns Markdown, with a column of numbers for each ABI */
export function coveragePage(abis: readonly Abi[], rows: readonly SystemCallRow[]): string {
  const sorted = [...rows].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const lines = sorted.map((row) => {
    const numbers = abis.map((abi) => row.numbers[abi.name] ?? '');
    return `| ${row.name} | ${numbers.join(' | ')} | ${row.arguments.length} | ${row.support} | ${row.note ?? ''} |`;
  });
  const missing = new Map<string, string[]>();
  const counts = abis.map((abi) => {
    const served = new Set(rows.map((row) => row.numbers[abi.name]));
    const known = abi.names.flatMap((name, number) => (name === undefined ? [] : [{ name, number }]));
    const without = known.filter(({ number }) => !served.has(number));
    for (const { name } of without) missing.set(name, [...(missing.get(name) ?? []), abi.name]);
    return `- ${abi.name}: ${known.length - without.length} of ${known.length} calls are served`;
  });
  const names = [...missing].sort(([a], [b]) => (a < b ? -1 : 1));
  const where = (holders: readonly string[]) => (holders.length === abis.length ? '' : ` (${holders.join(', ')})`);
  return `# System calls

Generated from the rows in src/linux by \`node scripts/system-calls.ts\`; do not edit.

${counts.join('\n')}

Full: as Linux does. Partial: see the note. Accepted: the call succeeds and does nothing, which is allowed for it. All
others answer ENOSYS; \`-d unimp\` reports them.

| call | ${abis.map(({ name }) => name).join(' | ')} | arguments | support | note |
| --- | ${abis.map(() => '---:').join(' | ')} | ---: | --- | --- |
${lines.join('\n')}

## Not implemented

By name, with the ABIs that have them where that is not all of them:
${names.map(([name, holders]) => `${name}${where(holders)}`).join(', ')}
`;
}
