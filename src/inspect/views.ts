/** What `stele inspect` prints: a table of the hottest regions, and listings of regions with their stages. */
import { hex8 } from '../diagnostics/places.ts';
import { formatTable } from '../diagnostics/table.ts';
import type { Tier } from '../engines/statistics.ts';
import type { Palette } from './colours.ts';
import type { Expansion, RegionReport, Report, Totals } from './report.ts';
import type { StageLine } from './stages.ts';

// biome-ignore format: one row per line
const tierNames: Readonly<Record<Tier, string>> = {
  interpreter: 'interpreter',
  javascriptBlocks: 'JavaScript block',
  javascriptRegions: 'JavaScript',
  webassemblyRegions: 'WebAssembly',
};

const whole = (value: number | null): string => (value === null ? '-' : value.toLocaleString('en'));
const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);
const rate = (value: number): string => value.toFixed(1);

const rateOrNone = (value: number | null): string => (value === null ? '-' : rate(value));

/** The hottest regions, one per line, and what all of them come to. @param regions of the report, hottest first */
export function hotTable(
  { totals, hostCode }: Pick<Report, 'totals' | 'hostCode'>,
  regions: readonly RegionReport[],
): string {
  const hasRun = totals.executed !== null;
  const rows = regions.map((region) => [
    region.symbol === '' ? '-' : region.symbol,
    `0x${hex8(region.pc)}`,
    tierNames[region.tier],
    ...(hasRun ? [whole(region.entries), whole(region.executed), percent(region.share), percent(region.time)] : []),
    whole(region.guestInstructions),
    rate(region.expansion.ir),
    rate(region.expansion.optimized),
    rate(region.expansion.code),
    rateOrNone(region.expansion.host),
    rate(region.code.size / region.guestInstructions),
  ]);
  const counts = hasRun ? ['entries', 'executed', 'share', 'time'] : [];
  const header = ['function', 'pc', 'tier', ...counts, 'size', 'IR', 'optimized', 'code', 'host', 'bytes'];
  return `${formatTable(header, rows, 3)}\n\n${totalsText(totals, hostCode.note)}`;
}

/** "1 block", "1,200 blocks" */
const several = (count: number, one: string): string => `${whole(count)} ${one}${count === 1 ? '' : 's'}`;

function expansionText({ ir, optimized, code, host }: Expansion): string {
  const machine = host === null ? '' : `, ${rate(host)} machine instructions`;
  return `${rate(ir)} IR operations, ${rate(optimized)} optimized, ${rate(code)} of code${machine}`;
}

function totalsText(totals: Totals, hostNote: string): string {
  const { translations, guestInstructions, executed, translated, interpreted, uncounted } = totals;
  const lines = [`${several(translations, 'translation')} of ${several(guestInstructions, 'guest instruction')}`];
  if (executed !== null && translated !== null) {
    const share = executed === 0 ? 0 : translated / executed;
    lines.push(
      `${whole(executed)} guest instructions ran: ${whole(translated)} in translations (${percent(share)}), ${whole(interpreted)} in the interpreter`,
    );
  }
  if (uncounted > 0)
    lines.push(`${several(uncounted, 'translation')} had no room for counters: what they ran counts as interpreted`);
  lines.push(`for each guest instruction: ${expansionText(totals.expansion)}`);
  if (totals.executedExpansion !== null) {
    lines.push(`for each one that ran in them: ${expansionText(totals.executedExpansion)}`);
  }
  if (hostNote !== '') lines.push(`host: ${hostNote}`);
  lines.push(
    'size: guest instructions. For each of these, IR: operations as lifted; optimized: those that code is made of; code:',
    'instructions of WebAssembly, lines of JavaScript; host: machine instructions that V8 makes of that; bytes: of',
    'WebAssembly, characters of JavaScript',
  );
  return `${lines.join('\n')}\n`;
}

/** How wide the column of a stage's name is. */
const labelWidth = 'optimized'.length;

/**
 * A region with the lines of its stages under each guest instruction, in the order of addresses.
 * @param missing notes on stages that it does not have
 * @param region with lines; those of the stage `guest` are headings, whether or not they are among those asked for
 */
export function listing(region: RegionReport, missing: readonly string[], palette: Palette): string {
  const { symbol, pc, tier, entries, executed, share, guestInstructions, blocks, expansion, line } = region;
  const place = symbol === '' ? `0x${hex8(pc)}` : `${symbol} (0x${hex8(pc)})`;
  const out = [
    palette.heading(
      `${place}: ${tierNames[tier]}, ${several(guestInstructions, 'guest instruction')} in ${several(blocks.length, 'block')}`,
    ),
  ];
  if (line !== '') out.push(palette.faint(line));
  if (executed !== null) {
    out.push(
      palette.faint(
        `entered ${several(entries ?? 0, 'time')}; ran ${several(executed, 'guest instruction')}, ${percent(share)} of all`,
      ),
    );
  }
  out.push(
    palette.faint(
      `per guest instruction: ${rate(expansion.ir)} IR operations, ${rate(expansion.optimized)} optimized, ${rate(expansion.code)} ${tier === 'webassemblyRegions' ? 'WebAssembly instructions' : 'lines of JavaScript'}${expansion.host === null ? '' : `, ${rate(expansion.host)} machine instructions`}`,
    ),
  );
  for (const note of missing) out.push(palette.faint(note));
  const lines = region.lines ?? [];
  const print = ({ stage, text }: StageLine): void => {
    out.push(`  ${palette.faint(stage.padEnd(labelWidth))}  ${palette.code(stage, text)}`);
  };
  const outside = lines.filter((one) => one.block === undefined);
  if (outside.length > 0) {
    out.push('', palette.heading('the function as a whole'));
    outside.forEach(print);
  }
  const order = blocks.map((_, number) => number).sort((a, b) => blocks[a].pc - blocks[b].pc);
  for (const number of order) {
    const block = blocks[number];
    const ran = block.executions === null ? '' : `, ran ${several(block.executions, 'time')}`;
    const leads = block.successors.map((target) => hex8(target)).join(', ');
    const kind = block.guestInstructions === 0 ? ', the head of the loops around it' : '';
    out.push('', palette.heading(`block ${hex8(block.pc)}${kind}${ran}${leads === '' ? '' : `, leads to ${leads}`}`));
    const own = lines.filter((one) => one.block === number);
    const pcs = [...new Set(own.map((one) => one.pc as number))].sort((a, b) => a - b);
    for (const at of pcs) {
      const [guest, others] = [
        own.filter((one) => one.pc === at && one.stage === 'guest'),
        own.filter((one) => one.pc === at && one.stage !== 'guest'),
      ];
      const text = guest.map((one) => palette.code('guest', one.text)).join('; ');
      out.push(`${palette.faint(hex8(at))}  ${text}`.trimEnd());
      others.forEach(print);
    }
  }
  return `${out.join('\n')}\n`;
}
