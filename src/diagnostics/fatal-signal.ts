/** What is printed when a signal ends the guest: where, why, the code there, the registers and the last system calls. */

import type { Fetch, Frontend } from '../../translators/frontend.ts';
import type { State } from '../../translators/ir/state.ts';
import type { CallFrame } from '../elf/call-frames.ts';
import { type GuestMemory, peekMapped } from '../memory/guest-memory.ts';
import { backTrace } from './back-trace.ts';
import { hex8, type Places, symbolicAddress } from './places.ts';
import { registerView } from './register-view.ts';

export interface FatalSignal {
  readonly signal: number;
  /** What the signal is called: "Segmentation fault". */
  readonly description: string;
  /** Guest address of the instruction at which the program died. */
  readonly pc: number;
  /** The address that a fault was about. */
  readonly address: number | bigint | undefined;
  /** Bits 1 read, 2 write, 4 execute of the access that failed; 0 when it was not an access. */
  readonly access: number;
  /** Translated code was run that need not keep registers which the program does not read again. */
  readonly mayBeStale: boolean;
}

/** What the report looks things up in. */
export interface GuestView extends Places {
  readonly frontend: Frontend;
  readonly memory: GuestMemory;
  readonly state: State;
  /** What the compiler tells of the frame of the code at a guest address. */
  frameAt?(address: number): CallFrame | undefined;
  /** The last system calls as strace prints them, oldest first. */
  readonly recentCalls: readonly string[];
}

/** Instructions shown before and after the one at the pc. */
const contextInstructions = 4;
const registersPerLine = 4;
const staleRegisters = '  registers (translated code: some may be out of date; --engine interpreted shows all exactly)';
/** Calls shown, innermost first. */
const callLimit = 16;

/** The report; ends with a newline. */
export function describeFatalSignal(fatal: FatalSignal, guest: GuestView): string {
  const lines = [`stele: uncaught target signal ${fatal.signal} (${fatal.description})`];
  lines.push(`  at 0x${hex8(fatal.pc)}${describePlace(fatal.pc, guest)}`);
  if (fatal.address !== undefined) {
    lines.push(
      `  ${describeAccess(fatal.access)} 0x${hexadecimal(fatal.address)}, ${describeMemory(fatal.address, guest.memory)}`,
    );
  }
  lines.push(...describeCalls(fatal.pc, guest));
  lines.push('  code', ...describeCode(fatal.pc, guest));
  lines.push(fatal.mayBeStale ? staleRegisters : '  registers', ...describeRegisters(guest));
  if (guest.recentCalls.length > 0)
    lines.push('  last system calls', ...guest.recentCalls.map((call) => `    ${call}`));
  return `${lines.join('\n')}\n`;
}

/** " main+0x1c (file.c:12)" */
function describePlace(address: number, guest: GuestView): string {
  const name = symbolicAddress(address, guest);
  const line = guest.lineAt?.(address);
  return (name === '' ? '' : ` ${name}`) + (line === undefined ? '' : ` (${line.file}:${line.line})`);
}

/** The calls that led here. */
function describeCalls(pc: number, guest: GuestView): string[] {
  const { frontend, memory, state } = guest;
  const word = (address: number): number | undefined => {
    const bytes = peekMapped(memory, address >>> 0, 4);
    return bytes === undefined ? undefined : number(bytes, frontend);
  };
  const view = {
    state,
    pc,
    word,
    symbolAt: (address: number) => guest.symbolAt(address),
    frameAt: (address: number) => guest.frameAt?.(address),
  };
  const calls = backTrace(frontend.name, view, callLimit + 1);
  if (calls.length === 0) return [];
  const lines = calls.slice(0, callLimit).map((call) => `    0x${hex8(call)}${describePlace(call, guest)}`);
  if (calls.length > callLimit) lines.push('    ...');
  return ['  called from', ...lines];
}

/** An address with as many digits as its size asks for. */
const hexadecimal = (address: number | bigint): string =>
  typeof address === 'number' ? hex8(address) : address.toString(16).padStart(16, '0');

function describeAccess(access: number): string {
  const names = ['address', 'read of', 'write to', 'access to', 'execution of'];
  return names[access] ?? names[0];
}

function describeMemory(address: number | bigint, memory: GuestMemory): string {
  const mapping = address > 0xffffffff ? undefined : memory.find(Number(address));
  if (mapping === undefined) return 'which is not mapped';
  const bits = ['r', 'w', 'x'].map((letter, bit) => (((mapping.protection >> bit) & 1) === 1 ? letter : '-')).join('');
  return `mapped ${bits}${mapping.name === '' ? '' : ` from ${mapping.name}`}`;
}

/** The instructions around the pc; where the instruction length is not fixed, those from the pc on. */
function describeCode(pc: number, { frontend, memory }: GuestView): string[] {
  const fetch: Fetch = (address, length) => {
    const bytes = peekMapped(memory, address, length);
    return bytes === undefined ? undefined : number(bytes, frontend);
  };
  const fixed = frontend.instructionAlignment > 1;
  const start = fixed ? pc - contextInstructions * frontend.instructionAlignment : pc;
  const lines: string[] = [];
  let address = Math.max(0, start);
  for (let count = fixed ? 2 * contextInstructions + 1 : contextInstructions + 1; count > 0; count--) {
    if (fetch(address, 1) === undefined) {
      if (address === pc) lines.push(`  > ${hex8(address)}  (not mapped)`);
      address += frontend.instructionAlignment;
      continue;
    }
    const { text, length } = frontend.disassemble(fetch, address);
    const bytes = peekMapped(memory, address, length) ?? new Uint8Array();
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    lines.push(`  ${address === pc ? '>' : ' '} ${hex8(address)}  ${digits}  ${text}`);
    address += length;
  }
  return lines;
}

/** The unsigned number that up to four bytes stand for. */
function number(bytes: Uint8Array, frontend: Frontend): number {
  const ordered = frontend.byteOrder === 'big' ? bytes : bytes.toReversed();
  return ordered.reduce((value, byte) => ((value << 8) | byte) >>> 0, 0);
}

/** Registers as a table, then the names of flags that are set. */
function describeRegisters({ frontend, state }: GuestView): string[] {
  const { cells, set } = registerView(frontend.name, state);
  const nameWidth = (column: number): number =>
    Math.max(...cells.map(([name], index) => (index % registersPerLine === column ? name.length : 0)));
  const widths = Array.from({ length: registersPerLine }, (_, column) => nameWidth(column));
  const texts = cells.map(([name, value], i) => `${name.padEnd(widths[i % registersPerLine])} ${value}`);
  const lines: string[] = [];
  for (let i = 0; i < texts.length; i += registersPerLine) {
    lines.push(`    ${texts.slice(i, i + registersPerLine).join('  ')}`);
  }
  if (set.length > 0) lines.push(`    set: ${set.join(' ')}`);
  return lines;
}
