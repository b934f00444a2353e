/** All ABIs, for what tells about them; a program needs one (src/cli/guest.ts). */
import type { Abi } from './abi.ts';
import { i386 } from './i386.ts';
import { powerpc } from './powerpc.ts';
import { x86_64 } from './x86-64.ts';

export const abis: readonly Abi[] = [powerpc, i386, x86_64];
