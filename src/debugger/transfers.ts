/**
 * What a debugger reads in pieces: objects (GDB manual, "qXfer"), and the program's file, from which it takes symbols when
 * it has no copy ("File-I/O", vFile packets). No other file is given out.
 */
import { signalInfoSize, writeSignalInfo } from '../linux/signal-info.ts';
import type { Debugger } from './debugger.ts';
import { bytesOf, fromHex, hexNumber, textOf } from './packets.ts';
import type { DebuggedProgram } from './program.ts';
import { targetDescription } from './registers.ts';

type Source = (program: DebuggedProgram, debug: Debugger, annex: string) => Uint8Array | undefined;

/** Objects by name; undefined: there is none such. */
const objects: Readonly<Record<string, Source>> = {
  features: ({ target }, _debug, annex) => (annex === 'target.xml' ? bytesOf(targetDescription(target)) : undefined),
  auxv: ({ auxiliaryVector }) => auxiliaryVector,
  'exec-file': ({ path }) => path,
  siginfo: (_program, debug) => signalInfoOf(debug),
  threads: (_program, { thread }) =>
    bytesOf(`<?xml version="1.0"?>\n<threads><thread id="${thread.id.toString(16)}"/></threads>\n`),
};

/** The siginfo_t of the signal that the guest stands for. */
function signalInfoOf({ standsBecause, process }: Debugger): Uint8Array | undefined {
  if (standsBecause?.kind !== 'signal') return undefined;
  const bytes = new Uint8Array(signalInfoSize);
  writeSignalInfo(new DataView(bytes.buffer), standsBecause.info, process.files.abi.model);
  return bytes;
}

/** Bytes that one packet gives at most. */
const longestPiece = 0x8000;

/** `OBJECT:read:ANNEX:OFFSET,LENGTH` */
export function transfer(rest: string, program: DebuggedProgram, debug: Debugger): string | Uint8Array {
  const [object, operation, annex = '', range = ''] = rest.split(':');
  const source = Object.hasOwn(objects, object) ? objects[object] : undefined;
  if (source === undefined || operation !== 'read') return '';
  const [offset, length] = range.split(',').map(hexNumber);
  const bytes = source(program, debug, annex);
  if (bytes === undefined || offset === undefined || length === undefined) return 'E00';
  const end = offset + Math.min(length, longestPiece);
  return Uint8Array.of(end < bytes.length ? more : last, ...bytes.subarray(offset, end));
}

/** `m` and `l`. */
const more = 0x6d;
const last = 0x6c;

const notFound = 'F-1,2';
const badDescriptor = 'F-1,9';
const invalid = 'F-1,16';
const tooMany = 'F-1,18';
/** Descriptors that a debugger may have open at once. */
const descriptorLimit = 100;
/** S_IFREG and permission to read and execute. */
const fileMode = 0o100555;

/** The program's file, as the debugger opens and reads it. */
export class ProgramFiles {
  private readonly program: DebuggedProgram;
  /** A debugger opens the file several times. */
  private readonly open = new Set<number>();

  constructor(program: DebuggedProgram) {
    this.program = program;
  }

  /** `OPERATION:ARGUMENTS` */
  perform(rest: string): string | Uint8Array {
    const [operation, text = ''] = rest.split(':');
    const args = text.split(',');
    switch (operation) {
      case 'setfs':
        return 'F0';
      case 'open': {
        const path = fromHex(args[0]);
        if (path === undefined || textOf(path) !== textOf(this.program.path)) return notFound;
        let descriptor = 0;
        while (this.open.has(descriptor)) descriptor++;
        if (descriptor === descriptorLimit) return tooMany;
        this.open.add(descriptor);
        return `F${descriptor.toString(16)}`;
      }
      case 'close':
        return this.open.delete(hexNumber(args[0]) ?? -1) ? 'F0' : badDescriptor;
      case 'fstat':
        return this.owns(args[0]) ? reply(this.status()) : badDescriptor;
      case 'pread': {
        const [count, offset] = args.slice(1).map(hexNumber);
        if (!this.owns(args[0])) return badDescriptor;
        if (count === undefined || offset === undefined) return invalid;
        return reply(this.program.file.subarray(offset, offset + Math.min(count, longestPiece)));
      }
      default:
        return '';
    }
  }

  private owns(text: string): boolean {
    return this.open.has(hexNumber(text) ?? -1);
  }

  /** The protocol's struct stat: numbers of 4 and 8 bytes, big-endian, not aligned. */
  private status(): Uint8Array {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    const size = BigInt(this.program.file.length);
    view.setUint32(8, fileMode);
    view.setUint32(12, 1);
    view.setBigUint64(28, size);
    view.setBigUint64(36, 4096n);
    view.setBigUint64(44, (size + 511n) / 512n);
    return bytes;
  }
}

/** A result with data: their length, a semicolon, and the data. */
function reply(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytesOf(`F${bytes.length.toString(16)};`), ...bytes);
}
