/** Runs guest programs within the test's own process. */
import { readFileSync } from 'node:fs';
import { createGuest, type Guest } from '../../src/cli/guest.ts';
import type { EngineName } from '../../src/engines/create-engine.ts';
import type { Log } from '../../src/engines/engine.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import type { CallObserver } from '../../src/linux/dispatch.ts';
import { binaryPath } from '../guests/programs.ts';

export function makeGuest(name: string, engine: EngineName, extra: { observer?: CallObserver; log?: Log } = {}): Guest {
  const path = new TextEncoder().encode(name);
  return createGuest({
    file: readFileSync(binaryPath(name)),
    path,
    arguments: [path],
    environment: [],
    system: new NodeSystem(),
    fileHost: new NodeFiles(),
    stackLimit: 8 << 20,
    engine,
    measure: false,
    ...extra,
  });
}
