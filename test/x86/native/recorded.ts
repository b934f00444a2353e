/**
 * Outcomes of the sample's cases as an x86-64 processor left them, for hosts that are not one. `record.ts` writes the files.
 *
 * A file is compressed with Brotli: for each case a checksum (4 bytes, little-endian), then for each case the bytes of its
 * outcome, XORed with those of an outcome that changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { type Case, Outcome, outcomeSize } from './case.ts';
import { floatingParts } from './registers.ts';
import { type Batch, sample } from './sample.ts';

/** What the tests run and the files hold. */
export const sampleOptions = { instructions: 1, states: 4, seed: 1 } as const;

const fileOf = (mode: 32 | 64): string => join(import.meta.dirname, `recorded-${mode}.br`);

const rewrite = 'npx node test/x86/native/record.ts, on an x86-64 Linux host, writes it anew';

/** FNV-1a. */
function checksum(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}

/** The outcome of an instruction that changes nothing. */
function unchanged(one: Case): Outcome {
  const outcome = new Outcome();
  outcome.registers.set(one.registers);
  outcome.flags = one.flags;
  outcome.fx.set(one.fx);
  outcome.window.set(one.window);
  return outcome;
}

/** XORs an outcome, as far as it is compared, with that of an instruction that changes nothing. Twice gives it back. */
function difference(mode: 32 | 64, one: Case, outcome: Outcome): Uint8Array {
  const base = unchanged(one);
  const compared = new Outcome(outcome.bytes.slice());
  compared.address = 0;
  compared.siCode = 0;
  compared.fx.set(base.fx);
  for (const { at, size } of floatingParts(mode)) compared.fx.set(outcome.fx.subarray(at, at + size), at);
  return compared.bytes.map((byte, n) => byte ^ base.bytes[n]);
}

const sampleOf = (mode: 32 | 64): Batch[] => [...sample({ mode, ...sampleOptions })];

export function writeRecording(mode: 32 | 64, run: (cases: readonly Case[]) => readonly Outcome[]): void {
  const cases = sampleOf(mode).flatMap((batch) => batch.cases);
  const sums = Uint32Array.from(cases, ({ bytes }) => checksum(bytes));
  const outcomes = run(cases).map((outcome, n) => difference(mode, cases[n], outcome));
  writeFileSync(fileOf(mode), brotliCompressSync(Buffer.concat([new Uint8Array(sums.buffer), ...outcomes])));
}

/** The sample with its recorded outcomes. @throws Error when the recording is of other cases */
export function readRecording(mode: 32 | 64): (readonly [Batch, readonly Outcome[]])[] {
  const bytes = new Uint8Array(brotliDecompressSync(readFileSync(fileOf(mode))));
  const count = bytes.length / (4 + outcomeSize);
  const view = new DataView(bytes.buffer);
  let n = 0;
  const read = sampleOf(mode).map((batch) => {
    const outcomes = batch.cases.map((one) => {
      if (n >= count || view.getUint32(4 * n, true) !== checksum(one.bytes)) {
        throw new Error(
          `${fileOf(mode)} has not the outcomes of these cases: rows or the generator changed; ${rewrite}`,
        );
      }
      const at = 4 * count + outcomeSize * n++;
      const changed = new Outcome(bytes.slice(at, at + outcomeSize));
      const base = unchanged(one).bytes;
      for (let byte = 0; byte < outcomeSize; byte++) changed.bytes[byte] ^= base[byte];
      return changed;
    });
    return [batch, outcomes] as const;
  });
  if (n !== count) throw new Error(`${fileOf(mode)} has outcomes of more cases than there are; ${rewrite}`);
  return read;
}
