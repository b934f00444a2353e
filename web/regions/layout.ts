/** Graphs from the worker that lays them out. */
import type { BlockReport } from '../../src/inspect/report.ts';
import type { FlowGraph } from './flow-graph.ts';
import type { LayoutRequest } from './graph-worker.ts';
import GraphWorker from './graph-worker.ts?worker&inline';

const waiting = new Map<number, { done(graph: FlowGraph): void; failed(error: Error): void }>();
let worker: Worker | undefined;
let requests = 0;

function start(): Worker {
  const started = new GraphWorker();
  started.addEventListener('message', ({ data }: MessageEvent<{ number: number; graph: FlowGraph }>) => {
    waiting.get(data.number)?.done(data.graph);
    waiting.delete(data.number);
  });
  started.addEventListener('error', ({ message }) => {
    for (const { failed } of waiting.values()) failed(new Error(message || 'the browser starts no workers here'));
    waiting.clear();
  });
  return started;
}

/** @param included indices of the blocks to draw */
export function layOutBeside(blocks: readonly BlockReport[], included: readonly number[]): Promise<FlowGraph> {
  worker ??= start();
  const request: LayoutRequest = { number: requests++, blocks, included };
  return new Promise((done, failed) => {
    waiting.set(request.number, { done, failed });
    worker?.postMessage(request);
  });
}
