/** The region that is looked at, its details, and the guest instructions that the pointer is at. */
import { computed, effect, signal } from '@preact/signals';
import type { RegionDetails, RegionSummary } from '../../src/inspect/page-data.ts';
import { source } from '../report/source.ts';
import { change, view } from '../state/view.ts';
import { addressOf, findRegions, holds } from './find-regions.ts';
import type { Span } from './listing.ts';

/** The regions of the list, as they are searched and sorted. */
export const listed = computed((): readonly RegionSummary[] =>
  source.value === undefined ? [] : findRegions(source.value.summary.regions, view.value.search, view.value.sort),
);

const byNumber = computed(
  () => new Map((source.value?.summary.regions ?? []).map((region) => [region.number, region] as const)),
);

/** The region that the address names; else the hottest. */
export const chosen = computed((): RegionSummary | undefined => {
  const { region } = view.value;
  return (region === undefined ? undefined : byNumber.value.get(region)) ?? source.value?.summary.regions[0];
});

export type Loaded =
  | { readonly region: RegionSummary; readonly details: RegionDetails }
  | { readonly region: RegionSummary; readonly problem: string };

/** The last region whose details came; stays until those of another one are there, so that nothing flickers. */
export const loaded = signal<Loaded | undefined>(undefined);

effect(() => {
  const region = chosen.value;
  const from = source.value;
  if (region === undefined || from === undefined) {
    loaded.value = undefined;
    return;
  }
  let isWanted = true;
  from.details(region.number).then(
    (details) => {
      if (isWanted) loaded.value = { region, details };
    },
    (error: unknown) => {
      if (isWanted) loaded.value = { region, problem: String(error) };
    },
  );
  return () => {
    isWanted = false;
  };
});

const nothing: readonly Span[] = [];

/** What the pointer is at: a guest instruction in whatever pane, a block of the graph, the code of a source line. */
export const pointed = signal(nothing);

export function point(spans: readonly Span[]): void {
  if (String(spans.map(({ from, end }) => [from, end])) !== String(pointed.peek().map(({ from, end }) => [from, end])))
    pointed.value = spans;
}

/** The guest instruction that was selected. */
export const selected = computed(() => view.value.at);

export function choose(region: RegionSummary): void {
  const address = addressOf(view.value.search);
  pointed.value = nothing;
  change({ region: region.number, at: address !== undefined && holds(region, address) ? address : undefined });
}

/** Chooses the region that stands `distance` places further down the list. */
export function chooseNext(distance: number): void {
  const regions = listed.value;
  if (regions.length === 0) return;
  const at = regions.findIndex(({ number }) => number === chosen.value?.number);
  choose(regions[at < 0 ? 0 : Math.min(regions.length - 1, Math.max(0, at + distance))]);
}

/** Selects a guest instruction; what is selected already is selected no longer. */
export function select(pc: number): void {
  change({ at: view.value.at === pc ? undefined : pc });
}

/** Selects the guest instruction that stands `distance` places after the selected one. */
export function selectNext(distance: number): void {
  const now = loaded.value;
  if (now === undefined || !('details' in now)) return;
  const pcs = now.details.stages.find(({ stage }) => stage === 'guest')?.pcs ?? [];
  const at = pcs.indexOf(view.value.at ?? -1);
  const next = pcs[at < 0 ? 0 : Math.min(pcs.length - 1, Math.max(0, at + distance))];
  if (next !== undefined) change({ at: next });
}
