/** Interrupts a guest that runs too long: a thread of its own, since guest code leaves this one no time. */
import { workerData } from 'node:worker_threads';

/** words: the guest's memory; interrupt: index of the interrupt word. control: [deadline counter in milliseconds, stop] */
const { words, interrupt, control } = workerData as { words: Int32Array; interrupt: number; control: Int32Array };

/** Value of the interrupt word that means: this takes too long. */
const tooLong = 2;
const step = 50;

for (;;) {
  Atomics.wait(control, 1, 0, step);
  if (Atomics.load(control, 1) !== 0) break;
  const left = Atomics.load(control, 0);
  if (left <= 0) continue;
  Atomics.sub(control, 0, step);
  if (left <= step) Atomics.store(words, interrupt, tooLong);
}
