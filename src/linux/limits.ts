/** Resource limits (getrlimit): two 64-bit numbers each; enforced where the subject files say so. */

/** Numbers of the generic RLIMIT_* numbering, which PowerPC shares. */
export const resource = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;
export const resourceCount = 16;

/** RLIM_INFINITY as Linux keeps it: all ones. */
export const infinity = 0xffffffffffffffffn;

export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

export const defaultStackLimit = 8 << 20;

/** Limits that a process begins with, in bytes. */
export interface FirstLimits {
  readonly stack?: number;
  /** Of the address space, hard and soft; undefined: none. */
  readonly addressSpace?: number | undefined;
}

export class Limits {
  /** Limits for which something was refused to the process. */
  readonly reached = new Set<number>();
  private readonly table: Limit[];

  constructor({ stack = defaultStackLimit, addressSpace }: FirstLimits = {}) {
    this.table = new Array(resourceCount).fill({ soft: infinity, hard: infinity });
    this.table[resource.STACK] = { soft: BigInt(stack), hard: infinity };
    if (addressSpace !== undefined) {
      this.table[resource.AS] = { soft: BigInt(addressSpace), hard: BigInt(addressSpace) };
    }
    this.table[resource.CORE] = { soft: 0n, hard: infinity };
    this.table[resource.NOFILE] = { soft: 1024n, hard: 4096n };
    this.table[resource.NPROC] = { soft: 4096n, hard: 4096n };
    this.table[resource.SIGPENDING] = { soft: 4096n, hard: 4096n };
    this.table[resource.MEMLOCK] = { soft: 8n << 20n, hard: 8n << 20n };
    this.table[resource.MSGQUEUE] = { soft: 819200n, hard: 819200n };
    this.table[resource.NICE] = { soft: 0n, hard: 0n };
    this.table[resource.RTPRIO] = { soft: 0n, hard: 0n };
  }

  get(which: number): Limit {
    return this.table[which];
  }

  set(which: number, limit: Limit): void {
    this.table[which] = limit;
  }

  /** The soft limit as a number; Infinity for none. */
  soft(which: number): number {
    const { soft } = this.table[which];
    return soft === infinity ? Number.POSITIVE_INFINITY : Number(soft);
  }
}
