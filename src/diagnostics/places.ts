/** How places in a guest program are named: by symbol, by source line, by address. */

/** What addresses are looked up in. */
export interface Places {
  /** The symbol that holds a guest address. */
  symbolAt(address: number): { readonly name: string; readonly start: number } | undefined;
  /** The source line of a guest address, where the program has line tables. */
  lineAt?(address: number): { readonly file: string; readonly line: number } | undefined;
}

/** An address as eight hexadecimal digits, without a prefix. */
export const hex8 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** "main+0x1c"; empty where no symbol holds the address. */
export function symbolicAddress(address: number, places: Places): string {
  const symbol = places.symbolAt(address);
  return symbol === undefined ? '' : `${symbol.name}+0x${(address - symbol.start).toString(16)}`;
}
