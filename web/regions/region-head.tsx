/** What there is to say about a region: name, tier, how much ran in it, and how much longer it became with each stage. */
import type { RegionSummary } from '../../src/inspect/page-data.ts';
import { nameOf, timeToMake } from './find-regions.ts';
import { grouped, hex, milliseconds, percent, several } from './numbers.ts';
import { panes, shownPanes, togglePane } from './panes.tsx';
import { TierMark, tiers } from './tier-mark.tsx';

/** Why a translation was taken out of use. */
const reasons: Readonly<Record<NonNullable<RegionSummary['retired']>['why'], string>> = {
  codeChange: 'the guest changed its code',
  assumptions: 'all code was made anew by other rules',
  indirectTarget: 'an indirect jump took another target',
  coldCode: 'code ran that it left out',
};

export function RegionHead({ region }: { readonly region: RegionSummary }) {
  const { symbol, pc, line, tier, retired, madeAt, times, blockCount } = region;
  const made = `lift ${milliseconds(times.lift)}, optimize ${milliseconds(times.optimize)}, emit ${milliseconds(times.emit)}, compile ${milliseconds(times.compile)}`;
  return (
    <header class="region-head">
      <div class="title">
        <h2>{nameOf(region)}</h2>
        <TierMark tier={tier} isRetired={retired !== null} />
        {symbol !== '' && <code>0x{hex(pc)}</code>}
        {line !== '' && <code class="line">{line}</code>}
      </div>
      <div class="pane-switches" role="toolbar" aria-label="Panes">
        {panes.map(({ id, title, doc }, index) => (
          <button
            key={id}
            type="button"
            aria-pressed={shownPanes().includes(id)}
            title={`${title}: ${doc} (${index + 1})`}
            onClick={() => togglePane(id)}
          >
            {id === 'code' ? tiers[tier].short : title}
          </button>
        ))}
      </div>
      <div class="measures">
        <dl class="facts">
          {region.executed !== null && <Fact name="of all" value={percent(region.share ?? 0)} />}
          {region.executed !== null && <Fact name="instructions" value={grouped(region.executed)} />}
          {region.entries !== null && <Fact name="entered" value={`${grouped(region.entries)} ×`} />}
          <Fact name="blocks" value={grouped(blockCount)} />
          <Fact name="made in" value={milliseconds(timeToMake(region))} title={made} />
          <Fact name="ready at" value={milliseconds(madeAt)} />
          {retired !== null && <Fact name={`until: ${reasons[retired.why]}`} value={milliseconds(retired.at)} />}
        </dl>
        <Stages region={region} />
      </div>
    </header>
  );
}

function Fact({ name, value, title }: { readonly name: string; readonly value: string; readonly title?: string }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Guest instructions, and how many operations and lines came from them. */
function Stages({ region }: { readonly region: RegionSummary }) {
  const { guestInstructions, operations, optimizedOperations, code, host, expansion, tier } = region;
  const stages = [
    { name: 'guest', count: guestInstructions, ratio: undefined },
    { name: 'IR', count: operations, ratio: expansion.ir },
    { name: 'optimized', count: optimizedOperations, ratio: expansion.optimized },
    {
      name: tiers[tier].short === 'Wasm' ? 'WebAssembly' : 'JavaScript lines',
      count: code.lines,
      ratio: expansion.code,
    },
    ...(host === null ? [] : [{ name: 'host', count: host.instructions, ratio: expansion.host ?? 0 }]),
  ];
  return (
    <ol class="stages" aria-label={`${several(guestInstructions, 'guest instruction')} and what became of them`}>
      {stages.map(({ name, count, ratio }) => (
        <li key={name}>
          <b>{grouped(count)}</b> {name}
          {ratio !== undefined && <small>{ratio.toFixed(1)}×</small>}
        </li>
      ))}
    </ol>
  );
}
