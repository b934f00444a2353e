/** Sockets: there is no network. Making one fails as on a kernel without protocols; nothing that exists is a socket. */
import { errno } from './errno.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

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
const onSockets = 'bind connect listen accept getsockname getpeername'.split(' ');
const onMoreSockets = 'send sendto recv recvfrom shutdown setsockopt getsockopt sendmsg recvmsg recvmmsg accept4'.split(
  ' ',
);

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'socketcall', numbers: { powerpc: 102 }, arguments: ['int', 'pointer'], handler: socketCall, support: 'partial', note },
  { name: 'socket', numbers: { powerpc: 326 }, arguments: ['int', 'int', 'int'], handler: noProtocol, support: 'partial', note },
  { name: 'socketpair', numbers: { powerpc: 333 }, arguments: ['int', 'int', 'int', 'pointer'], handler: noProtocol, support: 'partial', note },
  ...onSockets.map((name, i): SystemCallRow => ({ name, numbers: { powerpc: 327 + i }, arguments: ['fd', 'pointer', 'pointer'], handler: notSocket, support: 'partial', note })),
  ...onMoreSockets.map((name, i): SystemCallRow => ({ name, numbers: { powerpc: 334 + i }, arguments: ['fd', 'pointer', 'pointer', 'pointer'], handler: notSocket, support: 'partial', note })),
];
