/** x87 instructions against the processor: random cases of every instruction, mode and kind of operand. */
import { describe, expect, it } from 'vitest';
import { distantSums, transcendental } from './x87-cases.ts';
import { answerSize, X87Guest } from './x87-guest.ts';
import { makeCases, recordedAnswers, recordedSample, runNatively, subjectOf, withoutAddresses } from './x87-oracle.ts';

interface Difference {
  readonly code: string;
  readonly given: string;
  readonly processor: string;
  readonly ours: string;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A register of an answer as a distance from 0 in units in the last place, for numbers of one sign. */
function place(view: DataView, i: number): bigint {
  return (
    (BigInt(view.getUint16(36 + 10 * i, true)) << 63n) + (view.getBigUint64(28 + 10 * i, true) & ((1n << 63n) - 1n))
  );
}

/** Takes over results of the processor that are one unit away, and whether it rounded up. @returns how many */
function forgiveUnits(processor: Uint8Array, ours: Uint8Array): number {
  const theirs = new DataView(processor.buffer, processor.byteOffset);
  const view = new DataView(ours.buffer, ours.byteOffset);
  let count = 0;
  for (let i = 0; i < 2; i++) {
    const distance = place(theirs, i) - place(view, i);
    if (distance !== 1n && distance !== -1n) continue;
    ours.set(processor.subarray(28 + 10 * i, 38 + 10 * i), 28 + 10 * i);
    count++;
  }
  const isInexact = (processor[4] & 0x20) !== 0;
  if (isInexact) ours[5] = (ours[5] & ~2) | (processor[5] & 2);
  return count;
}

function compare(cases: readonly Uint8Array[], answers: Uint8Array, guest: X87Guest) {
  const known = withoutAddresses(answers);
  const differences: Difference[] = [];
  let unitsAway = 0;
  cases.forEach((test, n) => {
    const processor = known.subarray(n * answerSize, (n + 1) * answerSize);
    const { answer, exit } = guest.run(test);
    const ours = withoutAddresses(answer);
    if (transcendental.has(subjectOf(n))) unitsAway += forgiveUnits(processor, ours);
    if (exit === 'none' && Buffer.from(processor).equals(Buffer.from(ours))) return;
    const code = `${hex(test.subarray(132, 134))} ${exit}`;
    differences.push({ code, given: hex(test.subarray(0, 128)), processor: hex(processor), ours: hex(ours) });
  });
  return { differences, unitsAway };
}

describe('x87 instructions', () => {
  it('do what a processor did in recorded cases', () => {
    const cases = recordedSample();
    const { differences, unitsAway } = compare(cases, recordedAnswers(cases), new X87Guest());
    expect(differences).toEqual([]);
    // Of 200 results, that of a function is hardly ever another neighbour of the exact one than the processor's.
    expect(unitsAway).toBeLessThan(10);
  });

  it('add in the kernel as in the helpers what is far apart', () => {
    const exact = new X87Guest();
    const kernel = new X87Guest(true);
    const different = distantSums().filter((test) => hex(exact.run(test).answer) !== hex(kernel.run(test).answer));
    expect(different.map(hex)).toEqual([]);
    expect(kernel.slowCalls).toBeLessThan(300);
  });

  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  const count = Number(process.env.COUNT ?? 1300);
  for (const [title, withKernel, exact] of [
    ['by helpers', false, true],
    ['by the kernel', true, true],
    ['by the kernel where no exception is unmasked', true, false],
  ] as const) {
    it(`do what this processor does, ${title} (seed ${seed})`, () => {
      const cases = makeCases(seed, count, !exact);
      const answers = runNatively(cases);
      if (answers === undefined) {
        console.log('left out: comparisons with an x86-64 processor, which take one and gcc');
        return;
      }
      const guest = new X87Guest(withKernel, exact);
      expect(compare(cases, answers, guest).differences).toEqual([]);
      if (withKernel) {
        // Not everything is left to the helpers, nor nothing.
        expect(guest.slowCalls).toBeGreaterThan(count / 20);
        expect(guest.slowCalls).toBeLessThan(count / 2);
      }
    });
  }
});
