/** The time line of a run: which tier ran how much when, and what went into translating. */
import * as Plot from '@observablehq/plot';
import { useMemo } from 'preact/hooks';
import type { Summary } from '../../src/inspect/page-data.ts';
import { choose } from '../regions/chosen.ts';
import { nameOf } from '../regions/find-regions.ts';
import { grouped, milliseconds, percent } from '../regions/numbers.ts';
import { tiers } from '../regions/tier-mark.tsx';
import { source } from '../report/source.ts';
import { change } from '../state/view.ts';
import { Chart, type ChartProps } from './chart.tsx';
import { lanesOf, type Phase, phases, type Rate, ratesOf, tierSums, type Work, workOf } from './run-data.ts';

/** Lanes of the chart of regions. */
const laneLimit = 40;
/** Pixels between the bars of a chart. */
const binWidth = 6;

// biome-ignore format: one row per line
const phaseColours: Readonly<Record<Phase, string>> = {
  lift: 'var(--phase-lift)',
  optimize: 'var(--phase-optimize)',
  emit: 'var(--phase-emit)',
  compile: 'var(--phase-compile)',
};

export function TimeLine() {
  const summary = source.value?.summary;
  if (summary === undefined) return <p class="empty">There is no report on this page.</p>;
  return <Run summary={summary} />;
}

/** When the run ended; where nothing ran, when the last region was ready. */
function endOf({ timeline, regions }: Summary): number {
  return Math.max(timeline?.at.at(-1) ?? 0, ...regions.map(({ madeAt }) => madeAt), 1);
}

interface Charts {
  readonly speed: ChartProps['draw'];
  readonly shares: ChartProps['draw'];
  readonly work: ChartProps['draw'];
}

function chartsOf({ timeline, regions }: Summary, end: number): Charts {
  const x = { label: 'milliseconds since the program began', domain: [0, end] };
  const rates = (width: number): Rate[] => (timeline === null ? [] : ratesOf(timeline, width / binWidth));
  const bars = { x1: 'from', x2: 'end', y: 'perSecond', fill: ({ tier }: Rate) => tiers[tier].colour, inset: 0 };
  return {
    speed: (width) => ({
      height: 170,
      x: { ...x, label: null },
      y: { label: 'guest instructions per second', grid: true, tickFormat: 's' },
      marks: [Plot.rectY(rates(width), Plot.stackY(bars)), Plot.ruleY([0])],
    }),
    shares: (width) => ({
      height: 96,
      x,
      y: { label: 'share of them, %', percent: true, ticks: [0, 50, 100] },
      marks: [Plot.rectY(rates(width), Plot.stackY({ offset: 'normalize' }, bars)), Plot.ruleY([0])],
    }),
    work: (width) => {
      const bins = Math.max(1, Math.floor(width / binWidth));
      return {
        height: 150,
        x,
        y: { label: 'share of the time, %', grid: true, percent: true, domain: [0, 100] },
        marks: [
          Plot.rectY(
            workOf(regions, end, bins).filter(({ time }) => time > 0),
            Plot.stackY({
              x1: 'from',
              x2: 'end',
              y: ({ time }: Work) => (time * bins) / end,
              fill: ({ phase }: Work) => phaseColours[phase],
              order: ({ phase }: Work) => phases.indexOf(phase),
              inset: 0,
            }),
          ),
          Plot.ruleY([0]),
        ],
      };
    },
  };
}

function Run({ summary }: { readonly summary: Summary }) {
  const { timeline, regions, totals } = summary;
  const end = useMemo(() => endOf(summary), [summary]);
  const charts = useMemo(() => chartsOf(summary, end), [summary, end]);
  const lanes = useMemo(() => lanesOf(regions, end, laneLimit), [regions, end]);
  return (
    <div class="time">
      <section>
        <h2>Speed, by tier</h2>
        {timeline === null ? (
          <p class="soft">Nothing ran: the program was only translated.</p>
        ) : (
          <>
            <Legend
              rows={tierSums(regions, totals.interpreted).map(({ tier }) => [tiers[tier].title, tiers[tier].colour])}
            />
            <Chart label="Guest instructions per second, by tier" draw={charts.speed} />
            <Chart label="Share of each tier in what ran" draw={charts.shares} />
          </>
        )}
      </section>
      <section>
        <h2>Time spent translating</h2>
        <Legend rows={phases.map((phase) => [phase, phaseColours[phase]])} />
        <Chart label="Share of the time that went into translating" draw={charts.work} />
      </section>
      <Tiers summary={summary} />
      <section>
        <h2>
          {regions.length > laneLimit ? `The ${laneLimit} hottest regions` : 'Regions'}, from when they are ready{' '}
          <span class="soft">to when they are not used any more</span>
        </h2>
        <div class="lanes">
          {lanes.map((lane) => (
            <button
              key={lane.region.number}
              type="button"
              title={`ready after ${milliseconds(lane.from)}; look at it`}
              onClick={() => {
                choose(lane.region);
                change({ tab: 'regions' });
              }}
            >
              <code>{nameOf(lane.region)}</code>
              <span class="track">
                <i
                  style={{
                    left: `${(100 * lane.from) / end}%`,
                    width: `max(2px, ${(100 * (lane.end - lane.from)) / end}%)`,
                    background: tiers[lane.region.tier].colour,
                  }}
                />
              </span>
              <span class="number">{lane.region.share === null ? '' : percent(lane.region.share)}</span>
            </button>
          ))}
        </div>
      </section>
    </div>
  );
}

function Legend({ rows }: { readonly rows: readonly (readonly [name: string, colour: string])[] }) {
  return (
    <p class="legend">
      {rows.map(([name, colour]) => (
        <span key={name}>
          <i style={{ background: colour }} />
          {name}
        </span>
      ))}
    </p>
  );
}

/** What each tier ran and cost. */
function Tiers({ summary: { regions, totals } }: { readonly summary: Summary }) {
  const sums = useMemo(() => tierSums(regions, totals.interpreted), [regions, totals]);
  const { executed } = totals;
  return (
    <section>
      <h2>Tiers</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">tier</th>
              <th scope="col">regions</th>
              <th scope="col">replaced</th>
              <th scope="col">guest instructions</th>
              <th scope="col">ran</th>
              <th scope="col">share</th>
              {phases.map((phase) => (
                <th scope="col" key={phase}>
                  {phase}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sums.map((sum) => (
              <tr key={sum.tier}>
                <th scope="row">
                  <i style={{ background: tiers[sum.tier].colour }} />
                  {tiers[sum.tier].title}
                </th>
                <td>{sum.tier === 'interpreter' ? '' : grouped(sum.regions)}</td>
                <td>{sum.tier === 'interpreter' ? '' : grouped(sum.retired)}</td>
                <td>{sum.tier === 'interpreter' ? '' : grouped(sum.guestInstructions)}</td>
                <td>{executed === null ? '' : grouped(sum.executed)}</td>
                <td>{executed === null || executed === 0 ? '' : percent(sum.executed / executed)}</td>
                {phases.map((phase) => (
                  <td key={phase}>{sum.tier === 'interpreter' ? '' : milliseconds(sum.times[phase])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
