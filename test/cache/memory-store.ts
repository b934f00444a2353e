/** A place in memory to keep translations in. */
import type { ProgramStore } from '../../src/cache/program-store.ts';

export interface MemoryStore extends ProgramStore {
  kept: Uint8Array<ArrayBuffer> | undefined;
  writes: number;
}

export function memoryStore(key = 'program-build', limit = 1 << 20): MemoryStore {
  const store: MemoryStore = {
    key,
    program: '/bin/guest',
    limit,
    kept: undefined,
    writes: 0,
    read: () => store.kept?.slice(),
    write(bytes) {
      store.kept = bytes;
      store.writes++;
    },
  };
  return store;
}
