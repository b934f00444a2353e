/** System calls about what the process may use and has used: limits, usage, scheduling, the machine, randomness. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import { errno } from './errno.ts';
import { infinity, type Limit, resource, resourceCount } from './limits.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

const invalid = -errno.EINVAL;

// -- limits

/** How a limit looks in 32 bits: what does not fit is no limit. */
const wordInfinity = 0xffffffff;
const toWord = (value: bigint): number => (value >= BigInt(wordInfinity) ? wordInfinity : Number(value));

function getLimit(call: SystemCall, largest: number): number {
  const { process, abi, memory, args } = call;
  const [which, address] = args;
  if (which >= resourceCount) return invalid;
  const { soft, hard } = process.limits.get(which);
  if (abi.model.wordSize === 8) {
    abi.structures.rlimit.write(memory, address, { rlim_cur: soft, rlim_max: hard });
    return 0;
  }
  const word = (value: bigint) => Math.min(largest, toWord(value));
  abi.structures.rlimit.write(memory, address, { rlim_cur: word(soft), rlim_max: word(hard) });
  return 0;
}

/** Changes a limit. @returns 0 or -errno */
function change({ process }: SystemCall, which: number, limit: Limit): number {
  if (limit.soft > limit.hard) return invalid;
  if (limit.hard > process.limits.get(which).hard) return -errno.EPERM;
  const stack = process.limits.soft(resource.STACK);
  process.limits.set(which, limit);
  if (process.limits.soft(resource.STACK) > stack) process.requirePreciseFaults();
  return 0;
}

function setLimit(call: SystemCall): number {
  const { abi, memory, args } = call;
  const [which, address] = args;
  if (which >= resourceCount) return invalid;
  if (abi.model.wordSize === 8) return change(call, which, readWideLimit(memory, address));
  const { rlim_cur, rlim_max } = abi.structures.rlimit.read(memory, address);
  const wide = (word: number) => (word === wordInfinity ? infinity : BigInt(word));
  return change(call, which, { soft: wide(rlim_cur), hard: wide(rlim_max) });
}

/** Reads a limit of two 64-bit numbers. @throws MemoryFault */
function readWideLimit(memory: GuestMemory, address: number): Limit {
  return { soft: memory.readU64(address), hard: memory.readU64(address + 8) };
}

function prlimit(call: SystemCall): number {
  const { process, memory, args } = call;
  const [pid, which, wanted, old] = args;
  if (which >= resourceCount) return invalid;
  if (pid !== 0 && pid !== process.id)
    return process.system.processIds(pid) === undefined ? -errno.ESRCH : -errno.EPERM;
  const before = process.limits.get(which);
  if (wanted !== 0) {
    const result = change(call, which, readWideLimit(memory, wanted));
    if (result < 0) return result;
  }
  if (old !== 0) {
    memory.writeU64(old, before.soft);
    memory.writeU64(old + 8, before.hard);
  }
  return 0;
}

// -- usage

const who = { SELF: 0, CHILDREN: -1, THREAD: 1 } as const;

function getUsage({ process, abi, memory, args: [whose, address] }: SystemCall): number {
  const structure = abi.structures.rusage;
  if (whose === who.CHILDREN) {
    structure.write(memory, address, {});
    return 0;
  }
  if (whose !== who.SELF && whose !== who.THREAD) return invalid;
  const { system } = process;
  const usage = system.resourceUsage();
  const time = whose === who.THREAD ? system.threadCpuTime() : usage;
  structure.write(memory, address, {
    utime_sec: Math.floor(time.user / 1e9),
    utime_usec: Math.floor((time.user % 1e9) / 1000),
    stime_sec: Math.floor(time.system / 1e9),
    stime_usec: Math.floor((time.system % 1e9) / 1000),
    maxrss: usage.maximumResident,
    minflt: usage.minorFaults,
    majflt: usage.majorFaults,
    inblock: usage.blocksRead,
    oublock: usage.blocksWritten,
    nvcsw: usage.voluntarySwitches,
    nivcsw: usage.involuntarySwitches,
  });
  return 0;
}

/** Load averages have 16 fractional bits. */
const loadUnit = 65536;

function sysinfo({ process, abi, memory, args: [address] }: SystemCall): number {
  const facts = process.system.machine();
  // Sizes that do not fit a word are told in larger units, as the kernel does.
  let unit = 1;
  while (facts.memory / unit > 0xffffffff) unit *= 2;
  if (abi.model.wordSize === 8) unit = 1;
  abi.structures.sysinfo.write(memory, address, {
    uptime: Math.floor(facts.uptime),
    loads: facts.load.map((load) => Math.round(load * loadUnit)),
    totalram: Math.floor(facts.memory / unit),
    freeram: Math.floor(facts.freeMemory / unit),
    procs: 1,
    mem_unit: unit,
  });
  return 0;
}

// -- randomness

const randomFlags = 7;
/** Bytes that are made at a time. */
const randomPiece = 65536;

function getRandom({ process, memory, args: [address, size, flags] }: SystemCall): number {
  if ((flags & ~randomFlags) !== 0 || (flags & 6) === 6) return invalid;
  const length = Math.min(size, 0x7fffffff);
  for (let done = 0; done < length; done += randomPiece) {
    const piece = new Uint8Array(Math.min(randomPiece, length - done));
    process.system.fillRandom(piece);
    memory.writeBytes(address + done, piece);
  }
  return length;
}

// -- scheduling

const policy = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5 } as const;
const isRealTime = (kind: number): boolean => kind === policy.FIFO || kind === policy.RR;
const isPolicy = (kind: number): boolean => Object.values(policy).some((value) => value === kind);

/** Looks a process up that a scheduling call names. @returns 0 for this one, or -errno */
function self({ process }: SystemCall, pid: number): number {
  if (pid < 0) return invalid;
  if (pid === 0 || pid === process.id) return 0;
  return process.system.processIds(pid) === undefined ? -errno.ESRCH : -errno.EPERM;
}

function setScheduler(call: SystemCall): number {
  const [pid, kind, address] = call.args;
  const found = self(call, pid);
  if (found < 0) return found;
  const priority = call.memory.readI32(address);
  if (!isPolicy(kind) || (isRealTime(kind) ? priority < 1 || priority > 99 : priority !== 0)) return invalid;
  return kind === policy.OTHER ? 0 : -errno.EPERM;
}

function setParameters(call: SystemCall): number {
  const [pid, address] = call.args;
  const found = self(call, pid);
  if (found < 0) return found;
  return call.memory.readI32(address) === 0 ? 0 : invalid;
}

function getParameters(call: SystemCall): number {
  const [pid, address] = call.args;
  const found = self(call, pid);
  if (found === 0) call.memory.writeU32(address, 0);
  return found;
}

/** The time slice of a fair scheduler. */
const timeSlice = 4_000_000;

function getRoundRobinInterval(call: SystemCall, wide: boolean): number {
  const { abi, memory, args } = call;
  const [pid, address] = args;
  const found = self(call, pid);
  const structure = abi.structures[wide ? 'timespec64' : 'timespec'];
  if (found === 0) structure.write(memory, address, { tv_sec: 0, tv_nsec: timeSlice });
  return found;
}

/** A set of processors: words of the ABI's size, processor 0 in the lowest bit of the first. */
function getAffinity(call: SystemCall): number {
  const { process, abi, memory, args } = call;
  const [pid, size, address] = args;
  const { wordSize } = abi.model;
  const found = self(call, pid);
  if (found < 0) return found;
  const { processors } = process.system.machine();
  const needed = Math.ceil(processors / (wordSize * 8)) * wordSize;
  if (size % wordSize !== 0 || size < needed) return invalid;
  const bytes = new Uint8Array(needed);
  for (let i = 0; i < processors; i++) {
    const word = Math.floor(i / (wordSize * 8)) * wordSize;
    const byte = (i >> 3) % wordSize;
    bytes[word + (abi.model.byteOrder === 'big' ? wordSize - 1 - byte : byte)] |= 1 << (i & 7);
  }
  memory.writeBytes(address, bytes);
  return needed;
}

/** Any set that holds a processor that exists will do: the host schedules as it likes. */
function setAffinity(call: SystemCall): number {
  const [pid, size, address] = call.args;
  const found = self(call, pid);
  if (found < 0) return found;
  return call.memory.readBytes(address, Math.min(size, 128)).some((byte) => byte !== 0) ? 0 : invalid;
}

function getCpu({ memory, args: [processor, node] }: SystemCall): number {
  if (processor !== 0) memory.writeU32(processor, 0);
  if (node !== 0) memory.writeU32(node, 0);
  return 0;
}

/** The kernel returns 20 - nice, so that no result is negative. */
function getPriority({ process, args: [kind, id] }: SystemCall): number {
  if (kind < 0 || kind > 2) return invalid;
  if (kind !== 0) return 20 - (process.system.priority(0) ?? 0);
  const priority = process.system.priority(id === process.id ? 0 : id);
  return priority === undefined ? -errno.ESRCH : 20 - priority;
}

function setPriority({ process, args: [kind, id, wanted] }: SystemCall): number {
  if (kind < 0 || kind > 2) return invalid;
  const clamped = Math.max(-20, Math.min(19, wanted));
  if (kind !== 0) return -errno.EPERM;
  const target = id === process.id ? 0 : id;
  const before = process.system.priority(target);
  if (before === undefined) return -errno.ESRCH;
  return process.system.setPriority(target, clamped) ? 0 : -errno.EACCES;
}

function nice({ process, args: [increment] }: SystemCall): number {
  const wanted = Math.max(-20, Math.min(19, (process.system.priority(0) ?? 0) + increment));
  return process.system.setPriority(0, wanted) ? 0 : -errno.EPERM;
}

const priorityRange =
  (high: number, low: number) =>
  ({ args: [kind] }: SystemCall) => {
    if (!isPolicy(kind)) return invalid;
    return isRealTime(kind) ? high : low;
  };

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'setrlimit', numbers: { powerpc: 75, i386: 75, 'x86-64': 160 }, arguments: ['uint', 'struct'], handler: setLimit, support: 'partial', note: 'enforced: STACK, AS, DATA, NOFILE, FSIZE' },
  { name: 'getrlimit', numbers: { powerpc: 76, i386: 76, 'x86-64': 97 }, arguments: ['uint', 'pointer'], handler: (call) => getLimit(call, 0x7fffffff), support: 'full' },
  { name: 'ugetrlimit', numbers: { powerpc: 190, i386: 191 }, arguments: ['uint', 'pointer'], handler: (call) => getLimit(call, wordInfinity), support: 'full' },
  { name: 'prlimit64', numbers: { powerpc: 325, i386: 340, 'x86-64': 302 }, arguments: ['int', 'uint', 'pointer', 'pointer'], handler: prlimit, support: 'partial', note: 'as setrlimit' },
  { name: 'getrusage', numbers: { powerpc: 77, i386: 77, 'x86-64': 98 }, arguments: ['int', 'pointer'], handler: getUsage, support: 'full' },
  { name: 'sysinfo', numbers: { powerpc: 116, i386: 116, 'x86-64': 99 }, arguments: ['pointer'], handler: sysinfo, support: 'partial', note: 'no swap, shared and buffer sizes' },
  { name: 'getrandom', numbers: { powerpc: 359, i386: 355, 'x86-64': 318 }, arguments: ['outbuffer', 'size', 'hex'], handler: getRandom, support: 'full' },
  { name: 'getcpu', numbers: { powerpc: 302, i386: 318, 'x86-64': 309 }, arguments: ['pointer', 'pointer', 'pointer'], handler: getCpu, support: 'partial', note: 'always processor 0' },
  { name: 'getpriority', numbers: { powerpc: 96, i386: 96, 'x86-64': 140 }, arguments: ['int', 'int'], handler: getPriority, support: 'full' },
  { name: 'setpriority', numbers: { powerpc: 97, i386: 97, 'x86-64': 141 }, arguments: ['int', 'int', 'int'], handler: setPriority, support: 'partial', note: 'processes only' },
  { name: 'nice', numbers: { powerpc: 34, i386: 34 }, arguments: ['int'], handler: nice, support: 'full' },
  { name: 'sched_setparam', numbers: { powerpc: 154, i386: 154, 'x86-64': 142 }, arguments: ['int', 'pointer'], handler: setParameters, support: 'full' },
  { name: 'sched_getparam', numbers: { powerpc: 155, i386: 155, 'x86-64': 143 }, arguments: ['int', 'pointer'], handler: getParameters, support: 'full' },
  { name: 'sched_setscheduler', numbers: { powerpc: 156, i386: 156, 'x86-64': 144 }, arguments: ['int', 'int', 'pointer'], handler: setScheduler, support: 'partial', note: 'only SCHED_OTHER' },
  { name: 'sched_getscheduler', numbers: { powerpc: 157, i386: 157, 'x86-64': 145 }, arguments: ['int'], handler: (call) => self(call, call.args[0]), support: 'full' },
  { name: 'sched_yield', numbers: { powerpc: 158, i386: 158, 'x86-64': 24 }, arguments: [], handler: () => 0, support: 'accepted' },
  { name: 'sched_get_priority_max', numbers: { powerpc: 159, i386: 159, 'x86-64': 146 }, arguments: ['int'], handler: priorityRange(99, 0), support: 'full' },
  { name: 'sched_get_priority_min', numbers: { powerpc: 160, i386: 160, 'x86-64': 147 }, arguments: ['int'], handler: priorityRange(1, 0), support: 'full' },
  { name: 'sched_rr_get_interval', numbers: { powerpc: 161, i386: 161, 'x86-64': 148 }, arguments: ['int', 'pointer'], handler: (call) => getRoundRobinInterval(call, false), support: 'full' },
  { name: 'sched_rr_get_interval_time64', numbers: { powerpc: 423, i386: 423 }, arguments: ['int', 'pointer'], handler: (call) => getRoundRobinInterval(call, true), support: 'full' },
  { name: 'sched_setaffinity', numbers: { powerpc: 222, i386: 241, 'x86-64': 203 }, arguments: ['int', 'size', 'pointer'], handler: setAffinity, support: 'accepted' },
  { name: 'sched_getaffinity', numbers: { powerpc: 223, i386: 242, 'x86-64': 204 }, arguments: ['int', 'size', 'pointer'], handler: getAffinity, support: 'full' },
];
