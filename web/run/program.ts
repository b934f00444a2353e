/** The program that is to run, what it is to find, and what it may take. */
import { exampleContents } from 'virtual:stele-run';
import { signal } from '@preact/signals';
import type { NamedFile } from '../../src/browser/session-messages.ts';
import type { PortableEngineName } from '../../src/engines/engine-names.ts';
import { inflate } from '../../src/inspect/page-data.ts';
import type { Example } from './examples.ts';

export const program = signal<NamedFile | undefined>(undefined);
/** Files that the program finds beside itself. */
export const files = signal<readonly NamedFile[]>([]);
export const argumentText = signal('');
export const engine = signal<PortableEngineName>('auto');
export const isInspected = signal(true);
/** In MiB. */
export const memoryLimit = signal(512);
export const outputLimit = signal(16);

/** Room for files, in bytes. */
export const fileLimit = 256 << 20;

const isElf = ({ bytes }: NamedFile): boolean => String(bytes.subarray(0, 4)) === '127,69,76,70';
/** The last part of a name, as a file in the home directory. */
const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

async function read(list: Iterable<File>): Promise<NamedFile[]> {
  return Promise.all(
    Array.from(list, async (file) => ({
      path: baseName(file.name),
      bytes: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}

/** How many programs were chosen: the last one counts, whichever is read first. */
let choices = 0;

/**
 * A program was chosen: until it is read there is none to run. Its arguments are there at once: what is typed meanwhile stays.
 * @returns whether no other one has been chosen since
 */
function choose(text: string): () => boolean {
  const choice = ++choices;
  program.value = undefined;
  argumentText.value = text;
  return () => choice === choices;
}

/** Takes files that were chosen or dropped: the first ELF file, or the first of all, is the program. */
export async function takeProgram(list: Iterable<File>): Promise<void> {
  const chosen = Array.from(list);
  if (chosen.length === 0) return;
  const isCurrent = choose('');
  const taken = await read(chosen);
  if (!isCurrent()) return;
  const found = taken.find(isElf) ?? taken[0];
  program.value = found;
  putFiles(taken.filter((file) => file !== found));
}

export async function takeFiles(list: Iterable<File>): Promise<void> {
  putFiles(await read(list));
}

function putFiles(added: readonly NamedFile[]): void {
  const names = new Set(added.map(({ path }) => path));
  files.value = [...files.value.filter(({ path }) => !names.has(path)), ...added];
}

export function removeFile(path: string): void {
  files.value = files.value.filter((file) => file.path !== path);
}

/** @param name the file of one of the example's programs */
export async function takeExample(example: Example, name: string): Promise<void> {
  const content = async (file: string): Promise<NamedFile> => ({
    path: baseName(file),
    bytes: await inflate(exampleContents[file]),
  });
  const isCurrent = choose(example.arguments);
  const [found, ...others] = await Promise.all([name, ...(example.files ?? [])].map(content));
  if (!isCurrent()) return;
  program.value = found;
  files.value = others;
}
