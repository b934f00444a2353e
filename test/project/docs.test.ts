/** What the documents name exists: links, headings, npm scripts, files, quoted source lines, options and engines. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runOptions } from '../../src/cli/options.ts';
import { engineNames } from '../../src/engines/create-engine.ts';
import { policies } from '../../src/engines/translated/policy.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  ...globSync('docs/*.md', { cwd: root }),
];
const scripts: Readonly<Record<string, string>> = JSON.parse(read('package.json')).scripts;
const folders = ['src', 'translators', 'web', 'test', 'bench', 'scripts', 'docs', 'examples', '.ci'];
/** Names of all files, for documents that name one without its folder. */
const names = new Set(
  ['.', ...folders.map((folder) => `${folder}/**`)]
    .flatMap((pattern) => globSync(`${pattern}/*`, { cwd: root }))
    .map((path) => basename(path)),
);

interface Fence {
  /** What stands behind the opening marks: a language, and for quoted source lines their file. */
  readonly info: string;
  readonly lines: readonly string[];
}

/** A document's fenced blocks, and the text around them. */
function split(text: string): { prose: string; fences: Fence[] } {
  const fences: Fence[] = [];
  const prose = text.replace(/^ *```(.*)\n([\s\S]*?)^ *```$/gm, (_, info: string, body: string) => {
    fences.push({ info: info.trim(), lines: body.split('\n').map((line) => line.trim()) });
    return '';
  });
  return { prose, fences };
}

/** The anchor that a heading gets on GitHub. */
function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replace(/[^\w\- ]/g, '');
  return plain.trim().replaceAll(' ', '-');
}

function anchors(text: string): string[] {
  return [...split(text).prose.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]));
}

/** What cannot be followed of a document's relative links. */
function brokenLinks(path: string, prose: string): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1])
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file, anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchors(read(target)).includes(anchor);
    });
}

/** Commands in fenced blocks, and everything in backquotes. */
function codeIn({ prose, fences }: ReturnType<typeof split>): string[] {
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]);
  const commands = fences.flatMap(({ lines }) => lines.filter((line) => /^(\$ |\w+=\S+ )*(npm|npx|node) /.test(line)));
  return [...spans, ...commands];
}

/** Whether a word is the name of a file of this project; parts in capitals stand for names of the reader's choice. */
function namesFile(word: string): boolean {
  if (/[A-Z]{3}|…|[<>{}$=|]/.test(word.replace(/[A-Z]+\.md$/, ''))) return false;
  return folders.some((folder) => word.startsWith(`${folder}/`)) || /^[\w.-]+\.(tsx?|cjs|mjs|json|md)$/.test(word);
}

function isThere(word: string): boolean {
  return word.includes('/') ? globSync(word, { cwd: root }).length > 0 : names.has(word);
}

describe.each(documents)('%s', (path) => {
  const text = read(path);
  const parts = split(text);
  const code = codeIn(parts);

  test('has links that lead somewhere', () => {
    expect(brokenLinks(path, parts.prose)).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const named = code.flatMap((each) => [...each.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('names files that exist', () => {
    const words = code.flatMap((each) => each.split(/[\s,()]+/)).filter(namesFile);
    expect(words.filter((word) => !isThere(word))).toEqual([]);
  });

  test('quotes source lines as they are', () => {
    const missing = parts.fences.flatMap(({ info, lines }) => {
      const [, file] = info.split(' ');
      if (file === undefined) return [];
      const source = new Set(
        read(file)
          .split('\n')
          .map((line) => line.trim()),
      );
      return lines.filter((line) => !source.has(line)).map((line) => `${file}: ${line}`);
    });
    expect(missing).toEqual([]);
  });
});

test('what is written of links, scripts, files and quotations is looked at', () => {
  const wrong = split(
    '[a](b.md) [c](README.md#none) `npm run x` `src/none.ts` `none.ts`\n```ts package.json\n"nothing"\n```\n',
  );
  expect(brokenLinks('README.md', wrong.prose)).toEqual(['b.md', 'README.md#none']);
  expect(codeIn(wrong)).toEqual(['npm run x', 'src/none.ts', 'none.ts']);
  expect(['src/none.ts', 'none.ts'].filter((word) => namesFile(word) && !isThere(word))).toHaveLength(2);
  expect(wrong.fences).toEqual([{ info: 'ts package.json', lines: ['"nothing"', ''] }]);
});

describe('README.md', () => {
  const text = read('README.md');

  test("has every option of the command line in its table, as QEMU's users spell it too", () => {
    const spellings = runOptions.flatMap(({ short, long, alias }) => [
      `--${long}`,
      ...(short === '' ? [] : [`-${short}`]),
      ...(alias === undefined ? [] : [alias]),
    ]);
    expect(spellings.filter((spelling) => !new RegExp(`\`${spelling}[ \`]`).test(text))).toEqual([]);
  });

  test('tells after how many runs a block is translated', () => {
    expect(text).toContain(`a block that ran ${policies.blocks.threshold} times`);
    expect(text).toContain(`where a block ran ${policies.auto.threshold} times`);
  });

  test('has every engine in its table', () => {
    expect([...text.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])).toEqual([...engineNames]);
  });
});
