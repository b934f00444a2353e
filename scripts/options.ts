/** Writes docs/options.md. */
import { writeFileSync } from 'node:fs';
import { optionsPage } from '../src/cli/options-page.ts';

writeFileSync(new URL('../docs/options.md', import.meta.url), optionsPage());
