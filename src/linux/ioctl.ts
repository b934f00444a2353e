/** ioctl: terminals, and the requests that every descriptor takes. */
import { errno } from './errno.ts';
import { HostStream } from './file-stream.ts';
import { fileFor } from './guest-access.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import { fromGuest, saneSettings, toGuest } from './terminal.ts';

function ioctl(call: SystemCall): number {
  const [descriptor, request, argument] = call.args;
  const file = fileFor(call, descriptor, 'any');
  if (typeof file === 'number') return file;
  if (file.pathOnly) return -errno.EBADF;
  const { memory, process, abi } = call;
  const requests = abi.ioctls;
  switch (request) {
    case requests.FIOCLEX:
    case requests.FIONCLEX:
      process.files.setCloseOnExec(descriptor, request === requests.FIOCLEX);
      return 0;
    case requests.FIONBIO: {
      file.nonBlocking = memory.readI32(argument) !== 0;
      file.flags = file.nonBlocking ? file.flags | abi.open.NONBLOCK : file.flags & ~abi.open.NONBLOCK;
      return 0;
    }
    case requests.FIONREAD: {
      const available = file.available();
      if (available < 0) return available;
      memory.writeU32(argument, available);
      return 0;
    }
  }
  return file.isTerminal && file instanceof HostStream ? terminalRequest(call, file) : -errno.ENOTTY;
}

function terminalRequest(call: SystemCall, file: HostStream): number {
  const [, request, argument] = call.args;
  const { memory, process, abi } = call;
  const { host } = process.files;
  const requests = abi.ioctls;
  switch (request) {
    case requests.TCGETS: {
      const settings = host.terminalSettings(file.descriptor);
      abi.structures.termios.write(
        memory,
        argument,
        toGuest(abi, typeof settings === 'number' ? saneSettings : settings),
      );
      return 0;
    }
    case requests.TCSETSF:
      file.discard();
      return changeSettings(call, file);
    case requests.TCSETS:
    case requests.TCSETSW:
      return changeSettings(call, file);
    case requests.TIOCGWINSZ: {
      const size = host.windowSize(file.descriptor);
      const { rows, columns } = typeof size === 'number' ? { rows: 0, columns: 0 } : size;
      abi.structures.winsize.write(memory, argument, { ws_row: rows, ws_col: columns });
      return 0;
    }
    case requests.TIOCGPGRP:
      memory.writeU32(argument, host.foregroundGroup());
      return 0;
    case requests.TIOCGSID:
      memory.writeU32(argument, process.system.processIds(process.id)?.session ?? process.id);
      return 0;
    case requests.TCFLSH:
      if (argument > 2) return -errno.EINVAL;
      if (argument !== 1) file.discard();
      return 0;
    case requests.TIOCOUTQ:
      memory.writeU32(argument, 0);
      return 0;
    case requests.TIOCGETD:
      memory.writeU32(argument, 0);
      return 0;
    // Output is never held back here, so that waiting for it, breaks and flow control have nothing to do.
    case requests.TCSBRK:
    case requests.TCSBRKP:
    case requests.TCXONC:
    case requests.TIOCEXCL:
    case requests.TIOCNXCL:
      return 0;
    case requests.TIOCSPGRP:
    case requests.TIOCSCTTY:
    case requests.TIOCNOTTY:
    case requests.TIOCSTI:
    case requests.TIOCSWINSZ:
      return -errno.EPERM;
    default:
      return -errno.ENOTTY;
  }
}

function changeSettings(call: SystemCall, file: HostStream): number {
  const { memory, abi, process } = call;
  const address = call.args[2];
  const { termios } = abi.structures;
  const fields = termios.read(memory, address);
  const characters = memory.readBytes(address + termios.fields.c_cc.offset, termios.fields.c_cc.count);
  return process.files.host.setTerminalSettings(file.descriptor, fromGuest(abi, fields, characters));
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'ioctl', numbers: { powerpc: 54, i386: 54, 'x86-64': 16 }, arguments: ['fd', 'ioctl', 'pointer'], handler: ioctl, support: 'partial', note: 'terminals: settings, size, groups, queues; all descriptors: FIONREAD, FIONBIO, FIOCLEX' },
];
