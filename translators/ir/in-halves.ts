/** Whether a guest needs doublewords and vectors in halves; the classes for these (halves.ts) are made only then. */
import type { Frontend } from '../frontend.ts';
import { toHalves } from './halves.ts';
import { halfTypes } from './types.ts';

/** The frontend in halves; itself when it has no register that is wider than its halves. */
export function inHalves(frontend: Frontend): Frontend {
  const comesWhole = frontend.registers.registers.every(({ type }) => halfTypes[type] === undefined);
  return comesWhole ? frontend : toHalves(frontend);
}
