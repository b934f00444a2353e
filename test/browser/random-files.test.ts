/** Random calls on files in memory and on the host's: the same answers, and the same tree in the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FileHost, FileStatus, OpenRequest } from '../../src/host/host.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { standardFiles } from './standard-files.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Few names, so that calls meet; with all that a path can have. */
const names = fc.constantFrom('a', 'b', 'c', 'l');
const paths = fc
  .array(fc.oneof({ weight: 6, arbitrary: names }, fc.constantFrom('.', '..', '')), { minLength: 1, maxLength: 3 })
  // Not above the directory that the calls are confined to.
  .filter((parts) => {
    let depth = 0;
    return parts.every((part) => {
      if (part === '..') depth--;
      else if (part !== '' && part !== '.') depth++;
      return depth >= 0;
    });
  })
  .map((parts) => parts.join('/'));

const requests: fc.Arbitrary<OpenRequest> = fc.constantFrom<OpenRequest[]>(
  { read: true },
  { read: true, noFollow: true },
  { read: true, directory: true },
  { write: true },
  { read: true, write: true, create: true, mode: 0o644 },
  { write: true, create: true, exclusive: true, mode: 0o600 },
  { write: true, create: true, truncate: true, mode: 0o666 },
  { write: true, append: true },
  { read: true, pathOnly: true },
  { read: true, pathOnly: true, noFollow: true },
);

type Call =
  | { kind: 'open'; path: string; request: OpenRequest; text: string; position: number | undefined }
  | { kind: 'one'; name: 'unlink' | 'removeDirectory'; path: string }
  | { kind: 'mode'; name: 'makeDirectory' | 'changeMode'; path: string; mode: number }
  | { kind: 'two'; name: 'rename' | 'link' | 'symbolicLink'; from: string; to: string }
  | { kind: 'truncate'; path: string; length: number };

const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    kind: fc.constant('open' as const),
    path: paths,
    request: requests,
    text: fc.constantFrom('', 'x', 'hello'),
    position: fc.constantFrom(undefined, 0, 7),
  }),
  fc.record({ kind: fc.constant('one' as const), name: fc.constantFrom('unlink', 'removeDirectory'), path: paths }),
  fc.record({
    kind: fc.constant('mode' as const),
    name: fc.constantFrom('makeDirectory', 'changeMode'),
    path: paths,
    mode: fc.constantFrom(0o755, 0o700),
  }),
  fc.record({
    kind: fc.constant('two' as const),
    name: fc.constantFrom('rename', 'link', 'symbolicLink'),
    from: paths,
    to: paths,
  }),
  fc.record({ kind: fc.constant('truncate' as const), path: paths, length: fc.constantFrom(0, 3, 10) }),
) as fc.Arbitrary<Call>;

/** A host's files below a directory. */
class Side {
  private readonly files: FileHost;
  private readonly directory: string;

  constructor(files: FileHost, directory: string) {
    this.files = files;
    this.directory = directory;
  }

  private at(path: string): Uint8Array {
    return encode(`${this.directory}/${path}`);
  }

  /** @returns everything that the call tells */
  perform(call: Call): unknown {
    const { files } = this;
    switch (call.kind) {
      case 'open': {
        const descriptor = files.open(this.at(call.path), call.request);
        if (descriptor < 0) return descriptor;
        const isReadable = call.request.read === true && !call.request.pathOnly;
        const written = call.request.write ? files.write(descriptor, encode(call.text), call.position) : 0;
        const buffer = new Uint8Array(16);
        const read = isReadable ? files.read(descriptor, buffer, 0) : 0;
        const mode = Number((files.statusOf(descriptor) as FileStatus).mode);
        files.close(descriptor);
        return [written, read, decode(buffer), mode];
      }
      case 'one':
        return files[call.name](this.at(call.path));
      case 'mode':
        return files[call.name](this.at(call.path), call.mode);
      case 'two':
        return call.name === 'symbolicLink'
          ? files.symbolicLink(encode(call.from), this.at(call.to))
          : files[call.name](this.at(call.from), this.at(call.to));
      case 'truncate':
        return files.truncatePath(this.at(call.path), call.length);
    }
  }

  /** All that lies below a path, as text. */
  tree(path = '.'): string[] {
    const entries = this.files.list(this.at(path));
    if (typeof entries === 'number') return [`${path}: ${entries}`];
    return entries
      .map(({ name, type }) => ({ below: `${path}/${decode(name)}`, type }))
      .sort((a, b) => (a.below < b.below ? -1 : 1))
      .flatMap(({ below, type }) => {
        const { mode, size, nlink } = this.files.status(this.at(below), false) as FileStatus;
        const target = this.files.readLink(this.at(below));
        const isDirectory = type === 4;
        const line = [
          below,
          type,
          mode.toString(8),
          isDirectory ? '' : `${size} ${nlink}`,
          typeof target === 'number' ? target : decode(target),
        ].join(' ');
        return [line, ...(isDirectory ? this.tree(below) : [])];
      });
  }
}

test('files in memory answer as the host’s do', () => {
  fc.assert(
    fc.property(fc.array(calls, { minLength: 1, maxLength: 40 }), (list) => {
      const directory = mkdtempSync(join(tmpdir(), 'stele-random-'));
      try {
        const host = new NodeFiles();
        const { files } = standardFiles({ uid: process.getuid?.() ?? 0 });
        host.setMask(0o022);
        files.makeDirectory(encode('/tmp/test'), 0o700);
        host.changeMode(encode(directory), 0o700);
        const sides = [new Side(host, directory), new Side(files, '/tmp/test')];
        // Neither directory can be removed or replaced.
        for (const side of sides) side.perform({ kind: 'mode', name: 'makeDirectory', path: 'stays', mode: 0o755 });
        list.forEach((call, index) => {
          const [expected, found] = sides.map((side) => side.perform(call));
          expect(found, `call ${index}: ${JSON.stringify(call)}`).toEqual(expected);
        });
        const [expected, found] = sides.map((side) => side.tree());
        expect(found).toEqual(expected);
      } finally {
        rmSync(directory, { recursive: true });
      }
    }),
    { seed: process.env.SEED === undefined ? 1 : Number(process.env.SEED), numRuns: Number(process.env.COUNT ?? 300) },
  );
});
