/** The control-flow graph of a region, laid out by dagre. */
import { Graph, layout } from '@dagrejs/dagre';
import type { BlockReport } from '../../src/inspect/report.ts';
import { short } from './numbers.ts';

/** Pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface GraphNode {
  /** Index in the region's blocks. */
  readonly block: number;
  /** The middle. */
  readonly x: number;
  readonly y: number;
}

export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** Times that control went this way; null where that was not counted. */
  readonly count: number | null;
  /** Whether it leads to a block that is not further down: it closes a loop. */
  readonly isBack: boolean;
  readonly points: readonly Point[];
  /** The middle of its number. */
  readonly label: Point;
}

export interface FlowGraph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export const nodeSize = { width: 132, height: 42 } as const;

/** Pixels of a character of a number on an edge. */
export const characterWidth = 6.4;

/** Graphs of more blocks than this take dagre seconds, and are too large to be looked at. */
export const blockLimit = 120;

/** Which blocks a block leads to, by index, each with its count. */
export function edgesOf(blocks: readonly BlockReport[]): Pick<GraphEdge, 'from' | 'to' | 'count'>[] {
  const indices = new Map(blocks.map(({ pc }, index) => [pc, index]));
  return blocks.flatMap(({ successors, taken }, from) =>
    successors.flatMap((pc, index) => {
      const to = indices.get(pc);
      return to === undefined ? [] : [{ from, to, count: taken?.[index] ?? null }];
    }),
  );
}

/**
 * The blocks that the graph has: all, or where these are too many, the ones that are nearest to one of them, along edges
 * in either direction.
 */
export function blocksAround(blocks: readonly BlockReport[], center: number, limit = blockLimit): readonly number[] {
  if (blocks.length <= limit) return blocks.map((_, index) => index);
  const neighbours = blocks.map((): number[] => []);
  for (const { from, to } of edgesOf(blocks)) {
    neighbours[from].push(to);
    neighbours[to].push(from);
  }
  const found = new Set([center]);
  // What is added while it is gone through is gone through, too.
  for (const block of found) {
    for (const next of neighbours[block]) if (found.size < limit) found.add(next);
  }
  return [...found].sort((a, b) => a - b);
}

/** @param included indices of the blocks to draw */
export function layOut(blocks: readonly BlockReport[], included: readonly number[]): FlowGraph {
  const graph = new Graph({ directed: true })
    .setGraph({ rankdir: 'TB', nodesep: 22, ranksep: 30, edgesep: 14, marginx: 12, marginy: 12 })
    .setDefaultEdgeLabel(() => ({}));
  const isIncluded = new Set(included);
  for (const block of included) graph.setNode(String(block), { ...nodeSize });
  const edges = edgesOf(blocks).filter(({ from, to }) => isIncluded.has(from) && isIncluded.has(to));
  for (const { from, to, count } of edges) {
    graph.setEdge(String(from), String(to), {
      width: count === null ? 0 : short(count).length * characterWidth + 8,
      height: 16,
      labelpos: 'c',
    });
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const nodes = included.map((block): GraphNode => {
    const { x, y } = graph.node(String(block)) as Point;
    return { block, x, y };
  });
  const rows = new Map(nodes.map(({ block, y }) => [block, y]));
  return {
    width,
    height,
    nodes,
    edges: edges.map(({ from, to, count }) => {
      const { points, x, y } = graph.edge(String(from), String(to)) as Point & { points: Point[] };
      const isBack = (rows.get(to) as number) <= (rows.get(from) as number);
      return { from, to, count, isBack, points, label: { x, y } };
    }),
  };
}

/** A smooth curve along points as an SVG path: through the middles of the stretches between them. */
export function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (last === undefined) return '';
  const at = ({ x, y }: Point): string => `${x.toFixed(1)},${y.toFixed(1)}`;
  const parts = rest.map((point, index) => {
    const next = rest[index + 1] ?? last;
    const middle = index === rest.length - 1 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${at(point)} ${at(middle)}`;
  });
  return `M${at(first)} ${rest.length === 0 ? `L${at(last)}` : parts.join(' ')}`;
}
