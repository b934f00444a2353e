/** `stele run -g`: lets a debugger drive the guest. Loaded only when one is wanted. */
import { DebuggedEngine } from '../debugger/debugged-engine.ts';
import { Debugger } from '../debugger/debugger.ts';
import { powerpcTarget } from '../debugger/powerpc-target.ts';
import { auxiliaryVectorOf, type DebuggedProgram } from '../debugger/program.ts';
import type { DebugTarget } from '../debugger/registers.ts';
import { Session } from '../debugger/session.ts';
import { i386Target, x86_64Target } from '../debugger/x86-target.ts';
import { createEngine, type EngineName, portableEngineNames } from '../engines/create-engine.ts';
import type { Engine, EngineOptions } from '../engines/engine.ts';
import { writeError } from '../host/command.ts';
import { type DebuggerPort, openDebuggerPort } from '../host/debugger-port.ts';
import type { ExitStatus } from '../linux/process.ts';
import type { Guest } from './guest.ts';
import { UsageError } from './options.ts';

/** By the frontend's name. */
const targets: Readonly<Record<string, DebugTarget>> = {
  powerpc: powerpcTarget,
  i386: i386Target,
  'x86-64': x86_64Target,
};

/** What a debugged run needs. */
export interface Debugging {
  readonly debugger: Debugger;
  /** Tells the debugger how the guest ended; resolves when it has heard. */
  end(status: ExitStatus): Promise<void>;
}

/** The engine that a debugged guest runs on when the user wants another: those that run it on the processor cannot be stopped within it. */
export function debuggableEngine(name: EngineName): EngineName {
  if (portableEngineNames.some((portable) => portable === name)) return name;
  writeError(`stele: the engine ${name} cannot be debugged; using auto\n`);
  return 'auto';
}

/** Makes an engine that a debugger can drive. */
export const createDebuggedEngine = (name: EngineName, options: EngineOptions): Engine =>
  new DebuggedEngine(options, (own) => createEngine(name, own));

/** A guest whose engine is a debugged one, and what debuggers are told of its program. */
export function debugGuest(
  guest: Guest,
  path: string,
  file: Uint8Array,
): { debugged: Debugger; program: DebuggedProgram } {
  const { thread, frontend, engine, recentCalls } = guest;
  const program: DebuggedProgram = {
    target: targets[frontend.name],
    path: new TextEncoder().encode(path),
    file,
    auxiliaryVector: auxiliaryVectorOf(thread),
    recentCalls,
  };
  return { debugged: new Debugger(thread, engine as DebuggedEngine), program };
}

/**
 * Opens the port, and says so.
 * @param where a port's number or a path
 * @param path the program's, from the root
 * @param file its contents
 * @throws UsageError when the port cannot be opened
 */
export async function debug(where: string, guest: Guest, path: string, file: Uint8Array): Promise<Debugging> {
  const { debugged, program } = debugGuest(guest, path, file);
  let port: DebuggerPort;
  let isOver = false;
  try {
    port = await openDebuggerPort(where, (line) => {
      const session = new Session(debugged, program, line);
      return {
        received: (bytes) => session.received(bytes),
        closed: () => {
          if (isOver || session.isOver) return;
          debugged.lose();
          writeError(`stele: the debugger is gone; waiting for another one at ${port.place}\n`);
        },
      };
    });
  } catch (error) {
    throw new UsageError(`-g: ${where}: ${(error as Error).message}`);
  }
  writeError(`stele: waiting for a debugger; in gdb: target remote ${port.place}\n`);
  return {
    debugger: debugged,
    end: (status) => {
      isOver = true;
      debugged.ended(status);
      return port.close();
    },
  };
}
