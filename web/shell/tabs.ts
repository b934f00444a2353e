/** The tabs of the page, from left to right. */
import type { ComponentType } from 'preact';
import { Regions } from '../regions/regions.tsx';

export interface Tab {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly Content: ComponentType;
}

export const tabs: readonly Tab[] = [{ id: 'regions', title: 'Regions', Content: Regions }];
