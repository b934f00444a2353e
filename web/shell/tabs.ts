/** The tabs of the page, from left to right. */
import type { ComponentType } from 'preact';
import { Regions } from '../regions/regions.tsx';
import { RunTab } from '../run/run-tab.tsx';
import { TimeLine } from '../time/time-line.tsx';

export interface Tab {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly Content: ComponentType;
}

export const tabs: readonly Tab[] = [
  { id: 'regions', title: 'Regions', Content: Regions },
  { id: 'time', title: 'Time line', Content: TimeLine },
  { id: 'run', title: 'Run', Content: RunTab },
];
