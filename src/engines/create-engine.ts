/** Engines by the names that users give. */
import type { Engine, EngineOptions } from './engine.ts';
import { InterpretedEngine } from './interpreted/interpreted-engine.ts';
import { withEntryLog } from './log.ts';
import { TracedEngine } from './traced/traced-engine.ts';
import { traceeProgram } from './traced/tracee-program.ts';
import { TranslatedEngine } from './translated/translated-engine.ts';
import { VirtualizedEngine } from './virtualized/virtualized-engine.ts';

/** Engines that run any guest. */
export const portableEngineNames = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type PortableEngineName = (typeof portableEngineNames)[number];
export const engineNames = [...portableEngineNames, 'virtualized', 'traced'] as const;
export type EngineName = (typeof engineNames)[number];

/** An engine cannot run this guest on this machine; the message says why, in a clause. */
export class EngineUnavailable extends Error {}

/** @throws EngineUnavailable */
export function createEngine(name: EngineName, asked: EngineOptions): Engine {
  const { host, frontend } = asked;
  if (name === 'virtualized') return createVirtualizedEngine(asked);
  if (name === 'traced') return createTracedEngine(asked);
  const options = host.log?.wants('exec') ? { ...asked, frontend: withEntryLog(frontend, host) } : asked;
  if (name === 'interpreted') return new InterpretedEngine(options);
  return new TranslatedEngine(name, options);
}

function createVirtualizedEngine({ frontend, memory, host, createVirtualMachine }: EngineOptions): Engine {
  if (frontend.name !== 'x86-64') {
    throw new EngineUnavailable(`it runs x86-64 programs on the processor itself, and this one is ${frontend.name}`);
  }
  const machine = createVirtualMachine?.() ?? { reason: 'nobody offered a virtual machine' };
  if ('reason' in machine) throw new EngineUnavailable(machine.reason);
  return new VirtualizedEngine({ machine, memory, host });
}

function createTracedEngine({ frontend, memory, host, startTracedProcess }: EngineOptions): Engine {
  if (frontend.name !== 'x86-64' && frontend.name !== 'i386') {
    throw new EngineUnavailable(`it runs x86 programs on the processor itself, and this one is ${frontend.name}`);
  }
  const { minimum } = memory;
  const contents = memory.mappings().map(({ start, end }): [number, number] => [start - minimum, end - start]);
  const process = startTracedProcess?.(traceeProgram(), memory.guestPages(), contents) ?? {
    reason: 'nobody offered a traced process',
  };
  if ('reason' in process) throw new EngineUnavailable(process.reason);
  return new TracedEngine({ process, frontend, memory, host });
}
