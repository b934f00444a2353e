/** Where something that is kept for a program lies between its runs. */
export interface ProgramStore {
  /** Names the program and the build of Stele. */
  readonly key: string;
  /** The program's path, for people. */
  readonly program: string;
  /** Bytes that may be kept for a program. */
  readonly limit: number;
  /** What was last written, or something else, or nothing. */
  read(): Uint8Array<ArrayBuffer> | undefined;
  /** Keeps bytes, in place of what was kept for the key, or not. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
}
