/**
 * What the personality asks of the machine below it about files. Everything else is in system.ts.
 *
 * Paths are bytes without a zero; no call throws for what a file system may answer: a failure is a
 * negated Linux error number. Descriptors are the host's, not the guest's.
 */

/** What a file system knows of a file. Times are nanoseconds since the epoch. */
export interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
}

export interface FileSystemStatus {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export interface DirectoryEntry {
  readonly name: Uint8Array;
  /** DT_* of dirent.h: 0 unknown, 1 FIFO, 2 character device, 4 directory, 6 block device, 8 regular, 10 link, 12 socket. */
  readonly type: number;
}

/** How to open a file: what is absent is off. */
export interface OpenRequest {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly append?: boolean;
  readonly directory?: boolean;
  readonly noFollow?: boolean;
  readonly nonBlocking?: boolean;
  readonly synchronous?: boolean;
  /** A file without a name in the directory `path` (O_TMPFILE). */
  readonly temporary?: boolean;
  /** Only a place in the file system, contents inaccessible (O_PATH). */
  readonly pathOnly?: boolean;
  /** Of a file that is created, before the mask. */
  readonly mode?: number;
}

/** Times to set: nanoseconds since the epoch, the current time, or (undefined) no change. */
export interface FileTimes {
  readonly access: bigint | 'now' | undefined;
  readonly modification: bigint | 'now' | undefined;
}

/** termios as Linux's generic ABI lays it out; control characters by name (VINTR…). */
export interface TerminalSettings {
  input: number;
  output: number;
  control: number;
  local: number;
  characters: Record<string, number>;
}

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** What is known of a descriptor that the process was started with. */
export interface InheritedDescriptor {
  /** O_* flags in Linux's generic numbering (asm-generic/fcntl.h). */
  readonly flags: number;
  readonly position: number;
}

export interface FileHost {
  /** The working directory at the start. */
  workingDirectory(): Uint8Array;
  /** Replaces the mask of modes for new files. @returns the old one */
  setMask(mask: number): number;
  /** Flags and position of an open descriptor now; undefined when the host cannot tell. */
  inherited(descriptor: number): InheritedDescriptor | undefined;

  /** @returns a descriptor */
  open(path: Uint8Array, request: OpenRequest): number;
  /** The same where opening can wait (a FIFO without its other end). */
  openWaiting(path: Uint8Array, request: OpenRequest): Promise<number>;
  close(descriptor: number): number;
  /** Reads once. @param position undefined: at the descriptor's own position @returns bytes read, 0 at the end */
  read(descriptor: number, buffer: Uint8Array, position: number | undefined): number;
  /** The same without stopping the event loop. */
  readWaiting(descriptor: number, buffer: Uint8Array): Promise<number>;
  write(descriptor: number, buffer: Uint8Array, position: number | undefined): number;
  truncate(descriptor: number, length: number): number;
  truncatePath(path: Uint8Array, length: number): number;
  synchronize(descriptor: number, dataOnly: boolean): number;

  status(path: Uint8Array, followLinks: boolean): FileStatus | number;
  statusOf(descriptor: number): FileStatus | number;
  fileSystem(path: Uint8Array): FileSystemStatus | number;
  exists(path: Uint8Array): boolean;
  /** @param mode R_OK 4, W_OK 2, X_OK 1, F_OK 0, for the real user */
  access(path: Uint8Array, mode: number): number;
  readLink(path: Uint8Array): Uint8Array | number;
  /** Entries without `.` and `..`, in the file system's order. */
  list(path: Uint8Array): DirectoryEntry[] | number;

  unlink(path: Uint8Array): number;
  rename(from: Uint8Array, to: Uint8Array): number;
  makeDirectory(path: Uint8Array, mode: number): number;
  makeFifo(path: Uint8Array, mode: number): number;
  removeDirectory(path: Uint8Array): number;
  link(from: Uint8Array, to: Uint8Array): number;
  symbolicLink(target: Uint8Array, path: Uint8Array): number;
  changeMode(path: Uint8Array, mode: number): number;
  changeOwner(path: Uint8Array, uid: number, gid: number, followLinks: boolean): number;
  setTimes(path: Uint8Array, times: FileTimes, followLinks: boolean): number;
  /** A path that leads to what a descriptor refers to, for calls that follow links. */
  descriptorPath(descriptor: number): Uint8Array;
  /** A new empty file without a name. @returns a descriptor */
  anonymousFile(): number;

  isTerminal(descriptor: number): boolean;
  terminalSettings(descriptor: number): TerminalSettings | number;
  /** Changes the settings when output has drained. */
  setTerminalSettings(descriptor: number, settings: TerminalSettings): number;
  windowSize(descriptor: number): WindowSize | number;
  /** The foreground process group of the controlling terminal. */
  foregroundGroup(): number;
  /** The host's /proc/cpuinfo, /proc/meminfo…, as bytes. */
  readWhole(path: Uint8Array): Uint8Array | number;
  /** Calls back after a time in milliseconds, for a descriptor that cannot take more now. */
  delay(milliseconds: number): Promise<void>;
}
