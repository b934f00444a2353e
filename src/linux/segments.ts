/** Segments of x86 threads: thread-local storage (arch_prctl, set_thread_area), and what Linux has that nobody may use. */
import { threadSegments, threadSelector } from '../../translators/x86/thread-segments.ts';
import { errno } from './errno.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import type { SegmentDescriptor, Thread } from './thread.ts';

// -- entries of the descriptor table (arch/x86/kernel/tls.c)

/** An entry number that asks for any that is free. */
const anyEntry = 0xffffffff;

/** Bits of struct user_desc's last word. */
const flag = { is32Bit: 1, contents: 6, readOnly: 8, inPages: 16, notPresent: 32 } as const;
/** What an entry without a segment looks like (LDT_empty). */
const empty: SegmentDescriptor = { base: 0, limit: 0, flags: flag.readOnly | flag.notPresent };

/** Bits of contents that mean code. */
const codeContents = 4;

function isEmpty({ base, limit, flags }: SegmentDescriptor): boolean {
  return base === 0 && limit === 0 && (flags === empty.flags || flags === 0);
}

/** struct user_desc: entry number, base, limit, flags. @throws MemoryFault */
function readDescriptor({ memory }: SystemCall, address: number): SegmentDescriptor {
  return { base: memory.readU32(address + 4), limit: memory.readU32(address + 8), flags: memory.readU32(address + 12) };
}

function setThreadArea(call: SystemCall): number {
  const { memory, thread } = call;
  const [address] = call.args;
  let entry = memory.readU32(address);
  const descriptor = readDescriptor(call, address);
  const none = isEmpty(descriptor);
  const { flags } = descriptor;
  const usable = (flags & flag.is32Bit) !== 0 && (flags & codeContents) === 0 && (flags & flag.notPresent) === 0;
  if (!none && !usable) return -errno.EINVAL;
  if (entry === anyEntry) {
    entry = threadSelector;
    while (thread.descriptors.has(entry)) entry++;
    if (entry >= threadSelector + threadSegments) return -errno.ESRCH;
    memory.writeU32(address, entry);
  }
  if (entry < threadSelector || entry >= threadSelector + threadSegments) return -errno.EINVAL;
  if (none) thread.descriptors.delete(entry);
  else thread.descriptors.set(entry, descriptor);
  loadDescriptor(thread, entry, none ? undefined : descriptor);
  return 0;
}

/** Puts a descriptor where the processor finds it, and into segment registers that select it already. */
function loadDescriptor({ state }: Thread, entry: number, descriptor: SegmentDescriptor | undefined): void {
  const place = entry - threadSelector;
  const base = descriptor?.base ?? 0;
  state.set(`segment${place}.base`, base);
  const bit = 1 << place;
  const present = state.get('segments.present');
  state.set('segments.present', descriptor === undefined ? present & ~bit : present | bit);
  for (const segment of ['fs', 'gs']) if (state.get(segment) >> 3 === entry) setBase(state, segment, BigInt(base));
}

function getThreadArea({ memory, thread, args: [address] }: SystemCall): number {
  const entry = memory.readU32(address);
  if (entry < threadSelector || entry >= threadSelector + threadSegments) return -errno.EINVAL;
  const { base, limit, flags } = thread.descriptors.get(entry) ?? empty;
  [base, limit, flags].forEach((word, i) => {
    memory.writeU32(address + 4 + i * 4, word);
  });
  return 0;
}

// -- bases (arch/x86/kernel/process_64.c)

const option = {
  SET_GS: 0x1001,
  SET_FS: 0x1002,
  GET_FS: 0x1003,
  GET_GS: 0x1004,
  GET_CPUID: 0x1011,
  SET_CPUID: 0x1012,
} as const;
/** Addresses from here on are not a program's (TASK_SIZE_MAX). */
const addressLimit = 0x7ffffffff000n;

function setBase(state: Thread['state'], segment: string, base: bigint): void {
  const { type, index } = state.register(`${segment}.base`);
  if (type === 'i64') state.i64[index] = base;
  else state.i32[index] = Number(BigInt.asIntN(32, base));
}

function archPrctl({ abi, memory, thread, args: [what, address] }: SystemCall): number {
  const { state } = thread;
  if (what === option.GET_CPUID) return 1;
  if (what === option.SET_CPUID) return -errno.ENODEV;
  if (abi.model.wordSize === 4) return -errno.EINVAL;
  switch (what) {
    case option.SET_FS:
    case option.SET_GS: {
      // The argument itself: a base need not be an address of memory that there is.
      const base = BigInt.asUintN(64, state.i64[state.register('rsi').index]);
      if (base >= addressLimit) return -errno.EPERM;
      const segment = what === option.SET_FS ? 'fs' : 'gs';
      state.set(segment, 0);
      setBase(state, segment, base);
      return 0;
    }
    case option.GET_FS:
    case option.GET_GS:
      memory.writeU64(
        address,
        BigInt.asUintN(64, state.i64[state.register(what === option.GET_FS ? 'fs.base' : 'gs.base').index]),
      );
      return 0;
    default:
      return -errno.EINVAL;
  }
}

const notPermitted = () => -errno.EPERM;
/** As a kernel without local descriptor tables and virtual 8086 mode answers. */
const missing = () => -errno.ENOSYS;

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'set_thread_area', numbers: { i386: 243, 'x86-64': 205 }, arguments: ['pointer'], handler: setThreadArea, support: 'full' },
  { name: 'get_thread_area', numbers: { i386: 244, 'x86-64': 211 }, arguments: ['pointer'], handler: getThreadArea, support: 'full' },
  { name: 'arch_prctl', numbers: { i386: 384, 'x86-64': 158 }, arguments: ['hex', 'pointer'], handler: archPrctl, support: 'partial', note: 'bases of FS and GS; CPUID cannot be made to fault' },
  { name: 'modify_ldt', numbers: { i386: 123, 'x86-64': 154 }, arguments: ['int', 'pointer', 'size'], handler: missing, support: 'partial', note: 'answers ENOSYS, as a kernel without it' },
  { name: 'vm86old', numbers: { i386: 113 }, arguments: ['pointer'], handler: missing, support: 'partial', note: 'as modify_ldt' },
  { name: 'vm86', numbers: { i386: 166 }, arguments: ['hex', 'pointer'], handler: missing, support: 'partial', note: 'as modify_ldt' },
  { name: 'iopl', numbers: { i386: 110, 'x86-64': 172 }, arguments: ['uint'], handler: ({ args: [level] }) => (level > 3 ? -errno.EINVAL : level === 0 ? 0 : -errno.EPERM), support: 'partial', note: 'EPERM for any level but 0' },
  { name: 'ioperm', numbers: { i386: 101, 'x86-64': 173 }, arguments: ['size', 'size', 'int'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
];
