/** The files of a guest that has a thread of the process to itself: its own standard descriptors and mask of modes. */
import { constants } from 'node:fs';
import type { FileStatus, InheritedDescriptor, OpenRequest } from './host.ts';
import { RedirectedFiles } from './redirected-files.ts';

/** Is shown what a guest writes to standard output (1) or standard error (2). @returns how much of it is to be written; the rest is lost */
export type TakeOutput = (descriptor: 1 | 2, bytes: Uint8Array) => number;

export interface MachineFilesOptions {
  /** From a standard descriptor to the one of the process that stands for it. */
  readonly descriptors: ReadonlyMap<number, number>;
  /** Standard descriptors that look like pipes and have nothing behind them; what is written is only taken. */
  readonly pipes: ReadonlySet<number>;
  /** Is shown what is written to standard output and standard error, before it goes anywhere. */
  readonly take: TakeOutput;
  /** The mask of modes that the guest begins with. The process's own has to be 0: a thread cannot change it. */
  readonly mask: number;
}

export class MachineFiles extends RedirectedFiles {
  private readonly options: MachineFilesOptions;
  private mask: number;

  constructor(options: MachineFilesOptions) {
    super(options.descriptors);
    this.options = options;
    this.mask = options.mask;
  }

  override write(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    if (descriptor !== 1 && descriptor !== 2) return super.write(descriptor, buffer, position);
    const taken = this.options.take(descriptor, buffer);
    if (!this.options.pipes.has(descriptor) && taken > 0) {
      const written = super.write(descriptor, buffer.subarray(0, taken), position);
      if (written < taken) return written;
    }
    // What is lost counts as written: who wrote it would try again for ever.
    return buffer.length;
  }

  override statusOf(descriptor: number): FileStatus | number {
    const status = super.statusOf(descriptor);
    if (!this.options.pipes.has(descriptor) || typeof status === 'number') return status;
    return { ...status, mode: BigInt(constants.S_IFIFO | 0o600), rdev: 0n };
  }

  override inherited(descriptor: number): InheritedDescriptor | undefined {
    if (!this.options.pipes.has(descriptor)) return super.inherited(descriptor);
    return { position: 0, flags: constants.O_WRONLY };
  }

  // -- the mask of modes

  override setMask(mask: number): number {
    const before = this.mask;
    this.mask = mask & 0o777;
    return before;
  }

  private masked(request: OpenRequest): OpenRequest {
    return request.mode === undefined ? request : { ...request, mode: request.mode & ~this.mask };
  }

  override open(path: Uint8Array, request: OpenRequest): number {
    return super.open(path, this.masked(request));
  }
  override openWaiting(path: Uint8Array, request: OpenRequest): Promise<number> {
    return super.openWaiting(path, this.masked(request));
  }
  override makeDirectory(path: Uint8Array, mode: number): number {
    return super.makeDirectory(path, mode & ~this.mask);
  }
  override makeFifo(path: Uint8Array, mode: number): number {
    return super.makeFifo(path, mode & ~this.mask);
  }
}
