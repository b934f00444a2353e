/**
 * What a debugger can ask for (GDB manual, "Packets", "General Query Packets"): a table, by the packets' beginnings. An
 * empty reply says that a packet is not known.
 */
import { peekMapped } from '../memory/guest-memory.ts';
import { type AgentView, evaluateAgentExpression } from './agent-expression.ts';
import type { BreakpointKind, Condition } from './breakpoints.ts';
import type { Motion } from './debugged-engine.ts';
import type { Debugger } from './debugger.ts';
import { monitor } from './monitor.ts';
import { bytesOf, fromHex, hexNumber, longestPacket, textOf, toHex } from './packets.ts';
import type { DebuggedProgram } from './program.ts';
import { type DebugRegister, registerBytes, registersOf, setRegisterBytes } from './registers.ts';
import { fromGdbSignal } from './signal-numbers.ts';
import { stopReply } from './stop-reply.ts';
import { ProgramFiles, transfer } from './transfers.ts';
import { longestWatch } from './watchpoints.ts';

/** The data of a packet; undefined: none is sent. */
export type Reply = string | Uint8Array | undefined;

/** What commands do to the session. */
export interface SessionHooks {
  /** The guest goes on: the next reply tells why it stops. */
  resumed(): void;
  withoutAcknowledgements(): void;
  /** Sends a packet before the reply. */
  print(data: string): void;
  /** The reply is the last one. */
  over(): void;
}

/** Errors have numbers, which nobody looks at: Linux's. */
const error = { perm: 'E01', io: 'E05', fault: 'E0e', invalid: 'E16' } as const;

/** Bytes of memory that one packet reads. */
const longestRead = 0x8000;

/** What a debugger is told in answer to what it understands itself. */
const features = [
  `PacketSize=${longestPacket.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'qXfer:auxv:read+',
  'qXfer:exec-file:read+',
  'qXfer:siginfo:read+',
  'qXfer:threads:read+',
  'QPassSignals+',
  'ConditionalBreakpoints+',
  'swbreak+',
  'hwbreak+',
  'vContSupported+',
  'binary-upload+',
].join(';');

/** Kinds of breakpoints and watchpoints in packets: for execution as reported, for accesses as bits 1 read, 2 write. */
const pointKinds: Readonly<Record<string, BreakpointKind | number>> = { 0: 'swbreak', 1: 'hwbreak', 2: 2, 3: 1, 4: 3 };

type Handler = (commands: Commands, rest: string) => Reply;

/** By what packets begin with; the first that fits counts. A name that ends in a letter must be followed by `:`, `;`, `,` or nothing. */
// biome-ignore format: one row per line
const table: readonly (readonly [beginning: string, handler: Handler])[] = [
  ['qSupported', (commands, rest) => commands.supported(rest)],
  ['QStartNoAckMode', (commands) => commands.startNoAckMode()],
  ['QPassSignals:', (commands, rest) => commands.passSignals(rest)],
  ['qXfer:', (commands, rest) => commands.transfer(rest)],
  ['qRcmd,', (commands, rest) => commands.monitor(rest)],
  ['qC', (commands) => `QC${commands.threadId}`],
  ['qfThreadInfo', (commands) => `m${commands.threadId}`],
  ['qsThreadInfo', () => 'l'],
  ['qThreadExtraInfo,', (commands) => toHex(commands.debug.process.name)],
  ['qAttached', () => '0'],
  ['qSymbol:', () => 'OK'],
  ['vCont?', () => 'vCont;c;C;s;S;r'],
  ['vCont;', (commands, rest) => commands.resumeBy(rest)],
  ['vFile:', (commands, rest) => commands.files.perform(rest)],
  ['vKill', (commands) => commands.kill('OK')],
  ['?', (commands) => commands.whyStopped()],
  ['g', (commands) => commands.readRegisters()],
  ['G', (commands, rest) => commands.writeRegisters(rest)],
  ['p', (commands, rest) => commands.readRegister(rest)],
  ['P', (commands, rest) => commands.writeRegister(rest)],
  ['m', (commands, rest) => commands.readMemory(rest, toHex)],
  ['x', (commands, rest) => commands.readMemory(rest, (bytes) => Uint8Array.of(0x62, ...bytes))],
  ['M', (commands, rest) => commands.writeMemory(rest, fromHex)],
  ['X', (commands, rest) => commands.writeMemory(rest, bytesOf)],
  ['Z', (commands, rest) => commands.insertPoint(rest)],
  ['z', (commands, rest) => commands.removePoint(rest)],
  ['H', (commands, rest) => commands.checkThread(rest.slice(1))],
  ['T', (commands, rest) => commands.checkThread(rest)],
  ['c', (commands, rest) => commands.resumeAt('continue', rest, '')],
  ['s', (commands, rest) => commands.resumeAt('step', rest, '')],
  ['C', (commands, rest) => commands.resumeWithSignal('continue', rest)],
  ['S', (commands, rest) => commands.resumeWithSignal('step', rest)],
  ['D', (commands) => commands.detach()],
  ['k', (commands) => commands.kill(undefined)],
];

export class Commands {
  readonly debug: Debugger;
  readonly files: ProgramFiles;
  /** What the debugger said it understands. */
  features: ReadonlySet<string> = new Set();
  private readonly program: DebuggedProgram;
  private readonly hooks: SessionHooks;
  private readonly registers: readonly DebugRegister[];

  constructor(debug: Debugger, program: DebuggedProgram, hooks: SessionHooks) {
    this.debug = debug;
    this.program = program;
    this.hooks = hooks;
    this.files = new ProgramFiles(program);
    this.registers = registersOf(program.target);
  }

  /** Does what a packet asks for. */
  perform(packet: Uint8Array): Reply {
    const text = textOf(packet);
    // Queries and commands of several letters are words; "vMustReplyEmpty" is none that is known.
    const isWord = /^[qQv]/.test(text);
    const row = table.find(([beginning]) =>
      isWord
        ? beginning.length > 1 &&
          text.startsWith(beginning) &&
          /^(?:$|[:;,?])/.test(text.slice(beginning.replace(/[:;,?]$/, '').length))
        : beginning.length === 1 && text.startsWith(beginning),
    );
    return row === undefined ? '' : row[1](this, text.slice(row[0].length));
  }

  get threadId(): string {
    return this.debug.thread.id.toString(16);
  }

  supported(rest: string): Reply {
    const names = rest.replace(/^:/, '').split(';');
    this.features = new Set(names.filter((name) => name.endsWith('+')).map((name) => name.slice(0, -1)));
    return features;
  }

  startNoAckMode(): Reply {
    this.hooks.withoutAcknowledgements();
    return 'OK';
  }

  passSignals(rest: string): Reply {
    const numbers = rest === '' ? [] : rest.split(';').map(hexNumber);
    if (numbers.includes(undefined)) return error.invalid;
    this.debug.passedSignals = new Set(numbers.map((number) => fromGdbSignal(number as number) ?? 0));
    return 'OK';
  }

  transfer(rest: string): Reply {
    return transfer(rest, this.program, this.debug);
  }

  monitor(rest: string): Reply {
    const command = fromHex(rest);
    if (command === undefined) return error.invalid;
    const output = monitor(textOf(command), this.debug, this.program);
    // Pieces, so that no packet is too long, and an end.
    for (let at = 0; at < output.length; at += longestRead / 2) {
      this.hooks.print(`O${toHex(new TextEncoder().encode(output.slice(at, at + longestRead / 2)))}`);
    }
    return 'OK';
  }

  whyStopped(): Reply {
    const { standsBecause } = this.debug;
    return standsBecause === undefined ? '' : stopReply(standsBecause, this.debug, this.program, this.features);
  }

  /** There is one thread; -1 and 0 stand for any. */
  checkThread(text: string): Reply {
    return text === '-1' || hexNumber(text) === 0 || text === this.threadId ? 'OK' : error.invalid;
  }

  // -- registers

  readRegisters(): Reply {
    return this.registers.map((register) => toHex(this.bytesOfRegister(register))).join('');
  }

  writeRegisters(rest: string): Reply {
    const bytes = fromHex(rest);
    const length = this.registers.reduce((sum, { bits }) => sum + bits / 8, 0);
    if (bytes === undefined || bytes.length !== length) return error.invalid;
    let at = 0;
    for (const register of this.registers) {
      const end = at + register.bits / 8;
      setRegisterBytes(register, this.debug.state, bytes.subarray(at, end), this.program.target.byteOrder);
      at = end;
    }
    return 'OK';
  }

  readRegister(rest: string): Reply {
    const register = this.registers[hexNumber(rest) ?? -1];
    return register === undefined ? error.invalid : toHex(this.bytesOfRegister(register));
  }

  writeRegister(rest: string): Reply {
    const [number, value = ''] = rest.split('=');
    const register = this.registers[hexNumber(number) ?? -1];
    const bytes = fromHex(value);
    if (register === undefined || bytes?.length !== register.bits / 8) return error.invalid;
    setRegisterBytes(register, this.debug.state, bytes, this.program.target.byteOrder);
    return 'OK';
  }

  private bytesOfRegister(register: DebugRegister): Uint8Array {
    return registerBytes(register, this.debug.state, this.program.target.byteOrder);
  }

  // -- memory

  /** As much of a range as is mapped. */
  readMemory(rest: string, encode: (bytes: Uint8Array) => string | Uint8Array): Reply {
    const [address, length] = rest.split(',').map(hexNumber);
    if (address === undefined || length === undefined) return error.invalid;
    if (length === 0) return encode(new Uint8Array());
    const { memory } = this.debug;
    for (let wanted = Math.min(length, longestRead); wanted > 0; wanted = Math.floor(wanted / 2)) {
      const bytes = peekMapped(memory, address, wanted);
      if (bytes !== undefined) return encode(bytes);
    }
    return error.fault;
  }

  writeMemory(rest: string, decode: (text: string) => Uint8Array | undefined): Reply {
    const colon = rest.indexOf(':');
    const [address, length] = rest.slice(0, Math.max(0, colon)).split(',').map(hexNumber);
    const bytes = decode(rest.slice(colon + 1));
    if (address === undefined || length === undefined || bytes?.length !== length) return error.invalid;
    const { memory } = this.debug;
    if (length > 0 && peekMapped(memory, address, length) === undefined) return error.fault;
    memory.poke(address, bytes);
    return 'OK';
  }

  // -- breakpoints and watchpoints

  insertPoint(rest: string): Reply {
    const point = pointOf(rest);
    if (typeof point === 'string') return point;
    const { kind, address, length } = point;
    const { breakpoints, watchpoints } = this.debug.engine;
    if (typeof kind === 'number') {
      if (length === 0 || length > longestWatch || address + length > 2 ** 32) return error.invalid;
      watchpoints.insert({ address, length, access: kind });
      return 'OK';
    }
    const conditions = conditionsOf(rest);
    if (conditions === undefined) return error.invalid;
    breakpoints.insert(
      address,
      kind,
      conditions.map((bytes) => this.condition(bytes)),
    );
    return 'OK';
  }

  removePoint(rest: string): Reply {
    const point = pointOf(rest);
    if (typeof point === 'string') return point;
    const { kind, address, length } = point;
    const { breakpoints, watchpoints } = this.debug.engine;
    if (typeof kind === 'number') watchpoints.remove({ address, length, access: kind });
    else breakpoints.remove(address, kind);
    return 'OK';
  }

  /** A condition that makes no sense holds: the debugger then looks itself. */
  private condition(bytes: Uint8Array): Condition {
    const { state, memory } = this.debug;
    const isBig = this.program.target.byteOrder === 'big';
    const view: AgentView = {
      register: (number) => this.registers[number]?.read(state),
      memory(address, length) {
        const found = address > 0xffffffffn ? undefined : peekMapped(memory, Number(address), length);
        const ordered = isBig ? found : found?.toReversed();
        return ordered?.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
      },
    };
    return () => evaluateAgentExpression(bytes, view) !== 0n;
  }

  // -- going on

  /** `c`, `s`: an address to go on at may follow. */
  resumeAt(kind: 'continue' | 'step', address: string, signal: string): Reply {
    const number = signal === '' ? 0 : signalOf(signal);
    const target = address === '' ? this.debug.state.pc : hexNumber(address);
    if (number === undefined || target === undefined || target > 0xffffffff) return error.invalid;
    this.debug.state.pc = target;
    return this.resume({ kind }, number);
  }

  /** `C`, `S`: a signal, and perhaps `;` and an address. */
  resumeWithSignal(kind: 'continue' | 'step', rest: string): Reply {
    const [signal, address = ''] = rest.split(';');
    return this.resumeAt(kind, address, signal);
  }

  /** `vCont`: actions with threads that they are for; the first that is for ours counts. */
  resumeBy(rest: string): Reply {
    for (const text of rest.split(';')) {
      const [action, thread = '-1'] = text.split(':');
      if (this.checkThread(thread) !== 'OK') continue;
      const signal = /^[CS]/.test(action) ? signalOf(action.slice(1)) : 0;
      if (signal === undefined) return error.invalid;
      if (/^[cC]/.test(action)) return this.resume({ kind: 'continue' }, signal);
      if (/^[sS]/.test(action)) return this.resume({ kind: 'step' }, signal);
      const [start, end] = action.slice(1).split(',').map(hexNumber);
      if (!action.startsWith('r') || start === undefined || end === undefined) return error.invalid;
      return this.resume({ kind: 'range', start, end }, 0);
    }
    return error.invalid;
  }

  private resume(motion: Motion, signal: number): Reply {
    this.hooks.resumed();
    this.debug.resume(motion, signal);
    return undefined;
  }

  detach(): Reply {
    this.hooks.over();
    this.debug.detach();
    return 'OK';
  }

  kill(reply: Reply): Reply {
    this.hooks.over();
    this.debug.kill();
    return reply;
  }
}

/** Linux's number of a signal in a packet, 0 for none; undefined when there is no such signal. */
function signalOf(text: string): number | undefined {
  const number = hexNumber(text);
  return number === 0 ? 0 : fromGdbSignal(number ?? -1);
}

/** `KIND,ADDRESS,LENGTH`; an error, or nothing for a kind that is not known. */
function pointOf(rest: string): { kind: BreakpointKind | number; address: number; length: number } | string {
  const [kindText, addressText, lengthText] = rest.split(';', 1)[0].split(',');
  const kind = pointKinds[kindText];
  if (kind === undefined) return '';
  const [address, length] = [addressText, lengthText].map(hexNumber);
  // An address beyond 32 bits is one that no code and no data of the guest has.
  if (address === undefined || length === undefined || address > 0xffffffff) return error.invalid;
  return { kind, address, length };
}

/** Conditions behind a breakpoint's place: `;X` and length, a comma and bytecode, once or more; undefined when they make no sense. */
function conditionsOf(rest: string): Uint8Array[] | undefined {
  const semicolon = rest.indexOf(';');
  const conditions: Uint8Array[] = [];
  let at = semicolon < 0 ? rest.length : semicolon + 1;
  while (at < rest.length && rest[at] === 'X') {
    const comma = rest.indexOf(',', at);
    const length = hexNumber(rest.slice(at + 1, Math.max(at + 1, comma)));
    if (length === undefined) return undefined;
    at = comma + 1 + 2 * length;
    const bytes = fromHex(rest.slice(comma + 1, at));
    if (bytes?.length !== length) return undefined;
    conditions.push(bytes);
  }
  return conditions;
}
