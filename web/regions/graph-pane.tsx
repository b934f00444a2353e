/** The pane with the control-flow graph: blocks by heat, ways between them with counts. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { BlockReport } from '../../src/inspect/report.ts';
import { point, pointed, select, selected } from './chosen.ts';
import { blocksAround, characterWidth, curve, type FlowGraph, type GraphEdge, nodeSize } from './flow-graph.ts';
import { heatColour, heatOf } from './heat.ts';
import { layOutBeside } from './layout.ts';
import { instructionAt, isLit } from './listing.ts';
import { grouped, hex, several, short } from './numbers.ts';

const zooms = [0.25, 0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.5, 2] as const;

/** A graph, and what it is of. */
interface Drawn {
  readonly blocks: readonly BlockReport[];
  readonly included: readonly number[];
  readonly center: number;
  readonly graph: FlowGraph;
}

/** The graph of a region; the one before until it is laid out. */
function useGraph(blocks: readonly BlockReport[]): { readonly drawn: Drawn | undefined; readonly problem: string } {
  const [drawn, setDrawn] = useState<Drawn>();
  const [problem, setProblem] = useState('');
  const at = selected.value;
  const holder = blocks.findIndex(({ pc, endPc }) => at !== undefined && at >= pc && at < endPc);
  const isShown = drawn?.blocks === blocks && (holder < 0 || drawn.included.includes(holder));
  // Where not all blocks have room the graph is about the one that was selected when it was drawn.
  const center = isShown ? drawn.center : Math.max(0, holder);
  useEffect(() => {
    let isWanted = true;
    const included = blocksAround(blocks, center);
    layOutBeside(blocks, included).then(
      (graph) => {
        if (isWanted) setDrawn({ blocks, included, center, graph });
      },
      (error: Error) => {
        if (isWanted) setProblem(error.message);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [blocks, center]);
  return { drawn, problem };
}

export function GraphPane({ blocks }: { readonly blocks: readonly BlockReport[] }) {
  const { drawn, problem } = useGraph(blocks);
  if (problem !== '') return <p class="empty">The graph cannot be drawn: {problem}</p>;
  return (
    <div class="graph" aria-busy={drawn?.blocks !== blocks}>
      {drawn === undefined ? (
        <p class="empty">{several(blocks.length, 'block')} are laid out…</p>
      ) : (
        <Canvas drawn={drawn} />
      )}
    </div>
  );
}

function Canvas({ drawn: { blocks, included, center, graph } }: { readonly drawn: Drawn }) {
  const scroller = useRef<HTMLDivElement>(null);
  const zoom = useSignal<number>(1);
  const fit = (): void => {
    const { clientWidth = 0, clientHeight = 0 } = scroller.current ?? {};
    const fitting = Math.min(clientWidth / graph.width, clientHeight / graph.height);
    zoom.value = Math.min(1, Math.max(zooms[0], fitting));
  };
  const step = (direction: 1 | -1): void => {
    const next = direction > 0 ? zooms.find((one) => one > zoom.value) : zooms.findLast((one) => one < zoom.value);
    if (next !== undefined) zoom.value = next;
  };
  const show = (block: number): void => {
    const node = graph.nodes.find((one) => one.block === block);
    const view = scroller.current;
    if (node === undefined || view === null) return;
    const [x, y] = [node.x * zoom.peek(), node.y * zoom.peek()];
    const margin = nodeSize.width / 2;
    if (x < view.scrollLeft + margin || x > view.scrollLeft + view.clientWidth - margin) {
      view.scrollLeft = x - view.clientWidth / 2;
    }
    if (y < view.scrollTop || y > view.scrollTop + view.clientHeight) view.scrollTop = y - view.clientHeight / 2;
  };
  const at = selected.value;
  const holder = blocks.findIndex(({ pc, endPc }) => at !== undefined && at >= pc && at < endPc);
  useLayoutEffect(() => {
    const { clientWidth = 0 } = scroller.current ?? {};
    // As large as can be read, if need be by scrolling.
    zoom.value = Math.min(1, Math.max(0.5, clientWidth / graph.width));
    scroller.current?.scrollTo(0, 0);
    show(0);
  }, [graph]);
  useEffect(() => show(holder), [graph, holder]);
  const hottest = Math.max(...blocks.map(({ executed }) => executed ?? 0));
  const busiest = Math.max(...graph.edges.map(({ count }) => count ?? 0), 1);
  const width = (count: number | null): number =>
    count === null ? 1.2 : count === 0 ? 1 : 1 + (2.2 * Math.log1p(count)) / Math.log1p(busiest);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys */}
      {/* biome-ignore lint/a11y/useSemanticElements: a section without a heading */}
      <div class="canvas" ref={scroller} tabIndex={0} role="region" aria-label="Control flow">
        <svg
          role="img"
          aria-label={`Control-flow graph of ${several(included.length, 'block')}`}
          viewBox={`0 0 ${graph.width} ${graph.height}`}
          width={graph.width * zoom.value}
          height={graph.height * zoom.value}
        >
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
              markerUnits="userSpaceOnUse"
            >
              <path d="M0,0.8 L8,4 L0,7.2 Z" />
            </marker>
          </defs>
          {graph.edges.map((edge) => (
            <Edge key={`${edge.from} ${edge.to}`} edge={edge} width={width(edge.count)} />
          ))}
          {graph.nodes.map(({ block, x, y }) => (
            <Node
              key={block}
              block={blocks[block]}
              isEntry={block === 0}
              heat={heatOf(blocks[block].executed, hottest)}
              x={x}
              y={y}
            />
          ))}
        </svg>
      </div>
      {included.length < blocks.length && (
        <p class="note">
          {grouped(included.length)} of {grouped(blocks.length)} blocks: those around {hex(blocks[center].pc)}
        </p>
      )}
      <div class="zoom" role="toolbar" aria-label="Size of the graph">
        <button type="button" onClick={() => step(-1)} aria-label="Smaller" title="Smaller">
          −
        </button>
        <button type="button" onClick={fit} title="The whole graph">
          Fit
        </button>
        <button type="button" onClick={() => step(1)} aria-label="Larger" title="Larger">
          +
        </button>
      </div>
    </>
  );
}

function Edge({ edge: { count, isBack, points, label }, width }: { readonly edge: GraphEdge; readonly width: number }) {
  const text = count === null ? '' : short(count);
  return (
    <g class={`edge${isBack ? ' back' : ''}${count === 0 ? ' never' : ''}`}>
      {count !== null && <title>{several(count, 'time')}</title>}
      <path d={curve(points)} stroke-width={width} marker-end="url(#arrow)" />
      {text !== '' && (
        <>
          <rect
            x={label.x - (text.length * characterWidth) / 2 - 3}
            y={label.y - 8}
            width={text.length * characterWidth + 6}
            height={15}
            rx={3}
          />
          <text x={label.x} y={label.y + 3.5}>
            {text}
          </text>
        </>
      )}
    </g>
  );
}

interface NodeProps {
  readonly block: BlockReport;
  readonly isEntry: boolean;
  readonly heat: number;
  readonly x: number;
  readonly y: number;
}

function Node({ block, isEntry, heat, x, y }: NodeProps) {
  const { pc, endPc, executions, guestInstructions } = block;
  const code = [{ from: pc, end: endPc }];
  const isSelected = isLit(code, instructionAt(selected.value));
  const ran = executions === null ? '' : `, ran ${several(executions, 'time')}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no buttons
    <g
      class={`node${isLit(code, pointed.value) ? ' pointed' : ''}${isSelected ? ' selected' : ''}`}
      transform={`translate(${(x - nodeSize.width / 2).toFixed(1)},${(y - nodeSize.height / 2).toFixed(1)})`}
      role="button"
      tabIndex={0}
      data-block={hex(pc)}
      style={{ '--heat': heatColour(heat) }}
      aria-label={`Block ${hex(pc)}, ${several(guestInstructions, 'instruction')}${ran}`}
      onPointerEnter={() => point(code)}
      onPointerLeave={() => point([])}
      onClick={() => select(pc)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        select(pc);
      }}
    >
      <rect width={nodeSize.width} height={nodeSize.height} rx={5} />
      <path class="heat" d={`M5,0 A5,5 0 0 0 0,5 V${nodeSize.height - 5} A5,5 0 0 0 5,${nodeSize.height} Z`} />
      <text class="address" x={14} y={17}>
        {hex(pc)}
      </text>
      {isEntry && (
        <text class="entry" x={nodeSize.width - 8} y={17}>
          entry
        </text>
      )}
      <text class="facts" x={14} y={33}>
        {guestInstructions} instr.
      </text>
      {executions !== null && (
        <text class="count" x={nodeSize.width - 8} y={33}>
          × {short(executions)}
        </text>
      )}
    </g>
  );
}
