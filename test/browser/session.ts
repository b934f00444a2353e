/** A session without a browser: the messages of one run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { BrowserSurroundings } from '../../src/browser/browser-system.ts';
import { GuestSession } from '../../src/browser/guest-session.ts';
import type { FromSession, RunRequest } from '../../src/browser/session-messages.ts';

const guests = join(import.meta.dirname, '../guests/bin');
const examples = join(import.meta.dirname, '../../examples');

export const guest = (name: string): Uint8Array => readFileSync(join(guests, name));
export const example = (name: string): Uint8Array => readFileSync(join(examples, name));

export function request(bytes: Uint8Array, changes: Partial<RunRequest> = {}): RunRequest {
  return {
    kind: 'run',
    program: { path: 'program', bytes },
    arguments: [],
    environment: ['TERM=xterm', 'HOME=/home/user'],
    files: [],
    engine: 'auto',
    limits: { memory: 512 << 20, output: 1 << 20, files: 16 << 20 },
    size: { rows: 24, columns: 80 },
    isInspected: false,
    ...changes,
  };
}

/** A session where memory cannot be shared between threads, so that the guest's own has to look at the time; and what it told. */
export class Told implements BrowserSurroundings {
  readonly isIsolated = false;
  readonly processors = 2;
  /** Times that the event loop had its turn. */
  yields = 0;
  readonly messages: FromSession[] = [];
  readonly session: GuestSession;
  private waiting: (() => void)[] = [];

  constructor() {
    this.session = new GuestSession(this, (message) => {
      this.messages.push(message);
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }

  yieldToEvents(): Promise<void> {
    this.yields++;
    return setImmediate();
  }
  startWorker(): never {
    throw new Error('no worker is wanted');
  }

  /** All output as one text. */
  get output(): string {
    const parts = this.messages.flatMap((message) => (message.kind === 'output' ? [...message.bytes] : []));
    return new TextDecoder().decode(Uint8Array.from(parts));
  }

  of<Kind extends FromSession['kind']>(kind: Kind): Extract<FromSession, { kind: Kind }> | undefined {
    return this.messages.find((message) => message.kind === kind) as Extract<FromSession, { kind: Kind }> | undefined;
  }

  /** Waits until something holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  type(text: string): void {
    void this.session.receive({ kind: 'input', bytes: new TextEncoder().encode(text) });
  }
}
