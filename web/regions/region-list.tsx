/** The list of regions by heat, with a search box. */
import { useEffect, useRef } from 'preact/hooks';
import type { RegionSummary } from '../../src/inspect/page-data.ts';
import { source } from '../report/source.ts';
import { change, view } from '../state/view.ts';
import { choose, chooseNext, chosen, listed } from './chosen.ts';
import { nameOf, orders } from './find-regions.ts';
import { heatColour, heatOf } from './heat.ts';
import { grouped, hex, percent } from './numbers.ts';
import { TierMark } from './tier-mark.tsx';
import { useVirtualRows } from './use-virtual-rows.ts';

const rowHeight = 28;
/** More rows than can be seen at a time. */
const recycled = 128;

export function RegionList() {
  const scroller = useRef<HTMLDivElement>(null);
  const regions = listed.value;
  const { rows, height, show } = useVirtualRows(scroller, regions.length, rowHeight);
  const number = chosen.value?.number;
  const showChosen = useRef(show);
  showChosen.current = show;
  useEffect(() => {
    const index = regions.findIndex((region) => region.number === number);
    if (index >= 0) showChosen.current(index);
  }, [regions, number]);
  const all = source.value?.summary.regions ?? [];
  const hottest = all[0]?.share ?? 0;
  return (
    <section class="regions" aria-label="Regions">
      <div class="find">
        <input
          id="search"
          type="search"
          placeholder="Symbol, address or source line"
          aria-label="Search by symbol, address or source line"
          title="Search (press / anywhere)"
          value={view.value.search}
          onInput={({ currentTarget }) => change({ search: currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && regions.length > 0) choose(regions[0]);
            else if (event.key === 'Escape') {
              // Browsers empty the box without a word.
              event.preventDefault();
              event.currentTarget.blur();
            }
          }}
        />
        <label class="order">
          <span>
            {regions.length === all.length
              ? grouped(all.length)
              : `${grouped(regions.length)} of ${grouped(all.length)}`}{' '}
            by
          </span>
          <select value={view.value.sort} onChange={({ currentTarget }) => change({ sort: currentTarget.value })}>
            {orders.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div
        class="rows"
        ref={scroller}
        role="listbox"
        aria-label="Regions"
        aria-activedescendant={number === undefined ? undefined : `region-${number}`}
        tabIndex={0}
        onKeyDown={(event) => {
          const step = steps[event.key];
          if (step === undefined) return;
          event.preventDefault();
          chooseNext(step);
        }}
      >
        <div style={{ height: `${height}px` }}>
          {rows.map(({ index, start }) => (
            <Row
              // The same elements again and again: to fill one anew is cheaper than to make one.
              key={index % recycled}
              region={regions[index]}
              top={start}
              heat={heatOf(regions[index].share, hottest)}
              isChosen={regions[index].number === number}
            />
          ))}
        </div>
        {regions.length === 0 && <p class="empty">No region has that.</p>}
      </div>
    </section>
  );
}

/** How far down the list a key goes. */
const steps: Readonly<Record<string, number | undefined>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 20,
  PageUp: -20,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

interface RowProps {
  readonly region: RegionSummary;
  /** Pixels from the list's begin. */
  readonly top: number;
  readonly heat: number;
  readonly isChosen: boolean;
}

function Row({ region, top, heat, isChosen }: RowProps) {
  const { number, symbol, pc, tier, share, guestInstructions, line } = region;
  // What does not fit is left out of the name, not of the offset, which tells regions of one function apart.
  const [name, offset = ''] = nameOf(region).split(/(?=\+0x[\da-f]+$)/);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and says which row is active
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      id={`region-${number}`}
      class="row"
      role="option"
      aria-selected={isChosen}
      style={{ top: `${top}px`, height: `${rowHeight}px` }}
      title={[symbol, `0x${hex(pc)}`, line].filter((part) => part !== '').join('\n')}
      onClick={() => choose(region)}
    >
      <i class="heat" style={{ background: heatColour(heat) }} />
      <span class="name">
        <span>{name}</span>
        {offset}
      </span>
      <TierMark tier={tier} isRetired={region.retired !== null} />
      <span class="number">{share === null ? grouped(guestInstructions) : percent(share)}</span>
    </div>
  );
}
