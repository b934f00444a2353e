/** From a line of generated code back to the guest address that it came from. */

const scripts = new Map<string, readonly number[]>();

/** Remembers the guest addresses of a generated script's lines (from 1; -1 for none). */
export function addLines(url: string, pcs: readonly number[]): void {
  scripts.set(url, pcs);
}

/** The guest address that a line of a generated script came from; undefined for other scripts. */
export function guestAddressOf(url: string, line: number): number | undefined {
  const pc = scripts.get(url)?.[line];
  return pc === undefined || pc < 0 ? undefined : pc;
}
