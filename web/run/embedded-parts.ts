/** Puts into the page what it runs programs with: the worker's program, and examples. A plugin of the build, not of the page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import { exampleFiles } from './examples.ts';

const root = join(import.meta.dirname, '../..');
const moduleName = 'virtual:stele-run';
const worker = join(import.meta.dirname, 'worker.ts');

const packed = async (bytes: Uint8Array): Promise<string> =>
  (await promisify(gzip)(bytes, { level: 9 })).toString('base64');

export const embeddedParts: Plugin = {
  name: 'embedded-parts',
  resolveId: (id) => (id === moduleName ? `\0${moduleName}` : undefined),
  async load(id) {
    if (id !== `\0${moduleName}`) return undefined;
    const { outputFiles } = await build({
      entryPoints: [worker],
      bundle: true,
      write: false,
      minify: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2024',
      legalComments: 'none',
    });
    const examples = exampleFiles.map(async (name) => [
      name,
      await packed(await readFile(join(root, 'examples', name))),
    ]);
    return `
export const workerProgram = ${JSON.stringify(await packed(outputFiles[0].contents))};
export const exampleContents = ${JSON.stringify(Object.fromEntries(await Promise.all(examples)))};
`;
  },
};
