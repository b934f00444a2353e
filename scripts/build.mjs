/**
 * Builds dist/, which the `stele` command starts: the launcher as it is, and everything else as one CommonJS file.
 *
 * CommonJS because importing Node's own modules from an ES module costs 10 ms of start-up that require() does not. What
 * the program imports dynamically stays unevaluated in the same file until it is wanted. Then a program is run once,
 * which leaves the compiled code of that run beside the file (src/host/launcher.cjs).
 *
 * Usage: node scripts/build.mjs [directory]
 */
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = process.argv[2] ?? join(root, 'dist');

/** Commander imports child_process for subcommands that are programs of their own; Stele has none, and loading it costs 4 ms. */
const withoutChildProcess = {
  name: 'without-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?child_process$/ }, ({ importer }) =>
      importer.includes('commander') ? { path: 'child_process', namespace: 'empty' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default {};' }));
  },
};

await mkdir(output, { recursive: true });
for (const name of await readdir(output)) if (name.endsWith('.cache')) await rm(join(output, name));
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(output, 'main.js'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // The launcher's script has no loader for import().
  supported: { 'dynamic-import': false },
  define: { 'import.meta.filename': '__filename' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  plugins: [withoutChildProcess],
});
await copyFile(join(root, 'src/host/launcher.cjs'), join(output, 'stele.js'));
await chmod(join(output, 'stele.js'), 0o755);
// The package's own type is "module".
await writeFile(join(output, 'package.json'), '{ "type": "commonjs" }\n');
// A program with the C library, which makes the system calls that every program makes.
execFileSync(process.execPath, [join(output, 'stele.js'), 'run', join(root, 'test/guests/bin/benchmarks')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
