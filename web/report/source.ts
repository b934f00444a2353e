/** Where the page has its report from: embedded in the file, or from a run in the page itself. */
import { signal } from '@preact/signals';
import type { RegionReport, Report } from '../../src/inspect/report.ts';

/** What the list of regions needs of one; the rest comes when it is looked at. */
export type RegionSummary = Omit<RegionReport, 'blocks' | 'lines'> & {
  /** Guest addresses, begin and end in turn, of the code that the region holds; ascending. */
  readonly ranges: readonly number[];
};

export type Summary = Omit<Report, 'regions'> & {
  readonly regions: readonly RegionSummary[];
};

export type RegionDetails = Required<Pick<RegionReport, 'blocks' | 'lines'>>;

export interface ReportSource {
  readonly summary: Summary;
  /** @param number the region's `number` */
  details(number: number): Promise<RegionDetails>;
}

/** What the page shows; undefined while there is nothing. */
export const source = signal<ReportSource | undefined>(undefined);
