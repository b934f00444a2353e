/** How hot something is, from 0 to 1, by how much of the whole ran in it. */

/** What is this much less than the whole is as cold as what never ran but was looked at. */
const decades = 4;

/**
 * By the logarithm, since the hottest code runs a thousand times as often as what is still worth a look.
 * @param whole what counts as 1
 */
export function heatOf(value: number | null, whole: number): number {
  if (value === null || value <= 0 || whole <= 0) return 0;
  return Math.min(1, Math.max(0.04, 1 + Math.log10(value / whole) / decades));
}

/** A colour of the page's scale of heat, from light to dark in one hue, so that it needs no sense for colours. */
export const heatColour = (heat: number): string =>
  heat === 0 ? 'var(--cold)' : `color-mix(in oklab, var(--hot) ${Math.round(100 * heat)}%, var(--warm))`;
