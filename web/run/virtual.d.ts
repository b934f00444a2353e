declare module 'virtual:stele-run' {
  /** The text of the worker's program, compressed by gzip, in base64. */
  export const workerProgram: string;
  /** Files by their names in examples.ts, in the same form. */
  export const exampleContents: Readonly<Record<string, string>>;
}
