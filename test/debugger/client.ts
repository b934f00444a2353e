/** A debugger for tests: speaks the protocol to a guest that runs in the test's own process. */
import { readFileSync } from 'node:fs';
import { createDebuggedEngine, debugGuest } from '../../src/cli/debug.ts';
import { createGuest } from '../../src/cli/guest.ts';
import type { Debugger } from '../../src/debugger/debugger.ts';
import { type Arrival, bytesOf, encodePacket, PacketReader, textOf } from '../../src/debugger/packets.ts';
import { Session } from '../../src/debugger/session.ts';
import type { ElfImage } from '../../src/elf/read-elf.ts';
import { readName, readSections, type Section } from '../../src/elf/sections.ts';
import type { EngineName } from '../../src/engines/create-engine.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import { openNowhere, RedirectedFiles } from '../../src/host/redirected-files.ts';
import type { ExitStatus } from '../../src/linux/process.ts';
import { runThread } from '../../src/linux/run.ts';
import { binaryPath, type Guest as GuestKind } from '../guests/programs.ts';

/** The program for debuggers, built for a guest. */
export const debuggedProgram = (guest: GuestKind): string => (guest === 'powerpc' ? 'debugged' : `${guest}/debugged`);

/** The lines of its source, from 1 on. */
export const sourceLines = [
  '',
  ...readFileSync(`${import.meta.dirname}/../guests/src/debugged/debugged.c`, 'utf8').split('\n'),
];

/** The number of the line with this text. */
export function lineOf(text: string): number {
  const line = sourceLines.findIndex((each) => each.includes(text));
  if (line < 0) throw new RangeError(`no line of the program holds ${text}`);
  return line;
}

/** A debugger's connection. */
export class Client {
  readonly debugged: Debugger;
  readonly session: Session;
  /** Everything that arrived and was not waited for. */
  readonly arrived: Arrival[] = [];
  closed = false;
  private waiting: ((arrival: Arrival) => void) | undefined;

  constructor(debugged: Debugger, program: ReturnType<typeof debugGuest>['program']) {
    this.debugged = debugged;
    const reader = new PacketReader();
    this.session = new Session(debugged, program, {
      send: (bytes) => reader.push(bytes, (arrival) => this.take(arrival)),
      close: () => {
        this.closed = true;
      },
    });
  }

  private take(arrival: Arrival): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) this.arrived.push(arrival);
    else waiting(arrival);
  }

  /** What arrives next. */
  next(): Promise<Arrival> {
    const arrival = this.arrived.shift();
    return arrival === undefined ? new Promise((resolve) => (this.waiting = resolve)) : Promise.resolve(arrival);
  }

  /** The next packet's data, as text. */
  async reply(): Promise<string> {
    for (;;) {
      const arrival = await this.next();
      if (arrival.kind === 'packet') return textOf(arrival.data);
    }
  }

  send(command: string | Uint8Array): void {
    this.session.received(encodePacket(typeof command === 'string' ? bytesOf(command) : command));
  }

  ask(command: string | Uint8Array): Promise<string> {
    this.send(command);
    return this.reply();
  }
}

export interface DebuggedRun {
  readonly client: Client;
  readonly debugged: Debugger;
  /** Resolves when the guest has ended. */
  readonly ended: Promise<ExitStatus>;
  /** Connects another debugger. */
  connect(): Client;
  /** The address of a function or variable. */
  address(symbol: string): number;
}

/** Starts the program, which stands at its first instruction. @param letter its argument */
export function startDebugged(guest: GuestKind, engine: EngineName, letter = '-'): DebuggedRun {
  const name = debuggedProgram(guest);
  const file = readFileSync(binaryPath(name));
  const texts = [name, letter].map((text) => new TextEncoder().encode(text));
  const made = createGuest({
    file,
    path: texts[0],
    arguments: texts,
    environment: [],
    system: new NodeSystem(),
    fileHost: new RedirectedFiles(new Map([[1, openNowhere()]])),
    stackLimit: 8 << 20,
    engine,
    createEngine: createDebuggedEngine,
    measure: false,
  });
  const { debugged, program } = debugGuest(made, `/${name}`, file);
  const ended = runThread(made.thread, made.engine, debugged).then((status) => {
    debugged.ended(status);
    return status;
  });
  const addresses = symbolAddresses(made.image);
  return {
    client: new Client(debugged, program),
    debugged,
    ended,
    connect: () => new Client(debugged, program),
    address: (symbol) => addresses.get(symbol) as number,
  };
}

/** The addresses of all symbols, those of data among them. */
function symbolAddresses(image: ElfImage): ReadonlyMap<string, number> {
  const { reader } = image;
  const sections = readSections(image);
  const table = sections.find((section) => section?.name === '.symtab') as Section;
  const names = sections[table.link] as Section;
  const size = reader.is64 ? 24 : 16;
  return new Map(
    Array.from({ length: table.size / size }, (_, n) => {
      const at = table.offset + n * size;
      const value = reader.is64 ? reader.u64(at + 8) : reader.u32(at + 4);
      return [readName(reader.bytes, names.offset + reader.u32(at), names), value];
    }),
  );
}
