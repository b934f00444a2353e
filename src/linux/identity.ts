/** System calls about who the process is: ids, groups, names of the machine. */
import { errno } from './errno.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

const keep = 0xffffffff;

// -- processes, groups, sessions

function processGroup({ process }: SystemCall, pid: number): number {
  if (pid < 0) return -errno.ESRCH;
  return process.system.processIds(pid === 0 ? process.id : pid)?.group ?? -errno.ESRCH;
}

function session({ process }: SystemCall, pid: number): number {
  if (pid < 0) return -errno.ESRCH;
  return process.system.processIds(pid === 0 ? process.id : pid)?.session ?? -errno.ESRCH;
}

/** A group can only be left by a call of the host, which there is none for: only what changes nothing succeeds. */
function setProcessGroup(call: SystemCall): number {
  const { process, args } = call;
  const [pid, group] = args;
  if (group < 0) return -errno.EINVAL;
  if (pid !== 0 && pid !== process.id) return -errno.ESRCH;
  const wanted = group === 0 ? process.id : group;
  return wanted === processGroup(call, 0) ? 0 : -errno.EPERM;
}

// -- users

interface Ids {
  readonly real: number;
  readonly effective: number;
}

const users = ({ process }: SystemCall): Ids => {
  const { uid, effectiveUid } = process.system.credentials();
  return { real: uid, effective: effectiveUid };
};
const groups = ({ process }: SystemCall): Ids => {
  const { gid, effectiveGid } = process.system.credentials();
  return { real: gid, effective: effectiveGid };
};

/** Setting `count` ids: what one has already is granted, anything else is not permitted. */
const setIds = (idsOf: (call: SystemCall) => Ids, count: number) => (call: SystemCall) => {
  const { real, effective } = idsOf(call);
  const allowed = call.args.slice(0, count).every((id) => id === keep || id === real || id === effective);
  return allowed ? 0 : -errno.EPERM;
};

/** setuid and setgid take no -1. */
const setId = (idsOf: (call: SystemCall) => Ids) => (call: SystemCall) =>
  call.args[0] === keep ? -errno.EINVAL : setIds(idsOf, 1)(call);

const getThree = (idsOf: (call: SystemCall) => Ids) => (call: SystemCall) => {
  const { real, effective } = idsOf(call);
  const { memory, args } = call;
  memory.writeU32(args[0], real);
  memory.writeU32(args[1], effective);
  memory.writeU32(args[2], effective);
  return 0;
};

function getGroups({ process, memory, args: [size, address] }: SystemCall): number {
  const list = process.system.credentials().groups;
  if (size < 0) return -errno.EINVAL;
  if (size === 0) return list.length;
  if (list.length > size) return -errno.EINVAL;
  list.forEach((group, i) => {
    memory.writeU32(address + i * 4, group);
  });
  return list.length;
}

// -- capabilities: none are in effect

/** _LINUX_CAPABILITY_VERSION_1 to 3, and the 32-bit words that each has per set. */
const capabilityWords = new Map([
  [0x19980330, 1],
  [0x20071026, 2],
  [0x20080522, 2],
]);

function capget({ process, memory, args: [head, data] }: SystemCall): number {
  const words = capabilityWords.get(memory.readU32(head));
  if (words === undefined) {
    memory.writeU32(head, 0x20080522);
    return data === 0 ? 0 : -errno.EINVAL;
  }
  const pid = memory.readI32(head + 4);
  if (pid < 0) return -errno.EINVAL;
  if (pid !== 0 && pid !== process.id) return -errno.ESRCH;
  if (data !== 0) memory.writeBytes(data, new Uint8Array(words * 12));
  return 0;
}

// -- names

/** Bytes of each field of struct new_utsname. */
const nameSize = 65;
/** The host's kernel, as a program of the host would see it, on the guest's machine. */
function uname({ process, abi, memory, args: [address] }: SystemCall): number {
  const { hostName, release, version } = process.system.machine();
  const bytes = new Uint8Array(6 * nameSize);
  const text = new TextEncoder();
  ['Linux', hostName, release, version, abi.machine, '(none)'].forEach((name, i) => {
    bytes.set(text.encode(name).subarray(0, nameSize - 1), i * nameSize);
  });
  memory.writeBytes(address, bytes);
  return 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'getpid', numbers: { powerpc: 20, i386: 20, 'x86-64': 39 }, arguments: [], handler: ({ process }) => process.id, support: 'full' },
  { name: 'getppid', numbers: { powerpc: 64, i386: 64, 'x86-64': 110 }, arguments: [], handler: ({ process }) => process.system.parentId, support: 'full' },
  { name: 'gettid', numbers: { powerpc: 207, i386: 224, 'x86-64': 186 }, arguments: [], handler: ({ thread }) => thread.id, support: 'full' },
  { name: 'getpgrp', numbers: { powerpc: 65, i386: 65, 'x86-64': 111 }, arguments: [], handler: (call) => processGroup(call, 0), support: 'full' },
  { name: 'getpgid', numbers: { powerpc: 132, i386: 132, 'x86-64': 121 }, arguments: ['int'], handler: (call) => processGroup(call, call.args[0]), support: 'full' },
  { name: 'setpgid', numbers: { powerpc: 57, i386: 57, 'x86-64': 109 }, arguments: ['int', 'int'], handler: setProcessGroup, support: 'partial', note: 'the host process keeps its group: EPERM for another' },
  { name: 'getsid', numbers: { powerpc: 147, i386: 147, 'x86-64': 124 }, arguments: ['int'], handler: (call) => session(call, call.args[0]), support: 'full' },
  { name: 'setsid', numbers: { powerpc: 66, i386: 66, 'x86-64': 112 }, arguments: [], handler: () => -errno.EPERM, support: 'partial', note: 'always EPERM, as for a leader of its group' },
  { name: 'getuid', numbers: { powerpc: 24, 'x86-64': 102 }, arguments: [], handler: (call) => users(call).real, support: 'full' },
  { name: 'geteuid', numbers: { powerpc: 49, 'x86-64': 107 }, arguments: [], handler: (call) => users(call).effective, support: 'full' },
  { name: 'getgid', numbers: { powerpc: 47, 'x86-64': 104 }, arguments: [], handler: (call) => groups(call).real, support: 'full' },
  { name: 'getegid', numbers: { powerpc: 50, 'x86-64': 108 }, arguments: [], handler: (call) => groups(call).effective, support: 'full' },
  { name: 'getresuid', numbers: { powerpc: 165, 'x86-64': 118 }, arguments: ['pointer', 'pointer', 'pointer'], handler: getThree(users), support: 'full' },
  { name: 'getresgid', numbers: { powerpc: 170, 'x86-64': 120 }, arguments: ['pointer', 'pointer', 'pointer'], handler: getThree(groups), support: 'full' },
  { name: 'setuid', numbers: { powerpc: 23, 'x86-64': 105 }, arguments: ['uint'], handler: setId(users), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setgid', numbers: { powerpc: 46, 'x86-64': 106 }, arguments: ['uint'], handler: setId(groups), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setreuid', numbers: { powerpc: 70, 'x86-64': 113 }, arguments: ['uint', 'uint'], handler: setIds(users, 2), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setregid', numbers: { powerpc: 71, 'x86-64': 114 }, arguments: ['uint', 'uint'], handler: setIds(groups, 2), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setresuid', numbers: { powerpc: 164, 'x86-64': 117 }, arguments: ['uint', 'uint', 'uint'], handler: setIds(users, 3), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setresgid', numbers: { powerpc: 169, 'x86-64': 119 }, arguments: ['uint', 'uint', 'uint'], handler: setIds(groups, 3), support: 'partial', note: 'only to the ids that the process has' },
  { name: 'setfsuid', numbers: { powerpc: 138, 'x86-64': 122 }, arguments: ['uint'], handler: (call) => users(call).effective, support: 'partial', note: 'never changes the id' },
  { name: 'setfsgid', numbers: { powerpc: 139, 'x86-64': 123 }, arguments: ['uint'], handler: (call) => groups(call).effective, support: 'partial', note: 'never changes the id' },
  { name: 'getgroups', numbers: { powerpc: 80, 'x86-64': 115 }, arguments: ['int', 'pointer'], handler: getGroups, support: 'full' },
  { name: 'setgroups', numbers: { powerpc: 81, 'x86-64': 116 }, arguments: ['int', 'pointer'], handler: () => -errno.EPERM, support: 'partial', note: 'always EPERM' },
  { name: 'capget', numbers: { powerpc: 183, i386: 184, 'x86-64': 125 }, arguments: ['pointer', 'pointer'], handler: capget, support: 'partial', note: 'no capabilities' },
  { name: 'capset', numbers: { powerpc: 184, i386: 185, 'x86-64': 126 }, arguments: ['pointer', 'pointer'], handler: () => -errno.EPERM, support: 'partial', note: 'always EPERM' },
  { name: 'uname', numbers: { powerpc: 122, i386: 122, 'x86-64': 63 }, arguments: ['pointer'], handler: uname, support: 'full' },
];
