/** Waiting for several files: poll, select and epoll in all forms, over the readiness of open files. */
import type { FileStatus } from '../host/host.ts';
import { narrowAddress } from './abi/abi.ts';
import type { FieldValues } from './abi/structure.ts';
import { errno } from './errno.ts';
import { install } from './files-open.ts';
import { readArguments, withArguments } from './guest-access.ts';
import { resource } from './limits.ts';
import { OpenFile, pollBits, readable, writable } from './open-file.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

const { POLLERR, POLLHUP, POLLNVAL, POLLPRI } = pollBits;
const million = 1_000_000;
const billion = 1_000_000_000;
/** How long a call that must not wait gives a read ahead to answer, in nanoseconds: what is there comes faster. */
const promptness = 2 * million;

/** One file to watch. */
interface Watch {
  readonly file: OpenFile;
  /** Bits that the caller asks for; errors and hang-ups count always. */
  readonly bits: number;
}

/** Counts what is ready and stores it; 0: nothing. */
type Look = () => number;

/**
 * Looks, and if nothing is ready waits for a change, a time or a signal.
 * @param timeout nanoseconds; 0 looks once, undefined waits for ever
 */
async function waitReady(
  call: SystemCall,
  watches: readonly Watch[],
  look: Look,
  timeout: number | undefined,
): Promise<number> {
  const { system } = call.process;
  const limit = timeout === 0 ? promptness : timeout;
  const deadline = limit === undefined ? undefined : system.monotonicTime() + limit;
  for (;;) {
    // A look that must not wait is over when no read ahead is on its way that could still tell something.
    if (timeout === 0 && !watches.some(({ file, bits }) => file.isUncertain(bits))) return look();
    const changes = watches.map(({ file, bits }) => file.whenChanged(bits)).filter((change) => change !== undefined);
    const left = deadline === undefined ? undefined : Math.max(0, deadline - system.monotonicTime());
    const end = await call.thread.waitFor(
      Promise.race([...changes, never]).then(() => 'changed' as const),
      left,
    );
    const count = look();
    if (count !== 0 || end === 'elapsed') return count;
    if (end === 'interrupted') return timeout === 0 ? 0 : -restart.ERESTARTNOHAND;
  }
}

const never = new Promise<never>(() => {});

/** Serves a poll or select: at once where something is ready, else waiting. */
function ready(
  call: SystemCall,
  watches: readonly Watch[],
  look: Look,
  timeout: number | undefined,
): number | Promise<number> {
  const count = look();
  if (count !== 0) return count;
  if (timeout === 0 && !watches.some(({ file, bits }) => file.isUncertain(bits))) return 0;
  return waitReady(call, watches, look, timeout);
}

// -- poll

function pollFiles(call: SystemCall, timeout: number | undefined): number | Promise<number> {
  const [address, count] = call.args;
  const { memory, process, abi } = call;
  if (count > process.limits.soft(resource.NOFILE)) return -errno.EINVAL;
  const layout = abi.structures.pollfd;
  const entries = Array.from({ length: count }, (_, i) => layout.read(memory, address + i * layout.size));
  const files = entries.map(({ fd }) => (fd < 0 ? undefined : process.files.get(fd)));
  const watches = files.flatMap((file, i) => (file === undefined ? [] : [{ file, bits: entries[i].events }]));
  const look = (): number => {
    let total = 0;
    for (let i = 0; i < count; i++) {
      const { fd, events } = entries[i];
      const file = files[i];
      let found = 0;
      if (file !== undefined) found = file.readiness() & (events | POLLERR | POLLHUP);
      else if (fd >= 0) found = POLLNVAL;
      memory.writeU16(address + i * layout.size + layout.fields.revents.offset, found);
      if (found !== 0) total++;
    }
    return total;
  };
  return ready(call, watches, look, timeout);
}

/** A timeout in milliseconds; negative: for ever. */
const fromMilliseconds = (value: number): number | undefined => (value < 0 ? undefined : value * million);

type TimeLayout = 'timespec' | 'timespec64' | 'timeval';

/** A timeout from memory. @returns nanoseconds, undefined for ever (null), or -1 for one that is not valid */
function readTimeout(call: SystemCall, address: number, layout: TimeLayout): number | undefined {
  if (address === 0) return undefined;
  const time = call.abi.structures[layout].read(call.memory, address);
  if (layout === 'timeval') {
    if (time.tv_sec < 0 || time.tv_usec < 0) return -1;
    return time.tv_sec * billion + time.tv_usec * 1000;
  }
  const rest = call.abi.model.wordSize === 4 ? Number(BigInt.asIntN(32, BigInt(time.tv_nsec))) : time.tv_nsec;
  if (time.tv_sec < 0 || rest < 0 || rest >= billion) return -1;
  return time.tv_sec * billion + rest;
}

/** Writes back what is left of a timeout, as Linux does for select, pselect and ppoll. */
function writeRemaining(call: SystemCall, address: number, layout: TimeLayout, deadline: number): void {
  const left = Math.max(0, deadline - call.process.system.monotonicTime());
  const seconds = Math.floor(left / billion);
  const rest = Math.floor(left % billion);
  const values: FieldValues =
    layout === 'timeval' ? { tv_sec: seconds, tv_usec: Math.floor(rest / 1000) } : { tv_sec: seconds, tv_nsec: rest };
  call.abi.structures[layout].write(call.memory, address, values);
}

/** Runs a waiting call with another signal mask, and writes the rest of its timeout back. */
function withMaskAndTimeout(
  call: SystemCall,
  mask: bigint | undefined,
  timeAddress: number,
  layout: TimeLayout,
  work: (timeout: number | undefined) => number | Promise<number>,
): number | Promise<number> {
  const timeout = readTimeout(call, timeAddress, layout);
  if (timeout === -1) return -errno.EINVAL;
  const deadline = call.process.system.monotonicTime() + (timeout ?? 0);
  if (mask !== undefined) call.thread.setTemporarySignalMask(mask);
  const finish = (result: number): number => {
    // A call that a signal interrupts keeps the mask until the handler has been entered.
    if (mask !== undefined && result !== -restart.ERESTARTNOHAND) call.thread.restoreSignalMask();
    if (timeout !== undefined && timeAddress !== 0) writeRemaining(call, timeAddress, layout, deadline);
    return result;
  };
  const result = work(timeout);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

/** The signal set at an address; undefined for none. @returns -EINVAL for a size that is not the kernel's */
function readMask(call: SystemCall, address: number, size: number): bigint | undefined | number {
  if (address === 0) return undefined;
  if (size !== signalSetSize) return -errno.EINVAL;
  if (call.abi.model.wordSize === 8) return call.memory.readU64(address);
  // An array of words, the one with the low signals first.
  return BigInt(call.memory.readU32(address)) | (BigInt(call.memory.readU32(address + 4)) << 32n);
}

const signalSetSize = 8;

function ppoll(call: SystemCall, layout: TimeLayout): number | Promise<number> {
  const [, , time, maskAddress, size] = call.args;
  const mask = readMask(call, maskAddress, size);
  if (typeof mask === 'number') return mask;
  return withMaskAndTimeout(call, mask, time, layout, (timeout) => pollFiles(call, timeout));
}

// -- select

/** Poll bits that make a descriptor count in each of select's sets (fs/select.c: POLLIN_SET…). */
const selectBits = [readable | POLLHUP | POLLERR, writable | POLLERR, POLLPRI];
/** Bits asked for, by set. */
const selectEvents = [readable, writable, POLLPRI];

function selectFiles(call: SystemCall, timeout: number | undefined): number | Promise<number> {
  const [count, ...sets] = call.args;
  const { memory, process, abi } = call;
  if (count < 0) return -errno.EINVAL;
  const { wordSize } = abi.model;
  const bitsPerWord = 8 * wordSize;
  const limited = Math.min(count, process.limits.soft(resource.NOFILE));
  const words = Math.ceil(limited / bitsPerWord);
  const little = abi.model.byteOrder === 'little';
  /** The 32-bit word of a set that holds a descriptor's bit. */
  const wordAddress = (set: number, descriptor: number): number => {
    const start = set + Math.floor(descriptor / bitsPerWord) * wordSize;
    return wordSize === 4 || little === descriptor % 64 < 32 ? start : start + 4;
  };
  const wanted: { set: number; descriptor: number; file: OpenFile }[] = [];
  for (let set = 0; set < 3; set++) {
    if (sets[set] === 0) continue;
    for (let descriptor = 0; descriptor < limited; descriptor++) {
      const word = memory.readU32(wordAddress(sets[set], descriptor));
      if ((word & (1 << (descriptor & 31))) === 0) continue;
      const file = process.files.get(descriptor);
      if (file === undefined) return -errno.EBADF;
      wanted.push({ set, descriptor, file });
    }
  }
  const store = (found: typeof wanted): void => {
    for (let set = 0; set < 3; set++) {
      if (sets[set] === 0) continue;
      memory.fill(sets[set], words * wordSize, 0);
      for (const { set: which, descriptor } of found) {
        if (which !== set) continue;
        const address = wordAddress(sets[set], descriptor);
        memory.writeU32(address, memory.readU32(address) | (1 << (descriptor & 31)));
      }
    }
  };
  let found: typeof wanted = [];
  const look = (): number => {
    found = wanted.filter(({ set, file }) => (file.readiness() & selectBits[set]) !== 0);
    return found.length;
  };
  const finish = (result: number): number => {
    if (result >= 0) store(found);
    return result;
  };
  const watches = wanted.map(({ set, file }) => ({ file, bits: selectEvents[set] }));
  const result = ready(call, watches, look, timeout);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

function select(call: SystemCall): number | Promise<number> {
  return withMaskAndTimeout(call, undefined, call.args[4], 'timeval', (timeout) => selectFiles(call, timeout));
}

/** i386's first select, which takes its arguments through memory. */
function oldSelect(call: SystemCall): number | Promise<number> {
  const args = readArguments(call, call.args[0], 5);
  return select(withArguments(call, [args[0] | 0, ...args.slice(1)]));
}

function pselect(call: SystemCall, layout: TimeLayout): number | Promise<number> {
  const time = call.args[4];
  const argument = call.args[5];
  const { pointer, size } =
    argument === 0 ? { pointer: 0, size: 0 } : call.abi.structures.sigsetArgument.read(call.memory, argument);
  const mask = readMask(call, narrowAddress(pointer), size);
  if (typeof mask === 'number') return mask;
  return withMaskAndTimeout(call, mask, time, layout, (timeout) => selectFiles(call, timeout));
}

// -- epoll

const epollEvents = { EPOLLONESHOT: 0x40000000, EPOLLET: 0x80000000 } as const;
/** Operations of epoll_ctl. */
const epollAdd = 1;
const epollDelete = 2;
const epollModify = 3;

interface Interest {
  readonly file: OpenFile;
  events: number;
  data: bigint;
  /** Bits that an edge-triggered entry has told since they were last off. */
  told: number;
}

/** An epoll set. */
class EventPoll extends OpenFile {
  /** By descriptor. */
  readonly interests = new Map<number, Interest>();

  read(): number {
    return -errno.EINVAL;
  }
  write(): number {
    return -errno.EINVAL;
  }
  status(): FileStatus | number {
    return -errno.EINVAL;
  }
  dispose(): void {
    this.interests.clear();
  }

  /** Entries that are ready, with what they are ready for. */
  ready(): { interest: Interest; bits: number }[] {
    const result: { interest: Interest; bits: number }[] = [];
    for (const [descriptor, interest] of this.interests) {
      if (interest.file.references === 0) {
        this.interests.delete(descriptor);
        continue;
      }
      let bits = interest.events === 0 ? 0 : interest.file.readiness() & (interest.events | POLLERR | POLLHUP);
      if ((interest.events & epollEvents.EPOLLET) !== 0) {
        const fresh = bits & ~interest.told;
        interest.told &= bits;
        bits = fresh === 0 ? 0 : bits;
      }
      if (bits !== 0) result.push({ interest, bits });
    }
    return result;
  }

  override readiness(): number {
    return this.ready().length > 0 ? readable : 0;
  }

  override isUncertain(): boolean {
    return [...this.interests.values()].some(({ file, events }) => file.isUncertain(events));
  }

  override whenChanged(): Promise<void> | undefined {
    const changes = [...this.interests.values()].map(({ file, events }) => file.whenChanged(events));
    const waiting = changes.filter((change) => change !== undefined);
    return waiting.length === 0 ? undefined : Promise.race(waiting);
  }

  override get label(): string {
    return 'anon_inode:[eventpoll]';
  }
}

function epollCreate(call: SystemCall, flags: number): number {
  const { CLOEXEC, RDWR } = call.abi.open;
  if ((flags & ~CLOEXEC) !== 0) return -errno.EINVAL;
  return install(call, new EventPoll(RDWR, { read: true, write: true }), flags !== 0);
}

function epollControl(call: SystemCall): number {
  const [descriptor, operation, target, address] = call.args;
  const { files } = call.process;
  const set = files.get(descriptor);
  const file = files.get(target);
  if (set === undefined || file === undefined) return -errno.EBADF;
  const layout = call.abi.structures.epollEvent;
  // Read in any case but deletion, so that a bad pointer is EFAULT before anything else is looked at.
  const event =
    operation === epollDelete
      ? { events: 0, data: 0n }
      : {
          events: call.memory.readU32(address),
          data: call.memory.readU64(address + layout.fields.data.offset),
        };
  if (!(set instanceof EventPoll) || set === file) return -errno.EINVAL;
  if (file.whenChanged(0) === undefined && file.hostDescriptor !== undefined && file.seek(0, 1) !== -errno.ESPIPE) {
    return -errno.EPERM;
  }
  const present = set.interests.get(target);
  const known = present !== undefined && present.file === file ? present : undefined;
  switch (operation) {
    case epollAdd:
      if (known !== undefined) return -errno.EEXIST;
      set.interests.set(target, { file, ...event, told: 0 });
      return 0;
    case epollModify:
      if (known === undefined) return -errno.ENOENT;
      Object.assign(known, event, { told: 0 });
      return 0;
    case epollDelete:
      if (known === undefined) return -errno.ENOENT;
      set.interests.delete(target);
      return 0;
    default:
      return -errno.EINVAL;
  }
}

/** The largest number of events that one call may ask for (EP_MAX_EVENTS is far above). */
const epollMaximum = 1 << 20;

function epollWaitFor(call: SystemCall, timeout: number | undefined): number | Promise<number> {
  const [descriptor, address, maximum] = call.args;
  const set = call.process.files.get(descriptor);
  if (set === undefined) return -errno.EBADF;
  if (maximum <= 0 || maximum > epollMaximum || !(set instanceof EventPoll)) return -errno.EINVAL;
  const layout = call.abi.structures.epollEvent;
  const look = (): number => {
    const entries = set.ready().slice(0, maximum);
    entries.forEach(({ interest, bits }, i) => {
      layout.write(call.memory, address + i * layout.size, { events: bits, data: interest.data });
      interest.told |= bits;
      if ((interest.events & epollEvents.EPOLLONESHOT) !== 0) interest.events = 0;
    });
    return entries.length;
  };
  return ready(call, [{ file: set, bits: readable }], look, timeout);
}

function epollPwait(call: SystemCall): number | Promise<number> {
  const mask = readMask(call, call.args[4], call.args[5]);
  if (typeof mask === 'number') return mask;
  return withMaskAndTimeout(call, mask, 0, 'timespec', () => epollWaitFor(call, fromMilliseconds(call.args[3])));
}

function epollPwait2(call: SystemCall): number | Promise<number> {
  const mask = readMask(call, call.args[4], call.args[5]);
  if (typeof mask === 'number') return mask;
  const timeout = readTimeout(call, call.args[3], 'timespec64');
  if (timeout === -1) return -errno.EINVAL;
  return withMaskAndTimeout(call, mask, 0, 'timespec', () => epollWaitFor(call, timeout));
}

const missing = () => -errno.ENOSYS;

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'poll', numbers: { powerpc: 167, i386: 168, 'x86-64': 7 }, arguments: ['pollfd', 'uint', 'int'], handler: (call) => pollFiles(call, fromMilliseconds(call.args[2])), support: 'full' },
  { name: 'ppoll', numbers: { powerpc: 281, i386: 309, 'x86-64': 271 }, arguments: ['pollfd', 'uint', 'timespec', 'pointer', 'size'], handler: (call) => ppoll(call, 'timespec'), support: 'full' },
  { name: 'ppoll_time64', numbers: { powerpc: 414, i386: 414 }, arguments: ['pollfd', 'uint', 'timespec', 'pointer', 'size'], handler: (call) => ppoll(call, 'timespec64'), support: 'full' },
  { name: 'select', numbers: { powerpc: 82, 'x86-64': 23 }, arguments: ['int', 'pointer', 'pointer', 'pointer', 'struct'], handler: select, support: 'full' },
  { name: '_newselect', numbers: { powerpc: 142, i386: 142 }, arguments: ['int', 'pointer', 'pointer', 'pointer', 'struct'], handler: select, support: 'full' },
  { name: 'select', numbers: { i386: 82 }, arguments: ['struct'], handler: oldSelect, support: 'full' },
  { name: 'pselect6', numbers: { powerpc: 280, i386: 308, 'x86-64': 270 }, arguments: ['int', 'pointer', 'pointer', 'pointer', 'timespec', 'pointer'], handler: (call) => pselect(call, 'timespec'), support: 'full' },
  { name: 'pselect6_time64', numbers: { powerpc: 413, i386: 413 }, arguments: ['int', 'pointer', 'pointer', 'pointer', 'timespec', 'pointer'], handler: (call) => pselect(call, 'timespec64'), support: 'full' },
  { name: 'epoll_create', numbers: { powerpc: 236, i386: 254, 'x86-64': 213 }, arguments: ['int'], handler: (call) => (call.args[0] <= 0 ? -errno.EINVAL : epollCreate(call, 0)), support: 'full' },
  { name: 'epoll_create1', numbers: { powerpc: 315, i386: 329, 'x86-64': 291 }, arguments: ['flags:open'], handler: (call) => epollCreate(call, call.args[0]), support: 'full' },
  { name: 'epoll_ctl', numbers: { powerpc: 237, i386: 255, 'x86-64': 233 }, arguments: ['fd', 'int', 'fd', 'pointer'], handler: epollControl, support: 'full' },
  { name: 'epoll_wait', numbers: { powerpc: 238, i386: 256, 'x86-64': 232 }, arguments: ['fd', 'pointer', 'int', 'int'], handler: (call) => epollWaitFor(call, fromMilliseconds(call.args[3])), support: 'full' },
  { name: 'epoll_pwait', numbers: { powerpc: 303, i386: 319, 'x86-64': 281 }, arguments: ['fd', 'pointer', 'int', 'int', 'pointer', 'size'], handler: epollPwait, support: 'full' },
  { name: 'epoll_pwait2', numbers: { powerpc: 441, i386: 441, 'x86-64': 441 }, arguments: ['fd', 'pointer', 'int', 'timespec', 'pointer', 'size'], handler: epollPwait2, support: 'full' },
  { name: 'inotify_init', numbers: { powerpc: 275, i386: 291, 'x86-64': 253 }, arguments: [], handler: missing, support: 'partial', note: 'ENOSYS' },
  { name: 'inotify_init1', numbers: { powerpc: 318, i386: 332, 'x86-64': 294 }, arguments: ['hex'], handler: missing, support: 'partial', note: 'ENOSYS' },
];
