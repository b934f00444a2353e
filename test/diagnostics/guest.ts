/** Runs guest programs within the test's own process. */
import { readFileSync } from 'node:fs';
import { createGuest, type Guest, type GuestOptions } from '../../src/cli/guest.ts';
import type { EngineName } from '../../src/engines/create-engine.ts';
import type { Log } from '../../src/engines/engine.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import { openNowhere, RedirectedFiles } from '../../src/host/redirected-files.ts';
import type { CallObserver } from '../../src/linux/dispatch.ts';
import { binaryPath } from '../guests/programs.ts';

interface Extra {
  readonly observer?: CallObserver;
  readonly log?: Log;
  readonly createEngine?: GuestOptions['createEngine'];
  /** Behind the program's name. */
  readonly arguments?: readonly string[];
}

export function makeGuest(name: string, engine: EngineName, extra: Extra = {}): Guest {
  const path = new TextEncoder().encode(name);
  return createGuest({
    file: readFileSync(binaryPath(name)),
    path,
    environment: [],
    system: new NodeSystem(),
    fileHost: new RedirectedFiles(new Map([[1, openNowhere()]])),
    stackLimit: 8 << 20,
    engine,
    measure: false,
    ...extra,
    arguments: [name, ...(extra.arguments ?? [])].map((text) => new TextEncoder().encode(text)),
  });
}
