/** Only the rows of a long list that can be seen, by TanStack Virtual. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
  type VirtualizerOptions,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

export interface VirtualRows {
  /** Pixels that all rows take. */
  readonly height: number;
  readonly rows: readonly VirtualItem[];
  /** Brings a row into view. */
  show(index: number): void;
}

/** @param rowHeight in pixels */
export function useVirtualRows(
  element: { readonly current: HTMLElement | null },
  count: number,
  rowHeight: number,
): VirtualRows {
  const [, draw] = useReducer<number, void>((times) => times + 1, 0);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => element.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(),
  };
  const [virtualizer] = useState(() => new Virtualizer(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    height: virtualizer.getTotalSize(),
    rows: virtualizer.getVirtualItems(),
    show: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  };
}
