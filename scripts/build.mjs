/**
 * Builds dist/, which the `stele` command starts: the launcher as it is, and everything else as one CommonJS file.
 *
 * CommonJS because importing Node's own modules from an ES module costs 10 ms of start-up that require() does not. What
 * the program imports dynamically stays unevaluated in the same file until it is wanted, and so do the modules in
 * `deferred`. The page of `stele inspect` is one more file (web/vite.config.ts). Then a program is run, which leaves the
 * compiled code of that run beside the program (src/host/launcher.cjs).
 *
 * Usage: node scripts/build.mjs [directory]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { build as buildPage, minifySync } from 'vite';

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

/**
 * Gives Node's own modules to ES modules as esbuild's bundles expect them, without copying each of their properties into
 * an object for each module that imports them.
 */
const withNodeModules = {
  name: 'with-node-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      namespace === 'file' ? { path, namespace: 'node-module' } : { path, external: true },
    );
    onLoad({ filter: /.*/, namespace: 'node-module' }, ({ path }) => ({
      contents: `module.exports = Object.create(require(${JSON.stringify(path)}));`,
    }));
  },
};

/**
 * Modules that a short program does not need. They are evaluated at the first call of a function or constructor of
 * theirs; these are all that modules which are evaluated at the start import from them.
 */
const deferred = new Set([
  'src/cli/x86-architecture.ts',
  'src/diagnostics/fatal-signal.ts',
  'src/engines/log.ts',
  'src/engines/translated/inspected.ts',
  'src/engines/translated/kept-translations.ts',
  'src/engines/translated/webassembly-linker.ts',
  'src/engines/traced/traced-engine.ts',
  'src/engines/traced/tracee-program.ts',
  'src/engines/virtualized/virtualized-engine.ts',
  'src/host/kvm.ts',
  'translators/ir/evaluator.ts',
  'translators/ir/halves.ts',
  'translators/ir/interpreter-prepare.ts',
  'src/host/ptrace.ts',
  'translators/javascript/compile.ts',
  'translators/javascript/region.ts',
  'translators/optimize/analyse.ts',
  'translators/optimize/discover.ts',
  'translators/optimize/nested-loops.ts',
  'translators/optimize/registers-flow.ts',
  'translators/powerpc/disassemble.ts',
  'translators/webassembly/helper-result.ts',
  'translators/webassembly/link.ts',
  'translators/webassembly/memory.ts',
  'translators/webassembly/region.ts',
  'translators/webassembly/x87/kernel.ts',
]);

/** What a run evaluates at the start, as paths from the root: all that the program imports, but for what is deferred. */
async function modulesAtStart() {
  const leaveOut = ({ path, importer, kind }) => {
    const file = relative(root, resolve(dirname(importer), path));
    const isLater = kind === 'dynamic-import' && file !== 'src/cli/run.ts';
    return isLater || deferred.has(file) ? { path, external: true } : undefined;
  };
  const withoutRest = {
    name: 'without-rest',
    setup: ({ onResolve }) => onResolve({ filter: /^\..*\.ts$/ }, leaveOut),
  };
  const options = { ...common, entryPoints: ['src/cli/main.ts'], write: false, metafile: true };
  const { metafile } = await build({ ...options, packages: 'external', plugins: [withoutRest] });
  return new Set(Object.keys(metafile.inputs));
}

/** Puts functions that load a deferred module in the place of the module. */
const withDeferredModules = {
  name: 'with-deferred-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\..*\.ts$/ }, ({ path, importer, namespace }) => {
      const file = resolve(dirname(importer), path);
      const isDeferred = namespace === 'file' && deferred.has(relative(root, file));
      if (!isDeferred || !atStart.has(relative(root, importer))) return undefined;
      return { path: file, namespace: 'deferred' };
    });
    onLoad({ filter: /.*/, namespace: 'deferred' }, async ({ path }) => {
      const exported = (await readFile(path, 'utf8')).matchAll(/^export (function|class) (\w+)/gm);
      const load = `require(${JSON.stringify(path)})`;
      const functions = Array.from(exported, ([, kind, name]) => {
        const call = kind === 'class' ? `new (${load}.${name})` : `${load}.${name}`;
        return `export function ${name}(...args) { return ${call}(...args); }`;
      });
      return { contents: functions.join('\n'), resolveDir: dirname(path) };
    });
  },
};

async function removeCompiled() {
  for (const name of await readdir(output)) if (name.endsWith('.cache')) await rm(join(output, name));
}

/** Modules that come with large libraries: bundles of their own beside the program, which no other run has to read. */
const separate = new Map([
  ['src/compare/html-report.ts', 'html-report.js'],
  ['src/cli/machine-file.ts', 'machine-file.js'],
]);

const withSeparateFiles = {
  name: 'with-separate-files',
  setup({ onResolve }) {
    onResolve({ filter: /^\..*\.ts$/ }, ({ path, importer, kind }) => {
      const file = separate.get(relative(root, resolve(dirname(importer), path)));
      return file === undefined || kind === 'entry-point' ? undefined : { path: `./${file}`, external: true };
    });
  },
};

await mkdir(output, { recursive: true });
await removeCompiled();
const common = {
  absWorkingDir: root,
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
};
const atStart = await modulesAtStart();
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(output, 'main.js'),
  plugins: [withoutChildProcess, withSeparateFiles, withNodeModules, withDeferredModules],
});
for (const [entry, file] of separate) await build({ ...common, entryPoints: [entry], outfile: join(output, file) });
await buildPage({ configFile: join(root, 'web/vite.config.ts'), build: { outDir: resolve(output) } });
// The function that the launcher calls. To put it together there would copy the text once more in each run.
const program = await readFile(join(output, 'main.js'), 'utf8');
const whole = `(function (exports, require, module, __filename, __dirname) {${program}\n})\n`;
// Shorter names where stack traces and profiles do not show them: a quarter less to read in each run.
const { code, errors } = minifySync('main.js', whole, {
  compress: false,
  mangle: { toplevel: false, keepNames: { function: true, class: true } },
});
if (errors.length > 0) throw new Error(errors[0].message);
// What one build keeps for later runs no other one uses (src/host/build-identity.ts).
const identity = createHash('sha256').update(code).digest('hex').slice(0, 16);
const named = code.replace('"use strict";', `$&const steleBuild=${JSON.stringify(identity)};`);
if (named === code) throw new Error('the program does not begin with "use strict"');
await writeFile(join(output, 'main.js'), named);
await copyFile(join(root, 'src/host/launcher.cjs'), join(output, 'stele.js'));
await chmod(join(output, 'stele.js'), 0o755);
// The package's own type is "module".
await writeFile(join(output, 'package.json'), '{ "type": "commonjs" }\n');
// A program with the C library, which makes the system calls that every program makes. The second run finds some of what
// the first one kept, and makes the rest: the compiled code that it leaves has functions for both.
const kept = await mkdtemp(join(tmpdir(), 'stele-build-'));
for (let run = 0; run < 2; run++) {
  await removeCompiled();
  execFileSync(process.execPath, [join(output, 'stele.js'), 'run', join(root, 'test/guests/bin/benchmarks')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, STELE_CACHE_DIR: kept },
  });
}
await rm(kept, { recursive: true });
