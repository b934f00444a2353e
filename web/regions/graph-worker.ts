/** Lays graphs out beside the page, which goes on meanwhile: a graph of a hundred blocks takes dagre a few hundred milliseconds. */
import type { BlockReport } from '../../src/inspect/report.ts';
import { layOut } from './flow-graph.ts';

/** What the worker is asked; it answers with the number and the graph. */
export interface LayoutRequest {
  readonly number: number;
  readonly blocks: readonly BlockReport[];
  readonly included: readonly number[];
}

addEventListener('message', ({ data: { number, blocks, included } }: MessageEvent<LayoutRequest>) => {
  postMessage({ number, graph: layOut(blocks, included) });
});
