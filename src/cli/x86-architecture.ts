/** What i386 and x86-64 programs run with. Loaded for these only (scripts/build.mjs). */
import { x86Frontend } from '../../translators/x86/frontend.ts';
import { i386, i386From64 } from '../linux/abi/i386.ts';
import { x86_64 } from '../linux/abi/x86-64.ts';
import { i386Signals } from '../linux/signal-frame-i386.ts';
import { x86_64Signals } from '../linux/signal-frame-x86-64.ts';
import type { Architecture } from './guest.ts';

/** @param mode width of the program's addresses in bits */
export function x86Architecture(mode: 32 | 64): Architecture {
  const frontend = x86Frontend(mode);
  return mode === 64
    ? { frontend, abi: x86_64, signals: x86_64Signals, otherAbi: i386From64 }
    : { frontend, abi: i386, signals: i386Signals };
}
