/**
 * The program of a traced process: it asks to be traced and stops. The rest of it are two system-call instructions with a
 * stop behind them, by which the engine makes the process make calls of its own, for its memory.
 */

/** Where it lies: above all guests' memory. */
const base = 0x10_0000_0000;
const headerSize = 64 + 56;

// biome-ignore format: an instruction per line
const code = [
  0xb8, 101, 0, 0, 0, // mov eax, SYS_ptrace
  0x31, 0xff, // xor edi, edi: PTRACE_TRACEME
  0x0f, 0x05, // syscall
  0xcc, // int3
  0x0f, 0x05, // syscall
  0xcc, // int3
  0xcd, 0x80, // int 0x80
  0xcc, // int3
];

/** Addresses of the system-call instructions: of x86-64, and of i386. */
export const callAddress = base + headerSize + 10;
export const callAddress32 = base + headerSize + 13;

/** The ELF file: a header, a program header, and the code, in one segment that is read and executed. */
export function traceeProgram(): Uint8Array {
  const bytes = new Uint8Array(headerSize + code.length);
  const view = new DataView(bytes.buffer);
  const half = (at: number, value: number): void => view.setUint16(at, value, true);
  const word = (at: number, value: number): void => view.setUint32(at, value, true);
  const long = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  // e_ident: 64-bit, little-endian, version 1; ET_EXEC, EM_X86_64, version, entry, program headers.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  half(16, 2);
  half(18, 62);
  word(20, 1);
  long(24, base + headerSize);
  long(32, 64);
  half(52, 64);
  half(54, 56);
  half(56, 1);
  // PT_LOAD, read and execute, offset, address, sizes, alignment.
  word(64, 1);
  word(68, 5);
  long(80, base);
  long(88, base);
  long(96, bytes.length);
  long(104, bytes.length);
  long(112, 0x1000);
  bytes.set(code, headerSize);
  return bytes;
}
