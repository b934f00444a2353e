/** Files in memory for tests, and Node's functions on them as far as tests of files call these. */
import { FileTree } from '../../src/browser/file-tree.ts';
import type { MemoryFiles } from '../../src/browser/memory-files.ts';
import { makeStandardFiles } from '../../src/browser/standard-tree.ts';
import { Terminal } from '../../src/browser/terminal.ts';
import type { FileStatus } from '../../src/host/host.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function standardFiles({ limit = 64 << 20, uid = 1000 } = {}) {
  const shown: number[] = [];
  const terminal = new Terminal({ show: (bytes) => shown.push(...bytes), signal: () => {} });
  // The group of the tests' process, to which it may give files.
  const tree = new FileTree({ uid, gid: 100 }, limit, () => BigInt(Date.now()) * 1_000_000n);
  const facts = { processId: 4242, name: 'program', memory: 1 << 30, uptime: () => 12.5 };
  return { ...makeStandardFiles(tree, terminal, facts, (bytes) => bytes.fill(0x5a)), tree, terminal, shown };
}

/** The error that Node would throw. */
function check(result: number, path: string): number {
  if (result < 0) throw new Error(`${path}: ${result}`);
  return result;
}

/** Functions of node:fs. @param files where they work */
export function hostSide(files: () => MemoryFiles) {
  const status = (path: string): FileStatus => {
    const found = files().status(encode(path), true);
    if (typeof found === 'number') throw new Error(`${path}: ${found}`);
    return found;
  };
  const writeFileSync = (path: string, text: string): void => {
    const request = { write: true, create: true, truncate: true, mode: 0o644 };
    const descriptor = check(files().open(encode(path), request), path);
    check(files().write(descriptor, encode(text), 0), path);
    files().close(descriptor);
  };
  const mkdirSync = (path: string, options?: { recursive?: boolean }): void => {
    if (options?.recursive) {
      const parent = path.slice(0, path.lastIndexOf('/'));
      if (parent !== '' && !files().exists(encode(parent))) mkdirSync(parent, options);
    }
    check(files().makeDirectory(encode(path), 0o755), path);
  };
  const rmSync = (path: string): void => {
    const inside = files().list(encode(path));
    if (typeof inside === 'number') {
      check(files().unlink(encode(path)), path);
      return;
    }
    for (const { name } of inside) rmSync(`${path}/${decode(name)}`);
    check(files().removeDirectory(encode(path)), path);
  };
  return {
    writeFileSync,
    mkdirSync,
    rmSync,
    readFileSync: (path: string) => {
      const bytes = files().readWhole(encode(path));
      if (typeof bytes === 'number') throw new Error(`${path}: ${bytes}`);
      return decode(bytes);
    },
    readlinkSync: (path: string) => {
      const target = files().readLink(encode(path));
      if (typeof target === 'number') throw new Error(`${path}: ${target}`);
      return decode(target);
    },
    symlinkSync: (target: string, path: string) => {
      check(files().symbolicLink(encode(target), encode(path)), path);
    },
    statSync: (path: string, options?: { bigint: boolean }) => {
      const found = status(path);
      const mode = Number(found.mode);
      const isFIFO = () => (mode & 0o170000) === 0o010000;
      return options?.bigint ? found : { size: Number(found.size), mode, isFIFO };
    },
  };
}
