/** Where the page has its report from: embedded in the file, or from a run in the page itself. */
import { signal } from '@preact/signals';
import type { RegionDetails, Summary } from '../../src/inspect/page-data.ts';

export interface ReportSource {
  readonly summary: Summary;
  /** @param number the region's `number` */
  details(number: number): Promise<RegionDetails>;
  /** The text of a source file, by its index in the report's `files`; null where nobody has it. */
  readonly sources: readonly (string | null)[];
}

/** What the page shows; undefined while there is nothing. */
export const source = signal<ReportSource | undefined>(undefined);
