/** The page of coverage (docs/system-calls.md), from the rows and the ABIs' lists of all calls. */
import type { Abi } from './abi/abi.ts';
import type { SystemCallRow } from './system-call.ts';

/** @returns Markdown */
export function coveragePage(abi: Abi, rows: readonly SystemCallRow[]): string {
  const byNumber = new Map(rows.map((row) => [row.numbers[abi.name], row]));
  const known = abi.names.flatMap((name, number) => (name === undefined ? [] : [{ name, number }]));
  const served = known.filter(({ number }) => byNumber.has(number));
  const missing = known.filter(({ number }) => !byNumber.has(number));
  const lines = served.map(({ name, number }) => {
    const row = byNumber.get(number) as SystemCallRow;
    return `| ${number} | ${name} | ${row.arguments.length} | ${row.support} | ${row.note ?? ''} |`;
  });
  return `# System calls: ${abi.name}

Generated from the rows in src/linux by \`node scripts/system-calls.ts\`; do not edit.

${served.length} of ${known.length} calls are served. Full: as Linux does. Partial: see the note. Accepted: the call
succeeds and does nothing, which is allowed for it. All others answer ENOSYS; \`-d unimp\` reports them.

| number | call | arguments | support | note |
| ---: | --- | ---: | --- | --- |
${lines.join('\n')}

## Not implemented

${missing.map(({ name }) => name).join(', ')}
`;
}
