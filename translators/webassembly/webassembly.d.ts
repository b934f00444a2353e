/** The parts of the WebAssembly JavaScript API that Stele uses: TypeScript declares it for browsers only. */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBufferLike;
    grow(pages: number): number;
  }
  class Table {
    set(index: number, value: unknown): void;
  }
  type ImportValue = Memory | Table | ((...values: number[]) => number);
  class Module {
    constructor(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, ImportValue>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  /** Whether bytes are a module that can be compiled. */
  function validate(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): boolean;
  class CompileError extends Error {}
  class RuntimeError extends Error {}
}
