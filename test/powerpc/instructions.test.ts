import { describe, expect, it } from 'vitest';
import { decode, rows } from '../../translators/powerpc/decode.ts';
import { disassemble } from '../../translators/powerpc/disassemble.ts';
import { dataAddress, Guest, pattern } from './guest.ts';
import { type Case, cases } from './instruction-cases.ts';

const guest = new Guest();

const hexadecimal = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Floating-point results show the status register only where it is the instruction's subject. */
const showsStatus = (text: string): boolean => /^m(tfs|ffs|crfs)/.test(text);

/** Runs a case and says what changed, in the form of the table. */
function outcome([text, word, before]: Case): string {
  guest.reset();
  const start = new Map<string, bigint>();
  for (const assignment of before.split(' ').filter((part) => part !== '')) {
    const [name, value] = assignment.split('=');
    guest.set(name, BigInt(`0x${value}`));
    start.set(name, BigInt(`0x${value}`));
  }
  const reason = guest.run([word]);
  if (reason !== 'none') return reason;
  const changes: string[] = [];
  for (const name of [...Guest.names, 'vrsave']) {
    if (name === 'fpscr' && !showsStatus(text)) continue;
    const value = guest.get(name);
    if (value !== (start.get(name) ?? 0n)) changes.push(`${name}=${value.toString(16)}`);
  }
  const data = guest.memory.readBytes(dataAddress, 0x1000);
  const first = data.findIndex((byte, index) => byte !== pattern[index]);
  if (first >= 0) {
    const last = data.findLastIndex((byte, index) => byte !== pattern[index]);
    changes.push(`memory+${first.toString(16)}=${hexadecimal(data.subarray(first, last + 1))}`);
  }
  return changes.join(' ');
}

const families = Map.groupBy(cases, ([, word]) => rows[decode(word)][0]);

describe.each([true, false])('with exact floating point: %s', (exact) => {
  it.each([...families])('%s', (_name, family) => {
    guest.exact = exact;
    for (const row of family) {
      expect(`${row[0]} | ${row[2]} -> ${outcome(row)}`).toBe(`${row[0]} | ${row[2]} -> ${row[3]}`);
    }
  });
});

it('disassembles every case as objdump does', () => {
  for (const [text, word] of cases) expect(disassemble(word, 0).replace(/ +/, ' ')).toBe(text);
});

it('leaves no instruction without a case', () => {
  // control.test.ts and memory.test.ts cover these.
  const elsewhere =
    /^(b|bc|bclr|bcctr|sc|twi?|rfi|m[tf]msr|m[tf]sr|m[tf]srin|tlb(ie|ia|sync)|dcbi|l[bhw]arx|st[bhw]cx\.|lwarx)$/;
  const without = rows.map((row) => row[0]).filter((name) => !families.has(name) && !elsewhere.test(name));
  expect(without).toEqual([]);
});
