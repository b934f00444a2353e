/** What a page and the worker that runs a guest for it tell each other. */
import type { PortableEngineName } from '../engines/engine-names.ts';
import type { WindowSize } from '../host/host.ts';
import type { RegionDetails, Summary } from '../inspect/page-data.ts';

export interface NamedFile {
  /** Below the home directory, or absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Bytes that a guest may take of each. */
export interface GuestLimits {
  /** Of its address space (RLIMIT_AS). */
  readonly memory: number;
  /** Shown on its terminal. */
  readonly output: number;
  /** Of its files, those that it was given included. */
  readonly files: number;
}

export interface RunRequest {
  readonly kind: 'run';
  readonly program: NamedFile;
  readonly arguments: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly files: readonly NamedFile[];
  readonly engine: PortableEngineName;
  readonly limits: GuestLimits;
  readonly size: WindowSize;
  /** Collect translations, and count what they run. */
  readonly isInspected: boolean;
}

export type ToSession =
  | RunRequest
  /** Keys, in UTF-8. */
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly size: WindowSize }
  /** Ends the guest like SIGKILL, as soon as it leaves translated code. */
  | { readonly kind: 'stop' }
  /** Asks for what the run's translations are; answered by `summary`. */
  | { readonly kind: 'inspect' }
  | { readonly kind: 'details'; readonly number: number }
  /** Asks for the files below the home directory; answered by `files`. */
  | { readonly kind: 'files' };

export type Outcome =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number; readonly description: string }
  /** Why the session ended it. */
  | { readonly kind: 'limit'; readonly reason: string };

export type FromSession =
  /** The file is no program that can be run, or there is no memory; in the command line's words. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'started' }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'ended';
      readonly outcome: Outcome;
      /** Where and why, for a signal that leaves a core; else empty. */
      readonly report: string;
      /** As `stele run --stats` prints them. */
      readonly statistics: string;
      readonly translations: number;
    }
  | { readonly kind: 'summary'; readonly summary: Summary }
  | { readonly kind: 'details'; readonly number: number; readonly details: RegionDetails }
  | { readonly kind: 'files'; readonly files: readonly NamedFile[] }
  /** An error of Stele's own. */
  | { readonly kind: 'failed'; readonly message: string };
