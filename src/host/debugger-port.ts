/** Where debuggers connect: a TCP port of this machine's own (loopback), or a Unix socket. */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** One debugger's connection. */
export interface Line {
  send(bytes: Uint8Array): void;
  /** Ends the connection when all of it is sent. */
  close(): void;
}

/** What is done with a connection. */
export interface LineUser {
  received(bytes: Uint8Array): void;
  /** The connection has ended, whichever side wanted that. */
  closed(): void;
}

export interface DebuggerPort {
  /** What gdb's `target remote` takes: `:1234`, or a path. */
  readonly place: string;
  /** Accepts nobody any more; resolves when the connections there are have sent everything and ended. */
  close(): Promise<void>;
}

/** Milliseconds that the other side has to take the last bytes. */
const patience = 2000;

/**
 * Listens for debuggers, of which there is one at a time: others are turned away.
 * @param where a port's number, 0 for any that is free, or a path
 * @throws the host's error when that cannot be (ERR_SOCKET_BAD_PORT, EADDRINUSE, EACCES)
 */
export async function openDebuggerPort(where: string, connect: (line: Line) => LineUser): Promise<DebuggerPort> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size > 0) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.setNoDelay(true);
    const user = connect({
      send: (bytes) => {
        if (socket.writable) socket.write(bytes);
      },
      close: () => socket.end(),
    });
    socket.on('data', (bytes) => user.received(bytes));
    // What goes wrong ends the connection, of which `closed` tells.
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      user.closed();
    });
  });
  const isPort = /^\d+$/.test(where);
  if (isPort) await listen(server, { host: '127.0.0.1', port: Number(where) });
  else await listenAt(server, where);
  const address = server.address();
  const place = address !== null && typeof address === 'object' ? `:${address.port}` : where;
  return {
    place,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.setTimeout(patience, () => socket.destroy());
          socket.end();
        }
      }),
  };
}

function listen(server: Server, options: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Listens at a path, which may be left from somebody who is gone. Nobody else may connect: a debugger can do all that the user can. */
async function listenAt(server: Server, path: string): Promise<void> {
  try {
    await listen(server, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isLeft(path))) throw error;
    rmSync(path);
    await listen(server, { path });
  }
  chmodSync(path, 0o600);
}

/** Whether what is at a path is a socket where nobody listens any more. */
function isLeft(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
