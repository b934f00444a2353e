/** What a machine's thread is started with, and what it sends. */
import type { EngineName } from '../engines/create-engine.ts';

/** What the command line of a machine's thread is. */
export const machineCommand = '--machine-thread';

/** Everything that a machine's thread has to know; all of it can be copied between threads. */
export interface MachineData {
  /** The ELF file's contents, and the path from the root that it has. */
  readonly file: Uint8Array;
  readonly path: Uint8Array;
  /** argv, with argv[0]. */
  readonly arguments: readonly Uint8Array[];
  /** `NAME=value` */
  readonly environment: readonly Uint8Array[];
  readonly engine: EngineName;
  /** Bytes of address space; undefined: no limit. */
  readonly memoryLimit: number | undefined;
  /** Bytes that may be written to standard output and standard error together; undefined: no limit. */
  readonly outputLimit: number | undefined;
  /** Looked in first for absolute paths. */
  readonly root: Uint8Array | undefined;
  /** The working directory; undefined: the process's. */
  readonly directory: Uint8Array | undefined;
  /** Descriptors of the process that stand for standard input, output and error; undefined: what is written is sent. */
  readonly descriptors: readonly [number, number | undefined, number | undefined];
  readonly mask: number;
  /** How many guest mappings the host's pages can follow (HostPages.mostMappings). */
  readonly mostMappings: number;
  /** Where translations are kept; undefined: nowhere. */
  readonly cache: { readonly cacheDir: string; readonly cacheSize: number } | undefined;
  /** The memory of Control. */
  readonly control: SharedArrayBuffer;
}

/** How a guest ended. */
export type Ending =
  | { readonly kind: 'exit'; readonly code: number; readonly wasRefusedMemory: boolean }
  | { readonly kind: 'signal'; readonly signal: number; readonly pc: number; readonly wasRefusedMemory: boolean }
  /** It wrote more than it may. */
  | { readonly kind: 'output' }
  /** The program or the engine does not run here; the reason is a clause. */
  | { readonly kind: 'unable'; readonly reason: string };

export type MachineMessage =
  /** The guest begins; its interrupt word is this one. */
  | { readonly kind: 'started'; readonly words: Int32Array; readonly interrupt: number }
  | { readonly kind: 'output'; readonly descriptor: 1 | 2; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly ending: Ending };
