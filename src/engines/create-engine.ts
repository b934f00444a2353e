/** Engines by the names that users give. */
import type { Engine, EngineOptions } from './engine.ts';
import type { EngineName } from './engine-names.ts';
import { InterpretedEngine } from './interpreted/interpreted-engine.ts';
import { withEntryLog } from './log.ts';
import { TracedEngine } from './traced/traced-engine.ts';
import { traceeProgram } from './traced/tracee-program.ts';
import { TranslatedEngine } from './translated/translated-engine.ts';
import { VirtualizedEngine } from './virtualized/virtualized-engine.ts';

export { type EngineName, engineNames, type PortableEngineName, portableEngineNames } from './engine-names.ts';

/** An engine cannot run this guest on this machine; the message says why, in a clause. */
export class EngineUnavailable extends Error {}

/** @throws EngineUnavailable */
export function createEngine(name: EngineName, asked: EngineOptions): Engine {
  const { host, frontend } = asked;
  const foreign = foreignGuest(name, frontend.name);
  if (foreign !== '') throw new EngineUnavailable(foreign);
  if (name === 'virtualized') return createVirtualizedEngine(asked);
  if (name === 'traced') return createTracedEngine(asked);
  const options = host.log?.wants('exec') ? { ...asked, frontend: withEntryLog(frontend, host) } : asked;
  if (name === 'interpreted') return new InterpretedEngine(options);
  return new TranslatedEngine(name, options);
}

/** Why an engine cannot run guests of a kind, wherever that is, as a clause; empty where it can. @param guest a frontend's name */
export function foreignGuest(name: EngineName, guest: string): string {
  if (name === 'virtualized' && guest !== 'x86-64') {
    return `it runs x86-64 programs on the processor itself, and this one is ${guest}`;
  }
  if (name === 'traced' && guest !== 'x86-64' && guest !== 'i386') {
    return `it runs x86 programs on the processor itself, and this one is ${guest}`;
  }
  return '';
}

function createVirtualizedEngine({ memory, host, createVirtualMachine }: EngineOptions): Engine {
  const machine = createVirtualMachine?.() ?? { reason: 'nobody offered a virtual machine' };
  if ('reason' in machine) throw new EngineUnavailable(machine.reason);
  return new VirtualizedEngine({ machine, memory, host });
}

function createTracedEngine({ frontend, memory, host, startTracedProcess }: EngineOptions): Engine {
  const { minimum } = memory;
  const contents = memory.mappings().map(({ start, end }): [number, number] => [start - minimum, end - start]);
  const process = startTracedProcess?.(traceeProgram(), memory.guestPages(), contents) ?? {
    reason: 'nobody offered a traced process',
  };
  if ('reason' in process) throw new EngineUnavailable(process.reason);
  return new TracedEngine({ process, frontend, memory, host });
}
