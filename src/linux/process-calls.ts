/** System calls about the life of the process and its threads: ends, children, names, waiting on words of memory. */
import { errno } from './errno.ts';
import { writeWord } from './guest-access.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import { readInterval } from './time-values.ts';

function exit({ process, thread, memory, args: [code] }: SystemCall): number {
  if (thread.clearChildTid !== 0 && memory.allows(thread.clearChildTid, 4, 2)) memory.writeU32(thread.clearChildTid, 0);
  process.exit({ kind: 'exit', code: code & 0xff });
  return 0;
}

/** A call that would start another process or thread, which this personality does not have yet. */
const single = (): number => -errno.ENOSYS;
const singleNote = 'one process with one thread: fork, clone and exec are not there yet';

/** Options that wait4 and waitid know. */
const waitOptions = { wait: 0xe000000b, id: 0xe100000f } as const;
/** Waiting fails at once: there are no children. */
const noChild = (options: number, allowed: number): number =>
  (options & ~allowed) !== 0 ? -errno.EINVAL : -errno.ECHILD;

// -- prctl

const prctlOption = {
  PR_SET_PDEATHSIG: 1,
  PR_GET_PDEATHSIG: 2,
  PR_GET_DUMPABLE: 3,
  PR_SET_DUMPABLE: 4,
  PR_SET_NAME: 15,
  PR_GET_NAME: 16,
  PR_GET_ENDIAN: 19,
  PR_GET_SECCOMP: 21,
  PR_SET_TIMERSLACK: 29,
  PR_GET_TIMERSLACK: 30,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_GET_NO_NEW_PRIVS: 39,
} as const;
/** Bytes of a command name, with its zero. */
const nameSize = 16;
/** Nanoseconds by which the kernel may delay a timer. */
const defaultTimerSlack = 50_000;

function prctl(call: SystemCall): number {
  const { process, memory, args } = call;
  const [option, value] = args;
  const o = prctlOption;
  switch (option) {
    case o.PR_SET_NAME: {
      const bytes = new Uint8Array(nameSize - 1);
      let length = 0;
      while (length < bytes.length && (bytes[length] = memory.readU8(value + length)) !== 0) length++;
      process.name = bytes.slice(0, length);
      return 0;
    }
    case o.PR_GET_NAME: {
      const bytes = new Uint8Array(nameSize);
      bytes.set(process.name);
      memory.writeBytes(value, bytes);
      return 0;
    }
    case o.PR_SET_PDEATHSIG:
      if (value > 64) return -errno.EINVAL;
      process.parentDeathSignal = value;
      return 0;
    case o.PR_GET_PDEATHSIG:
      memory.writeU32(value, process.parentDeathSignal);
      return 0;
    case o.PR_GET_DUMPABLE:
      return process.dumpable ? 1 : 0;
    case o.PR_SET_DUMPABLE:
      if (value > 1) return -errno.EINVAL;
      process.dumpable = value === 1;
      return 0;
    case o.PR_GET_ENDIAN:
      memory.writeU32(value, memory.byteOrder === 'big' ? 0 : 1);
      return 0;
    case o.PR_GET_SECCOMP:
      return 0;
    case o.PR_SET_TIMERSLACK:
      process.timerSlack = value === 0 ? defaultTimerSlack : value;
      return 0;
    case o.PR_GET_TIMERSLACK:
      return process.timerSlack;
    case o.PR_SET_NO_NEW_PRIVS:
      if (value !== 1 || args[2] !== 0 || args[3] !== 0 || args[4] !== 0) return -errno.EINVAL;
      process.noNewPrivileges = true;
      return 0;
    case o.PR_GET_NO_NEW_PRIVS:
      return process.noNewPrivileges ? 1 : 0;
    default:
      return -errno.EINVAL;
  }
}

// -- futex

const futex = { WAIT: 0, WAKE: 1, REQUEUE: 3, CMP_REQUEUE: 4, WAKE_OP: 5, WAIT_BITSET: 9, WAKE_BITSET: 10 } as const;
const futexClockRealtime = 256;
const futexCommand = 0x7f;

/** With a single thread nobody is ever woken by another, and a waiter only by a signal or its timeout. */
function futexCall(call: SystemCall, wide: boolean): number | Promise<number> {
  const { memory, process, thread, args } = call;
  const [address, operation, value, timeout] = args;
  const command = operation & futexCommand;
  if (address % 4 !== 0) return -errno.EINVAL;
  switch (command) {
    case futex.WAIT:
    case futex.WAIT_BITSET: {
      if (command === futex.WAIT_BITSET && args[5] === 0) return -errno.EINVAL;
      const limit = timeout === 0 ? undefined : readInterval(call, timeout, wide);
      if (limit !== undefined && limit < 0) return -errno.EINVAL;
      if (memory.readU32(address) !== value >>> 0) return -errno.EAGAIN;
      let left = limit;
      if (limit !== undefined && command === futex.WAIT_BITSET) {
        const clock = (operation & futexClockRealtime) !== 0 ? process.clocks.realTime : process.clocks.monotonic;
        left = Math.max(0, limit - clock());
      }
      return thread.sleep(left).then((how) => {
        if (how === 'elapsed') return -errno.ETIMEDOUT;
        return timeout === 0 ? -restart.ERESTARTSYS : -errno.EINTR;
      });
    }
    case futex.CMP_REQUEUE:
      return memory.readU32(address) === args[5] >>> 0 ? 0 : -errno.EAGAIN;
    case futex.WAKE:
    case futex.REQUEUE:
    case futex.WAKE_OP:
      memory.readU32(address);
      return 0;
    case futex.WAKE_BITSET:
      return args[5] === 0 ? -errno.EINVAL : 0;
    default:
      return -errno.ENOSYS;
  }
}

function getRobustList({ process, thread, memory, abi, args: [pid, head, length] }: SystemCall): number {
  if (pid !== 0 && pid !== thread.id) return process.system.processIds(pid) === undefined ? -errno.ESRCH : -errno.EPERM;
  writeWord(abi, memory, length, thread.robustList.length);
  writeWord(abi, memory, head, thread.robustList.head);
  return 0;
}

function setRobustList({ thread, abi, args: [head, length] }: SystemCall): number {
  if (length !== abi.structures.robustList.size) return -errno.EINVAL;
  thread.robustList = { head, length };
  return 0;
}

function setTidAddress({ thread, args: [address] }: SystemCall): number {
  thread.clearChildTid = address;
  return thread.id;
}

/** With one thread every barrier holds. */
function membarrier({ args: [command, flags] }: SystemCall): number {
  const supported = 0x7f;
  if (flags !== 0) return -errno.EINVAL;
  if (command === 0) return supported;
  return (command & ~supported) === 0 && (command & (command - 1)) === 0 ? 0 : -errno.EINVAL;
}

const notPermitted = (): number => -errno.EPERM;

/** An argument that only asks. */
const personalityQuery = 0xffffffff;

function personality({ process, args: [wanted] }: SystemCall): number {
  const before = process.personality;
  if (wanted !== personalityQuery) process.personality = wanted;
  return before;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'exit', numbers: { powerpc: 1, i386: 1, 'x86-64': 60 }, arguments: ['int'], handler: exit, support: 'full' },
  { name: 'exit_group', numbers: { powerpc: 234, i386: 252, 'x86-64': 231 }, arguments: ['int'], handler: exit, support: 'full' },
  { name: 'fork', numbers: { powerpc: 2, i386: 2, 'x86-64': 57 }, arguments: [], handler: single, support: 'partial', note: singleNote },
  { name: 'vfork', numbers: { powerpc: 189, i386: 190, 'x86-64': 58 }, arguments: [], handler: single, support: 'partial', note: singleNote },
  { name: 'clone', numbers: { powerpc: 120, i386: 120, 'x86-64': 56 }, arguments: ['hex', 'pointer', 'pointer', 'pointer', 'pointer'], handler: single, support: 'partial', note: singleNote },
  { name: 'clone3', numbers: { powerpc: 435, i386: 435, 'x86-64': 435 }, arguments: ['pointer', 'size'], handler: single, support: 'partial', note: singleNote },
  { name: 'execve', numbers: { powerpc: 11, i386: 11, 'x86-64': 59 }, arguments: ['path', 'pointer', 'pointer'], handler: single, support: 'partial', note: singleNote },
  { name: 'execveat', numbers: { powerpc: 362, i386: 358, 'x86-64': 322 }, arguments: ['atfd', 'path', 'pointer', 'pointer', 'hex'], handler: single, support: 'partial', note: singleNote },
  { name: 'waitpid', numbers: { powerpc: 7, i386: 7 }, arguments: ['int', 'pointer', 'hex'], handler: ({ args }) => noChild(args[2], waitOptions.wait), support: 'full' },
  { name: 'wait4', numbers: { powerpc: 114, i386: 114, 'x86-64': 61 }, arguments: ['int', 'pointer', 'hex', 'pointer'], handler: ({ args }) => noChild(args[2], waitOptions.wait), support: 'full' },
  { name: 'waitid', numbers: { powerpc: 272, i386: 284, 'x86-64': 247 }, arguments: ['int', 'int', 'pointer', 'hex', 'pointer'], handler: ({ args }) => noChild(args[3], waitOptions.id), support: 'full' },
  { name: 'prctl', numbers: { powerpc: 171, i386: 172, 'x86-64': 157 }, arguments: ['int', 'word', 'word', 'word', 'word'], handler: prctl, support: 'partial', note: 'names, dumpable, endianness, timer slack, no_new_privs; EINVAL for the rest' },
  { name: 'personality', numbers: { powerpc: 136, i386: 136, 'x86-64': 135 }, arguments: ['hex'], handler: personality, support: 'accepted', note: 'remembered, without effect' },
  { name: 'futex', numbers: { powerpc: 221, i386: 240, 'x86-64': 202 }, arguments: ['pointer', 'int', 'uint', 'pointer', 'pointer', 'uint'], handler: (call) => futexCall(call, false), support: 'partial', note: 'one thread: nobody wakes another; no priority inheritance' },
  { name: 'futex_time64', numbers: { powerpc: 422, i386: 422 }, arguments: ['pointer', 'int', 'uint', 'pointer', 'pointer', 'uint'], handler: (call) => futexCall(call, true), support: 'partial', note: 'as futex' },
  { name: 'set_tid_address', numbers: { powerpc: 232, i386: 258, 'x86-64': 218 }, arguments: ['pointer'], handler: setTidAddress, support: 'full' },
  { name: 'get_robust_list', numbers: { powerpc: 299, i386: 312, 'x86-64': 274 }, arguments: ['int', 'pointer', 'pointer'], handler: getRobustList, support: 'full' },
  { name: 'set_robust_list', numbers: { powerpc: 300, i386: 311, 'x86-64': 273 }, arguments: ['pointer', 'size'], handler: setRobustList, support: 'full' },
  { name: 'membarrier', numbers: { powerpc: 365, i386: 375, 'x86-64': 324 }, arguments: ['int', 'uint', 'int'], handler: membarrier, support: 'full' },
  { name: 'rseq', numbers: { powerpc: 387, i386: 386, 'x86-64': 334 }, arguments: ['pointer', 'size', 'hex', 'hex'], handler: () => -errno.ENOSYS, support: 'partial', note: 'answers ENOSYS, as a kernel without it' },
  { name: 'restart_syscall', numbers: { powerpc: 0, i386: 0, 'x86-64': 219 }, arguments: [], handler: ({ thread }) => thread.restart?.() ?? -errno.EINTR, support: 'full' },
  { name: 'ptrace', numbers: { powerpc: 26, i386: 26, 'x86-64': 101 }, arguments: ['int', 'int', 'pointer', 'pointer'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'syslog', numbers: { powerpc: 103, i386: 103, 'x86-64': 103 }, arguments: ['int', 'pointer', 'int'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'reboot', numbers: { powerpc: 88, i386: 88, 'x86-64': 169 }, arguments: ['hex', 'hex', 'hex', 'pointer'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'sethostname', numbers: { powerpc: 74, i386: 74, 'x86-64': 170 }, arguments: ['string', 'size'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'setdomainname', numbers: { powerpc: 121, i386: 121, 'x86-64': 171 }, arguments: ['string', 'size'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'swapon', numbers: { powerpc: 87, i386: 87, 'x86-64': 167 }, arguments: ['path', 'hex'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
  { name: 'swapoff', numbers: { powerpc: 115, i386: 115, 'x86-64': 168 }, arguments: ['path'], handler: notPermitted, support: 'partial', note: 'always EPERM' },
];
