/** Source maps (revision 3) from generated code to the guest code that it was made from. */
import { pageSize } from '../../translators/memory-view.ts';
import { hex8, type Places, symbolicAddress } from './places.ts';

/** The members of a source map that are made here: https://tc39.es/ecma426/ */
export interface SourceMap {
  readonly version: number;
  readonly file: string;
  readonly sources: string[];
  readonly names: string[];
  readonly mappings: string;
}

/**
 * Maps each line of a generated script to the guest address that it came from. The original position is the source
 * line where the program has line tables, else the byte (from 1) of the function `guest:SYMBOL`, or of the page
 * `guest:0x10000000` where there is no symbol either; its name is "main+0x1c [0x1000041c]".
 * @param pcs for each line of the script, from 1, the guest address or -1
 */
export function guestSourceMap(file: string, pcs: readonly number[], places: Places): SourceMap {
  const sources = new Index();
  const names = new Index();
  /** Source, line, column and name of the last segment; what follows is relative to it. */
  let last = [0, 0, 0];
  let mappings = '';
  for (let line = 1; line < pcs.length; line++) {
    const pc = pcs[line];
    if (pc >= 0) {
      const place = placeOf(pc, places);
      const segment = [sources.of(place.source), place.line - 1, names.of(place.name)];
      mappings += encode(0) + encode(segment[0] - last[0]) + encode(segment[1] - last[1]) + encode(0);
      mappings += encode(segment[2] - last[2]);
      last = segment;
    }
    mappings += ';';
  }
  return { version: 3, file, sources: sources.texts, names: names.texts, mappings };
}

function placeOf(pc: number, places: Places): { source: string; line: number; name: string } {
  const symbol = places.symbolAt(pc);
  const name = `${symbolicAddress(pc, places)} [0x${hex8(pc)}]`.trimStart();
  const line = places.lineAt?.(pc);
  if (line !== undefined) return { source: line.file, line: line.line, name };
  if (symbol !== undefined) return { source: `guest:${symbol.name}`, line: pc - symbol.start + 1, name };
  const offset = pc & (pageSize - 1);
  return { source: `guest:0x${hex8(pc - offset)}`, line: offset + 1, name };
}

/** Numbers texts in the order of their first use. */
class Index {
  readonly texts: string[] = [];
  private readonly numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.numbers.set(text, number);
      this.texts.push(text);
    }
    return number;
  }
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 VLQ: groups of five bits, lowest first; the lowest bit of all is the sign, the sixth bit of a group says that more follow. */
function encode(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const group = rest & 31;
    rest >>>= 5;
    text += digits[rest > 0 ? group | 32 : group];
  } while (rest > 0);
  return text;
}
