/** The run in the page: starts it, stops it, and knows how it stands. */
import { computed, signal } from '@preact/signals';
import type { FromSession, NamedFile, Outcome } from '../../src/browser/session-messages.ts';
import { source } from '../report/source.ts';
import { change } from '../state/view.ts';
import { GuestWorker } from './guest-worker.ts';
import { argumentText, engine, fileLimit, files, isInspected, memoryLimit, outputLimit, program } from './program.ts';
import { terminal } from './terminal.ts';
import { splitWords } from './words.ts';

export interface Ended {
  readonly kind: 'ended';
  /** "exit status 0" */
  readonly text: string;
  readonly isGood: boolean;
  /** As --stats prints them; empty where nobody could be asked any more. */
  readonly statistics: string;
  readonly translations: number;
}

export type RunState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopping' }
  | Ended;

export const runState = signal<RunState>({ kind: 'idle' });
/** Files that the program made or changed. */
export const made = signal<readonly NamedFile[]>([]);
/** What is wrong with what was typed; empty: nothing. */
export const problem = signal('');

/** How long a guest that was told to stop has to do that, in milliseconds. */
const patience = 1500;

let worker: GuestWorker | undefined;
/** The worker that the page's report comes from, which must stay. */
let reporting: GuestWorker | undefined;
const encoder = new TextEncoder();

terminal.onInput = (text) => worker?.send({ kind: 'input', bytes: encoder.encode(text) });
terminal.onSize = (size) => worker?.send({ kind: 'size', size });

/** Whether a program runs, or is about to or about to end. */
export const isRunning = computed(() => !['idle', 'ended'].includes(runState.value.kind));

/** Runs the program that was chosen, from its beginning. */
export async function start(): Promise<void> {
  const chosen = program.value;
  if (chosen === undefined || isRunning.value) return;
  const words = splitWords(argumentText.value);
  problem.value = 'problem' in words ? words.problem : '';
  if ('problem' in words) return;
  if (worker !== reporting) worker?.terminate();
  made.value = [];
  runState.value = { kind: 'starting' };
  terminal.begin();
  const mine = await GuestWorker.start((message) => {
    if (worker === mine) receive(message);
  });
  worker = mine;
  mine.send({
    kind: 'run',
    program: chosen,
    arguments: words,
    environment: ['TERM=xterm-256color', 'HOME=/home/user', 'USER=user', 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8'],
    files: files.value.filter(({ path }) => path !== chosen.path),
    engine: engine.value,
    limits: { memory: memoryLimit.value << 20, output: outputLimit.value << 20, files: fileLimit },
    size: terminal.size,
    isInspected: isInspected.value,
  });
}

/** Ends the guest; one that does not answer in time goes with its worker, and with what could be inspected. */
export function stop(): void {
  if (runState.value.kind !== 'running') return;
  runState.value = { kind: 'stopping' };
  const stopped = worker;
  stopped?.send({ kind: 'stop' });
  setTimeout(() => {
    if (worker !== stopped || runState.value.kind !== 'stopping') return;
    stopped?.terminate();
    worker = undefined;
    finish({ text: 'stopped; what it had translated is lost', isGood: false, statistics: '', translations: 0 });
  }, patience);
}

/** Shows the run's translations in the page's other tabs. */
export async function inspect(): Promise<void> {
  if (worker === undefined || runState.value.kind !== 'ended') return;
  const inspected = worker;
  source.value = await inspected.inspect();
  if (reporting !== inspected) reporting?.terminate();
  reporting = inspected;
  change({ tab: 'regions', region: undefined, at: undefined, search: '' });
}

function receive(message: FromSession): void {
  switch (message.kind) {
    case 'started':
      if (runState.value.kind === 'starting') runState.value = { kind: 'running' };
      return;
    case 'output':
      terminal.write(message.bytes);
      return;
    case 'refused':
      terminal.note(`stele: ${message.reason}`);
      finish({ text: 'cannot be run', isGood: false, statistics: '', translations: 0 });
      return;
    case 'failed':
      terminal.note(`stele: internal error\n${message.message}`);
      finish({ text: 'an error of Stele’s own', isGood: false, statistics: '', translations: 0 });
      return;
    case 'ended': {
      if (message.report !== '') terminal.note(message.report.trimEnd());
      const { outcome, statistics, translations } = message;
      const isGood = outcome.kind === 'exit' && outcome.code === 0;
      finish({ text: outcomeText(outcome), isGood, statistics, translations });
      worker?.send({ kind: 'files' });
      return;
    }
    case 'files':
      made.value = message.files.filter(isNew);
      return;
  }
}

function finish(end: Omit<Ended, 'kind'>): void {
  terminal.end();
  runState.value = { kind: 'ended', ...end };
}

export function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'exit') return `exit status ${outcome.code}`;
  if (outcome.kind === 'limit') return `stopped: ${outcome.reason}`;
  return `ended by signal ${outcome.signal} (${outcome.description})`;
}

/** Whether a file is not one that the program was given. */
function isNew({ path, bytes }: NamedFile): boolean {
  const given = [program.value, ...files.value].find((file) => path === `/home/user/${file?.path}`);
  return (
    given === undefined || given.bytes.length !== bytes.length || given.bytes.some((byte, at) => byte !== bytes[at])
  );
}
