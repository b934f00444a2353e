/** Numbers as people read them. */

const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

export const grouped = (value: number): string => whole.format(value);

/** "8", "1,200", "12.3K", "2M": what fits on an edge of a graph. */
export const short = (value: number): string => (value < 10_000 ? whole.format(value) : compact.format(value));

/** A share of 1. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 99.95 || value === 0 ? value.toFixed(0) : value < 0.01 ? '<0.01' : value.toFixed(value < 0.1 ? 2 : 1)} %`;
}

export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;

/** "1 block", "1,200 blocks" */
export const several = (count: number, one: string): string => `${grouped(count)} ${one}${count === 1 ? '' : 's'}`;

/** An address as eight hexadecimal digits. */
export const hex = (address: number): string => (address >>> 0).toString(16).padStart(8, '0');
