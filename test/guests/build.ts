/**
 * Builds the guest programs whose sources changed (`npm run guests`; with `--all`, every one) and
 * records them in the manifest. Needs powerpc-linux-gnu-gcc and its C library.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Build,
  binaryHash,
  binaryPath,
  compiler,
  folder,
  manifestPath,
  programs,
  readManifest,
  sourceHash,
} from './programs.ts';

const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0];
const previous = existsSync(manifestPath) ? readManifest() : {};
const all = process.argv.includes('--all');
const manifest: Record<string, Build> = {};

mkdirSync(dirname(binaryPath('any')), { recursive: true });
for (const program of programs()) {
  const { name, sources, flags, libraries } = program;
  const source = sourceHash(program);
  if (!all && previous[name]?.source === source && existsSync(binaryPath(name))) {
    manifest[name] = previous[name];
    continue;
  }
  const options = [...flags, `-ffile-prefix-map=${folder}=.`, ...sources, '-o', binaryPath(name), ...libraries];
  execFileSync(compiler, options, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  manifest[name] = { source, flags: [...flags, ...libraries].join(' '), compiler: version, binary: binaryHash(name) };
  console.log(`${name}: ${statSync(binaryPath(name)).size} bytes`);
}
for (const name of readdirSync(join(folder, 'bin'))) {
  if (!(name in manifest)) rmSync(binaryPath(name));
}
writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
