/** Writes docs/options.md and docs/machines.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { machinesPage } from '../src/cli/machines-page.ts';
import { optionsPage } from '../src/cli/options-page.ts';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/options.md', root), optionsPage());
writeFileSync(
  new URL('docs/machines.md', root),
  machinesPage(readFileSync(new URL('examples/machines.yaml', root), 'utf8')),
);
