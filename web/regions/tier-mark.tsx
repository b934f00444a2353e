/** What a region was translated to, as a mark: by colour, and by its letters for who does not tell the colours apart. */
import type { Tier } from '../../src/engines/statistics.ts';

// biome-ignore format: one row per line
export const tiers: Readonly<Record<Tier, { readonly title: string; readonly short: string; readonly colour: string }>> = {
  interpreter: { title: 'interpreted', short: 'int', colour: 'var(--tier-interpreter)' },
  javascriptBlocks: { title: 'JavaScript, block by block', short: 'JS', colour: 'var(--tier-blocks)' },
  javascriptRegions: { title: 'JavaScript', short: 'JS', colour: 'var(--tier-javascript)' },
  webassemblyRegions: { title: 'WebAssembly', short: 'Wasm', colour: 'var(--tier-webassembly)' },
};

export function TierMark({ tier, isRetired }: { readonly tier: Tier; readonly isRetired: boolean }) {
  const { title, short, colour } = tiers[tier];
  return (
    <span
      class={isRetired ? 'tier retired' : 'tier'}
      style={{ '--tier': colour }}
      title={isRetired ? `${title}; not used any more` : title}
    >
      {short}
    </span>
  );
}
