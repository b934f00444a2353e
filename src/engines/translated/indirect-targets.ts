/** Where indirect jumps lead, by what they were seen to do. */

/** Jumps to unknown targets after which a region is translated anew, and how often in all. */
const missLimit = 64;
const retranslationLimit = 4;

export class IndirectTargets {
  /** From an indirect jump to the targets that it took. */
  readonly known = new Map<number, number[]>();
  /** From an indirect jump to how often its target was unknown to the translation, how often that led to a new one, and whether a new one would know more. */
  private readonly misses = new Map<number, { count: number; retranslations: number; hasNew: boolean }>();

  of(site: number): readonly number[] {
    return this.known.get(site) ?? [];
  }

  /** Adds what an earlier run knew. */
  add(site: number, targets: readonly number[]): void {
    this.known.set(site, [...new Set([...targets, ...this.of(site)])]);
  }

  /** Notes a target that the translation did not know. @returns whether to translate anew, with what is known now */
  miss(site: number, target: number): boolean {
    let known = this.known.get(site);
    if (known === undefined) {
      known = [];
      this.known.set(site, known);
    }
    let misses = this.misses.get(site);
    if (misses === undefined) {
      misses = { count: 0, retranslations: 0, hasNew: false };
      this.misses.set(site, misses);
    }
    if (!known.includes(target)) {
      known.push(target);
      misses.hasNew = true;
    }
    // A target that is known and still missed had no room in the region.
    if (++misses.count < missLimit || !misses.hasNew || misses.retranslations >= retranslationLimit) return false;
    misses.count = 0;
    misses.hasNew = false;
    misses.retranslations++;
    return true;
  }
}
