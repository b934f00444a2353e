/** Packets that tell why the guest stands (GDB manual, "Stop Reply Packets"). */
import type { ExitStatus } from '../linux/process.ts';
import { signalNumbers } from '../linux/signals.ts';
import type { Debugger, Reason } from './debugger.ts';
import { toHex } from './packets.ts';
import type { DebuggedProgram } from './program.ts';
import { registerBytes, registersOf } from './registers.ts';
import { toGdbSignal } from './signal-numbers.ts';

/** Names of watchpoints' kinds by what they watch for: bits 1 read, 2 write. */
const watchNames: Readonly<Record<number, string>> = { 1: 'rwatch', 2: 'watch', 3: 'awatch' };

const hexByte = (value: number): string => (value & 0xff).toString(16).padStart(2, '0');

/** @param features what the debugger said it understands */
export function stopReply(
  reason: Reason,
  debug: Debugger,
  program: DebuggedProgram,
  features: ReadonlySet<string>,
): string {
  if (reason.kind === 'end') return endReply(reason.status);
  let why = '';
  if (reason.kind === 'breakpoint' && features.has(reason.breakpoint)) why = `${reason.breakpoint}:;`;
  if (reason.kind === 'watchpoint') {
    const { access, address } = reason.watchpoint;
    why = `${watchNames[access]}:${address.toString(16)};`;
  }
  return `T${hexByte(toGdbSignal(signalOf(reason)))}${why}thread:${debug.thread.id.toString(16)};${expedited(debug, program)}`;
}

/** The signal that stands for a stop. */
function signalOf(reason: Reason): number {
  if (reason.kind === 'signal') return reason.info.signal;
  return reason.kind === 'interrupt' ? signalNumbers.SIGINT : signalNumbers.SIGTRAP;
}

function endReply(status: ExitStatus): string {
  return status.kind === 'exit' ? `W${hexByte(status.code)}` : `X${hexByte(toGdbSignal(status.signal))}`;
}

/** Registers that are wanted at every stop. */
function expedited({ state }: Debugger, { target }: DebuggedProgram): string {
  const wanted = [target.programCounter, target.stackPointer, target.framePointer];
  const texts = registersOf(target).map((register, number) => {
    const bytes = wanted.includes(register.name) ? registerBytes(register, state, target.byteOrder) : undefined;
    return bytes === undefined ? '' : `${hexByte(number)}:${toHex(bytes)};`;
  });
  return texts.join('');
}
