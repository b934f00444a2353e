/** The page of `stele inspect`: where the build put it, and a server that shows it to this machine's user only. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** The page without a report; undefined where it was not built. */
export function pageTemplate(): string | undefined {
  const here = dirname(import.meta.filename);
  // Beside the program, or, when the sources run themselves, where the build puts both.
  const path = [join(here, 'inspector.html'), join(here, '../../dist/inspector.html')].find((one) => existsSync(one));
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}

const loopback = '127.0.0.1';

/** Whether a request was sent to this server by name: not by a name of somebody's own that leads here (DNS rebinding). */
function isForUs({ headers }: IncomingMessage, port: number): boolean {
  return [loopback, 'localhost', '[::1]'].some((name) => headers.host === `${name}:${port}`);
}

/**
 * Nothing comes from elsewhere, and nobody else may have it in a frame; shared memory asks for the same. Programs that run
 * in the page are translated to JavaScript and WebAssembly there.
 */
const headers: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data:; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export interface PageServer {
  /** Begins to show a page. @returns its address */
  show(page: string): string;
  /** Fulfilled when the user has interrupted the program; the server is closed then. */
  readonly interrupted: Promise<void>;
}

/**
 * Listens on the loopback interface. Who asks before there is a page waits.
 * @param isFixed whether another port will not do when somebody else listens there
 * @throws Error with the system's code: EADDRINUSE, EACCES
 */
export async function startPageServer(port: number, isFixed: boolean): Promise<PageServer> {
  let shown: (page: Uint8Array) => void = () => {};
  const page = new Promise<Uint8Array>((resolve) => {
    shown = resolve;
  });
  const server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
    };
    if (!isForUs(request, (server.address() as AddressInfo).port)) answer(403, 'Only this machine is answered.');
    else if (method !== 'GET' && method !== 'HEAD') answer(405, 'Only GET and HEAD are answered.');
    else if (url.split('?', 1)[0] !== '/') answer(404, 'There is one page here: /');
    else response.writeHead(200, headers).end(method === 'HEAD' ? undefined : await page);
  });
  try {
    await listen(server, port);
  } catch (error) {
    if (isFixed || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await listen(server, 0);
  }
  return {
    show: (text) => {
      shown(new TextEncoder().encode(text));
      return `http://${loopback}:${(server.address() as AddressInfo).port}/`;
    },
    interrupted: new Promise((resolve) => {
      process.once('SIGINT', () => {
        server.close();
        server.closeAllConnections();
        resolve();
      });
    }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
