/** The regions of a report by heat, and what became of the one that is chosen. */
import { source } from '../report/source.ts';
import { loaded } from './chosen.ts';
import { Panes } from './panes.tsx';
import { RegionHead } from './region-head.tsx';
import { RegionList } from './region-list.tsx';

export function Regions() {
  const report = source.value;
  if (report === undefined) {
    return (
      <p class="empty">
        There is no report on this page. “stele inspect --html FILE PROGRAM” writes one that has it, and the tab “Run”
        runs a program here, and shows what became of it.
      </p>
    );
  }
  const now = loaded.value;
  return (
    <div class="explorer">
      <RegionList />
      <article class="region" aria-label="The region">
        {report.summary.regions.length === 0 && (
          <p class="empty">
            Nothing was translated: no code ran often enough. “--engine wasm” translates all that runs.
          </p>
        )}
        {now !== undefined && <RegionHead region={now.region} />}
        {now !== undefined &&
          ('details' in now ? (
            <Panes region={now.region} details={now.details} />
          ) : (
            <p class="empty">The region cannot be shown: {now.problem}</p>
          ))}
      </article>
    </div>
  );
}
