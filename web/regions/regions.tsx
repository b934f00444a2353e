/** The regions of a report by heat, and what became of the one that is chosen. */
import { source } from '../report/source.ts';

export function Regions() {
  const report = source.value;
  if (report === undefined) return <p class="empty">There is no report on this page.</p>;
  return (
    <ol>
      {report.summary.regions.map(({ number, symbol }) => (
        <li key={number}>{symbol}</li>
      ))}
    </ol>
  );
}
