/**
 * Builds the guest programs whose sources changed (`npm run guests`; with `--all`, every one) and
 * records them in the manifest. Needs the cross compilers of the guests whose sources changed, and their C libraries.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import {
  type Build,
  binaryHash,
  binaryPath,
  compilers,
  folder,
  manifestPath,
  programs,
  readManifest,
  sourceHash,
} from './programs.ts';

const versionOf = (compiler: string): string =>
  execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0];
const previous = existsSync(manifestPath) ? readManifest() : {};
const all = process.argv.includes('--all');
const manifest: Record<string, Build> = {};

for (const program of programs()) {
  const { name, guest, sources, flags, libraries } = program;
  const compiler = compilers[guest];
  mkdirSync(dirname(binaryPath(name)), { recursive: true });
  const source = sourceHash(program);
  if (!all && previous[name]?.source === source && existsSync(binaryPath(name))) {
    manifest[name] = previous[name];
    continue;
  }
  const options = [...flags, `-ffile-prefix-map=${folder}=.`, ...sources, '-o', binaryPath(name), ...libraries];
  execFileSync(compiler, options, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  manifest[name] = {
    source,
    flags: [...flags, ...libraries].join(' '),
    compiler: versionOf(compiler),
    binary: binaryHash(name),
  };
  console.log(`${name}: ${statSync(binaryPath(name)).size} bytes`);
}
for (const entry of readdirSync(join(folder, 'bin'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !(relative(join(folder, 'bin'), path) in manifest)) rmSync(path);
}
writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
