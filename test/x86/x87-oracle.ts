/** What the processor does in cases of x87 instructions: run here, where it is an x86-64 one with gcc, or as recorded. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CaseGenerator, subjects } from './x87-cases.ts';
import { answerSize, stateSize } from './x87-guest.ts';

const source = join(import.meta.dirname, 'native/x87-runner.c');
const recordingPath = join(import.meta.dirname, 'native/x87-recorded.bin');

/** Answers of the processor that this runs on, or undefined where it is another kind or there is no compiler. */
export function runNatively(cases: readonly Uint8Array[]): Uint8Array | undefined {
  if (process.arch !== 'x64' || process.platform !== 'linux') return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'stele-x87-'));
  try {
    const runner = join(directory, 'runner');
    if (spawnSync('gcc', ['-O2', '-o', runner, source]).status !== 0) return undefined;
    const run = spawnSync(runner, { input: Buffer.concat(cases), maxBuffer: 2 ** 30 });
    if (run.status !== 0) throw new Error(`the native runner ended with ${run.status ?? run.signal}`);
    return run.stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A case's bytes where the answer has its own: most of an answer is what went in. */
function expected(test: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(answerSize);
  bytes.set(test.subarray(0, stateSize));
  bytes.set(test.subarray(112, 128), 112);
  return bytes;
}

function differences(cases: readonly Uint8Array[], answers: Uint8Array): Uint8Array {
  return answers.map((byte, at) => byte ^ expected(cases[Math.floor(at / answerSize)])[at % answerSize]);
}

export function writeRecording(cases: readonly Uint8Array[], answers: Uint8Array): void {
  writeFileSync(recordingPath, deflateRawSync(differences(cases, withoutAddresses(answers)), { level: 9 }));
}

/** The cases that are recorded. */
export function recordedSample(): Uint8Array[] {
  return makeCases(1, 1560, false);
}

/** Cases of all subjects in turn. */
export function makeCases(seed: number, count: number, allMasked: boolean): Uint8Array[] {
  const generator = new CaseGenerator(seed);
  return Array.from({ length: count }, (_, n) => generator.make(subjectOf(n), allMasked));
}

const names = Object.keys(subjects);

/** The subject of case n. */
export const subjectOf = (n: number): string => names[n % names.length];

export function recordedAnswers(cases: readonly Uint8Array[]): Uint8Array {
  const recorded = inflateRawSync(readFileSync(recordingPath));
  if (recorded.length !== cases.length * answerSize) {
    throw new Error('x87-recorded.bin was made of other cases: npx node test/x86/native/record-x87.ts writes it anew');
  }
  return differences(cases, recorded);
}

/** Addresses and selectors of the last instruction and its operand, which differ from run to run, cleared. */
export function withoutAddresses(answers: Uint8Array): Uint8Array {
  const cleared = answers.slice();
  for (let at = 0; at < cleared.length; at += answerSize) cleared.fill(0, at + 12, at + 28);
  return cleared;
}
