/** Maps of generated code for Linux's perf (tools/perf/Documentation/jit-interface.txt), in which translations have the guest's names. */
import { entryOf } from '../engines/translated/region-facts.ts';
import { hex8, type Places, symbolicAddress } from './places.ts';

/** V8's marks of JavaScript code (src/objects/code-kind.cc). */
const tiers: Readonly<Record<string, string>> = {
  '~': 'bytecode',
  '^': 'baseline',
  "+'": 'maglev',
  '+': 'maglev',
  "*'": 'turbofan',
  '*': 'turbofan',
};

/** Address, size; then of WebAssembly "JS:name-index-turbofan", of JavaScript "JS:*'name script:line:column". */
const line = /^([\da-f]+ [\da-f]+) JS:(?:([\w$.]+)-\d+-(turbofan|liftoff)|([~^+*]'?)([\w$.]+) .*)$/gm;

/** @param text a map that V8 wrote @returns the same with lines such as "… fill+0x5c prog.c:22 turbofan" for translations */
export function guestPerfMap(text: string, places: Places): string {
  return text.replace(line, (whole, range: string, ...names: (string | undefined)[]) => {
    const [wasm, compiler, mark = '', javascript = ''] = names;
    const entry = entryOf(wasm ?? javascript);
    if (entry === undefined) return whole;
    const symbol = symbolicAddress(entry, places).replace(/\+0x0$/, '');
    const source = places.lineAt?.(entry);
    const parts = [symbol === '' ? `0x${hex8(entry)}` : symbol];
    if (source !== undefined) parts.push(`${source.file.replace(/.*\//, '')}:${source.line}`);
    parts.push(compiler ?? tiers[mark]);
    return `${range} ${parts.join(' ')}`;
  });
}
