/** One guest process: what its threads share. Each subject keeps its state in an object of its own. */
import type { GuestMemory } from '../memory/guest-memory.ts';

export class Process {
  readonly memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }
}
