/** The import invariants of the design are lint rules; here each is broken once, to see that it is reported. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const biome = join(root, 'node_modules', '.bin', 'biome');

/** Lints texts as if they were files of a project with our configuration. @returns the messages for each */
function lint(files: readonly { path: string; text: string }[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'stele-lint-'));
  try {
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    files.forEach(({ path, text }, index) => {
      const place = join(folder, dirname(path), `file${index}.ts`);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, text);
    });
    const { stdout } = spawnSync(biome, ['lint', '--vcs-enabled=false', '--reporter=github', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const lines = stdout.split('\n');
    return files.map((_, index) => lines.filter((line) => line.includes(`file${index}.ts`)).join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// biome-ignore format: one row per line
const violations: readonly [path: string, text: string, message: string][] = [
  ['translators/optimize/new.ts', "import { x } from '../../src/memory/guest-memory.ts';\nexport const y = x;\n", 'imports nothing of src/'],
  ['translators/powerpc/new.ts', "import type { x } from '../../src/memory/guest-memory.ts';\nexport type Y = x;\n", 'imports nothing of src/'],
  ['translators/ir/new.ts', "import { x } from 'node:fs';\nexport const y = x;\n", 'Only src/host'],
  ['translators/ir/new.ts', 'export const y = process.pid;\n', 'the global variable process'],
  ['translators/powerpc/new.ts', "import { x } from '../javascript/block.ts';\nexport const y = x;\n", 'A frontend knows no backend'],
  ['translators/javascript/new.ts', "import { x } from '../powerpc/frontend.ts';\nexport const y = x;\n", 'A backend knows no frontend'],
  ['src/elf/new.ts', "import { x } from 'node:fs';\nexport const y = x;\n", 'Only src/host'],
  ['src/elf/new.ts', "export const y = await import('node:fs');\n", 'Only src/host'],
  ['src/engines/translated/new.ts', "export const y = Buffer.from('');\n", 'the global variable Buffer'],
  ['src/linux/new.ts', "import { x } from 'node:fs';\nexport const y = x;\n", 'Only src/host'],
  ['src/linux/new.ts', "import { x } from '../engines/create-engine.ts';\nexport const y = x;\n", 'never knows which engine'],
  ['src/linux/abi/new.ts', "import { x } from '../../engines/translated/policy.ts';\nexport const y = x;\n", 'never knows which engine'],
  ['src/browser/new.ts', "import { x } from 'node:fs';\nexport const y = x;\n", 'The page runs in a browser'],
  ['src/browser/new.ts', "import { x } from '../host/node-files.ts';\nexport const y = x;\n", 'The page runs in a browser'],
  ['src/browser/new.ts', 'export const y = process.pid;\n', 'the global variable process'],
  ['src/memory/new.ts', "import { x } from 'koffi';\nexport const y = x;\n", 'Only src/host'],
  ['web/regions/new.ts', "import { x } from 'node:fs';\nexport const y = x;\n", 'The page runs in a browser'],
  ['web/new.ts', "import { x } from '../src/host/command.ts';\nexport const y = x;\n", 'The page runs in a browser'],
];

// biome-ignore format: one row per line
const allowed: readonly [path: string, text: string][] = [
  ['src/linux/new.ts', "import type { Engine } from '../engines/engine.ts';\nexport type Y = Engine;\n"],
  ['src/host/new.ts', "import { openSync } from 'node:fs';\nexport const y = openSync;\n"],
  ['src/browser/new.ts', "import type { System } from '../host/system.ts';\nexport type Y = System;\n"],
  ['src/engines/new.ts', "import { x } from '../../translators/powerpc/frontend.ts';\nexport const y = x;\n"],
  ['translators/javascript/new.ts', "import { x } from '../ir/types.ts';\nexport const y = x;\n"],
];

describe('import invariants', () => {
  const messages = lint([...violations, ...allowed].map(([path, text]) => ({ path, text })));

  test.each(violations.map((row, index) => [...row, messages[index]] as const))(
    '%s must not: %s',
    (_path, _text, message, reported) => {
      expect(reported).toContain(message);
    },
  );

  test.each(allowed.map((row, index) => [...row, messages[violations.length + index]] as const))(
    '%s may: %s',
    (_path, _text, reported) => {
      expect(reported).toBe('');
    },
  );
});
