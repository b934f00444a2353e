/** Writes docs/system-calls.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { abis } from '../src/linux/abi/abis.ts';
import { coveragePage } from '../src/linux/coverage.ts';
import { systemCalls } from '../src/linux/table.ts';

const directory = new URL('../docs/', import.meta.url);
mkdirSync(directory, { recursive: true });
writeFileSync(new URL('system-calls.md', directory), coveragePage(abis, systemCalls));
