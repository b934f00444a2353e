/** Random numbers for stretches of instructions: the same ones for the same seed. */
import { generator } from '../float/cases.ts';

/** @returns a whole number from 0, less than its argument */
export type Random = (below: number) => number;

export function randomFrom(seed: number): Random {
  const next = generator(seed);
  return (below) => (next() >>> 0) % below;
}
