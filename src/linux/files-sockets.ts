/** Sockets: there is no network. Making one fails as on a kernel without protocols; nothing that exists is a socket. */
import { errno } from './errno.ts';
import type { ArgumentKind, SystemCall, SystemCallRow } from './system-call.ts';

const noProtocol = () => -errno.EAFNOSUPPORT;

/** A call on a descriptor, which is no socket whatever it is. */
function notSocket(call: SystemCall): number {
  return call.process.files.get(call.args[0]) === undefined ? -errno.EBADF : -errno.ENOTSOCK;
}

/** Numbers of socketcall's calls that make sockets: SYS_SOCKET and SYS_SOCKETPAIR; and the last of all (linux/net.h). */
const makeSocket = 1;
const makePair = 8;
const lastCall = 20;

function socketCall(call: SystemCall): number {
  const [which, address] = call.args;
  if (which < makeSocket || which > lastCall) return -errno.EINVAL;
  const first = call.memory.readI32(address);
  if (which === makeSocket || which === makePair) return -errno.EAFNOSUPPORT;
  return call.process.files.get(first) === undefined ? -errno.EBADF : -errno.ENOTSOCK;
}

const note = 'no sockets: EAFNOSUPPORT, ENOTSOCK';

/** Calls on a socket: name, number of arguments, and numbers on PowerPC, i386 and x86-64; 0: none. */
// biome-ignore format: one call per line
const onSockets: readonly (readonly [string, number, number, number, number])[] = [
  ['bind', 3, 327, 361, 49],
  ['connect', 3, 328, 362, 42],
  ['listen', 2, 329, 363, 50],
  ['accept', 3, 330, 0, 43],
  ['getsockname', 3, 331, 367, 51],
  ['getpeername', 3, 332, 368, 52],
  ['send', 4, 334, 0, 0],
  ['sendto', 6, 335, 369, 44],
  ['recv', 4, 336, 0, 0],
  ['recvfrom', 6, 337, 371, 45],
  ['shutdown', 2, 338, 373, 48],
  ['setsockopt', 5, 339, 366, 54],
  ['getsockopt', 5, 340, 365, 55],
  ['sendmsg', 3, 341, 370, 46],
  ['recvmsg', 3, 342, 372, 47],
  ['recvmmsg', 5, 343, 337, 299],
  ['accept4', 4, 344, 364, 288],
  ['sendmmsg', 4, 349, 345, 307],
];

function socketRow([name, count, powerpc, i386, x86_64]: (typeof onSockets)[number]): SystemCallRow {
  const numbers = Object.fromEntries(
    Object.entries({ powerpc, i386, 'x86-64': x86_64 }).filter(([, number]) => number !== 0),
  );
  const kinds: readonly ArgumentKind[] = ['fd', 'word', 'word', 'word', 'word', 'word'];
  return { name, numbers, arguments: kinds.slice(0, count), handler: notSocket, support: 'partial', note };
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'socketcall', numbers: { powerpc: 102, i386: 102 }, arguments: ['int', 'pointer'], handler: socketCall, support: 'partial', note },
  { name: 'socket', numbers: { powerpc: 326, i386: 359, 'x86-64': 41 }, arguments: ['int', 'int', 'int'], handler: noProtocol, support: 'partial', note },
  { name: 'socketpair', numbers: { powerpc: 333, i386: 360, 'x86-64': 53 }, arguments: ['int', 'int', 'int', 'pointer'], handler: noProtocol, support: 'partial', note },
  ...onSockets.map(socketRow),
];
