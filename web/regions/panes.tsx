/** What became of a region, stage by stage, side by side. */
import { useMemo } from 'preact/hooks';
import type { RegionDetails, RegionSummary } from '../../src/inspect/page-data.ts';
import type { Stage } from '../../src/inspect/stage-names.ts';
import { source } from '../report/source.ts';
import { change, view } from '../state/view.ts';
import { CodePane } from './code-pane.tsx';
import { nameOf } from './find-regions.ts';
import { GraphPane } from './graph-pane.tsx';
import { heatColour, heatOf } from './heat.ts';
import { type Listing, listingOf } from './listing.ts';
import { grouped, hex, several } from './numbers.ts';
import { sourceListing } from './source-listing.ts';

interface PaneRow {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  /** The stages that it lists, whichever of them the region has. */
  readonly stages: readonly Stage[];
  /** Whether block follows on block. */
  readonly isLinear: boolean;
  /** How much of the width it takes next to others. */
  readonly weight: number;
  /** Pixels of the window from which on it is shown without having been asked for. */
  readonly from: number;
  readonly doc: string;
}

// biome-ignore format: one row per line
export const panes: readonly PaneRow[] = [
  { id: 'graph', title: 'Graph', stages: [], isLinear: false, weight: 1, from: 0, doc: 'control flow: blocks, and how often control went from one to the other' },
  { id: 'source', title: 'Source', stages: [], isLinear: false, weight: 1.1, from: 1500, doc: 'the lines of the program’s source that the code came from' },
  { id: 'guest', title: 'Guest', stages: ['guest'], isLinear: true, weight: 0.95, from: 0, doc: 'the guest’s instructions' },
  { id: 'ir', title: 'IR', stages: ['ir'], isLinear: true, weight: 1, from: 2000, doc: 'operations as they were lifted' },
  { id: 'optimized', title: 'Optimized', stages: ['optimized'], isLinear: true, weight: 1.2, from: 1200, doc: 'the operations that code is made of, and where registers are written' },
  { id: 'code', title: 'Code', stages: ['js', 'wasm'], isLinear: false, weight: 1.1, from: 0, doc: 'the generated JavaScript or WebAssembly' },
  { id: 'host', title: 'Host', stages: ['host'], isLinear: false, weight: 1.2, from: 1800, doc: 'machine code that the host’s compiler made' },
];

const titles: Readonly<Partial<Record<Stage, string>>> = { js: 'JavaScript', wasm: 'WebAssembly' };

/** The panes that are shown, of those that there are. */
export function shownPanes(): readonly string[] {
  if (view.value.panes !== undefined) return view.value.panes;
  const hasLines = (source.value?.summary.files.length ?? 0) > 0;
  return panes.filter(({ id, from }) => innerWidth >= from && (id !== 'source' || hasLines)).map(({ id }) => id);
}

/** Shows a pane, or hides it. */
export function togglePane(id: string): void {
  const shown = shownPanes();
  const isShown = shown.includes(id);
  change({
    panes: panes.filter((pane) => (pane.id === id ? !isShown : shown.includes(pane.id))).map((pane) => pane.id),
  });
}

interface PanesProps {
  readonly region: RegionSummary;
  readonly details: RegionDetails;
}

export function Panes({ region, details }: PanesProps) {
  const { blocks } = details;
  const listings = useMemo(() => listingsOf(details), [details]);
  const shown = shownPanes();
  const visible = panes.filter(({ id }) => shown.includes(id));
  return (
    <div class="panes">
      {visible.map(({ id, title, doc, weight }) => {
        const found = listings.get(id);
        const heading = found?.title ?? title;
        return (
          <section key={id} class={`pane ${id}`} style={{ flexGrow: weight }} aria-label={heading}>
            <h3 title={doc}>
              {heading}
              {found !== undefined && <span>{several(found.lines, found.unit)}</span>}
              {id === 'graph' && <span>{several(blocks.length, 'block')}</span>}
            </h3>
            {id === 'graph' ? (
              <GraphPane blocks={blocks} />
            ) : found === undefined ? (
              <p class="empty">{absenceOf(id, region)}</p>
            ) : (
              <CodePane listing={found.listing} label={`${heading} of ${nameOf(region)}`} />
            )}
          </section>
        );
      })}
      {visible.length === 0 && <p class="empty">Every pane is hidden.</p>}
    </div>
  );
}

/** Why there is nothing in a pane. */
function absenceOf(id: string, { host }: RegionSummary): string {
  if (id === 'source')
    return 'The program has no line tables for this code. Compile it with -g to see its source here.';
  if (host !== null) return 'The page has the machine code of the hottest regions; with --host it has that of all.';
  return `The machine code of this region is not known. ${source.value?.summary.hostCode.note ?? ''}`;
}

interface PaneListing {
  readonly listing: Listing;
  readonly title: string | undefined;
  readonly lines: number;
  /** What a line is. */
  readonly unit: string;
}

const units: Readonly<Partial<Record<Stage, string>>> = { ir: 'operation', optimized: 'operation', js: 'line' };

/** The listings of a region by pane. */
function listingsOf({ blocks, stages }: RegionDetails): ReadonlyMap<string, PaneListing> {
  const hottest = Math.max(...blocks.map(({ executed }) => executed ?? 0));
  const ofBlock = blocks.map(({ pc, executed, executions }) => ({
    heat: heatColour(heatOf(executed, hottest)),
    heading: { text: hex(pc), count: executions === null ? '' : `× ${grouped(executions)}` },
  }));
  const found = new Map<string, PaneListing>();
  for (const { id, stages: own, isLinear } of panes) {
    const text = stages.find(({ stage }) => own.includes(stage));
    if (text === undefined) continue;
    found.set(id, {
      listing: listingOf(text, isLinear, (block) => ofBlock[block]),
      title: titles[text.stage],
      lines: text.pcs.length,
      unit: units[text.stage] ?? 'instruction',
    });
  }
  const from = source.value;
  const files = from?.summary.files.map((name, index) => ({ name, text: from.sources[index] }));
  const busiest = Math.max(...blocks.map(({ executions }) => executions ?? 0));
  const lines = sourceListing(blocks, files ?? [], (executions) => heatColour(heatOf(executions, busiest)));
  if (lines !== undefined) {
    const count = lines.spans.filter((spans) => spans.length > 0).length;
    found.set('source', { listing: lines, title: undefined, lines: count, unit: 'line' });
  }
  return found;
}
