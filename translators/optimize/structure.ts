/**
 * Turns a control-flow graph into what structured code needs: an order, a dominator tree, loop headers
 * and merge points (N. Ramsey, "Beyond Relooper", ICFP 2022). Where a cycle can be entered at several
 * blocks, a dispatch node with a selector variable becomes its only entry; only such cycles pay.
 */

/** How many times the loop budget an inner loop may go on when the budget is used up: mostly the outermost loops shall come back. */
export const innerLoopFactor = 10;

/** What a translation returns in place of a guest address when the state block holds the pc of a loop that ran long. */
export const leftLoop = -2;

export interface Dispatch {
  /** The node's number, beyond those of the blocks. */
  readonly node: number;
  /** Blocks that it leads to; the selector is an index into them. */
  readonly targets: readonly number[];
}

export interface Structure {
  /** Nodes in reverse post-order: numbers of blocks, then of dispatch nodes. */
  readonly order: readonly number[];
  /** From a node to its position in `order`; -1 when it cannot be reached. */
  readonly position: Int32Array;
  /** Positions of the nodes that each position dominates immediately, ascending. */
  readonly children: readonly (readonly number[])[];
  /** By position: 1 where a loop starts. */
  readonly isLoop: Uint8Array;
  /** By position: 1 where a loop starts that lies in another one. */
  readonly isInner: Uint8Array;
  /** By position: 1 where several forward edges meet, or a multi-way branch leads to. */
  readonly isMerge: Uint8Array;
  readonly dispatches: readonly Dispatch[];
  /** From a block to the dispatch node that an edge to it must go through, if any. */
  readonly route: ReadonlyMap<number, { dispatch: Dispatch; selector: number }>;
}

/**
 * @param successors for each block the blocks that control may reach next
 * @param isMultiway whether a block ends in a multi-way branch, whose targets must all be merge points
 */
export function structure(
  successors: readonly (readonly number[])[],
  entry: number,
  isMultiway: (block: number) => boolean,
): Structure {
  let graph = successors;
  let dispatches: Dispatch[] = [];
  let route = new Map<number, { dispatch: Dispatch; selector: number }>();
  let shape = shapeOf(graph, entry);
  if (!isReducible(shape)) {
    const changed = successors.map((targets) => targets.slice());
    ({ dispatches, route } = makeReducible(changed, entry));
    graph = changed;
    shape = shapeOf(graph, route.get(entry)?.dispatch.node ?? entry);
  }
  const { order, position, predecessors, dominator } = shape;
  const count = order.length;
  const isLoop = new Uint8Array(count);
  const isMerge = new Uint8Array(count);
  const children: number[][] = order.map(() => []);
  for (let at = 0; at < count; at++) {
    let forward = 0;
    for (const from of predecessors[at]) {
      if (from >= at) isLoop[at] = 1;
      else forward++;
    }
    if (forward > 1) isMerge[at] = 1;
    if (at > 0) children[dominator[at]].push(at);
    const node = order[at];
    if (node >= successors.length || isMultiway(node)) {
      for (const target of graph[node]) if (position[target] > at) isMerge[position[target]] = 1;
    }
  }
  const isInner = innerLoops(predecessors, isLoop);
  return { order, position, children, isLoop, isInner, isMerge, dispatches, route };
}

/** A graph's nodes in reverse post-order; predecessors and immediate dominators by position in it. */
interface Shape {
  readonly order: number[];
  readonly position: Int32Array;
  readonly predecessors: readonly (readonly number[])[];
  readonly dominator: Int32Array;
}

function shapeOf(graph: readonly (readonly number[])[], entry: number): Shape {
  const { order, position } = reversePostOrder(graph, entry);
  const predecessors: number[][] = order.map(() => []);
  for (let at = 0; at < order.length; at++) {
    for (const target of graph[order[at]]) predecessors[position[target]].push(at);
  }
  return { order, position, predecessors, dominator: dominators(predecessors) };
}

/** Whether every edge backwards leads to a node that dominates where it comes from. */
function isReducible({ predecessors, dominator }: Shape): boolean {
  for (let at = 0; at < predecessors.length; at++) {
    for (const from of predecessors[at]) {
      let node = from;
      while (node > at) node = dominator[node];
      if (node !== at && from >= at) return false;
    }
  }
  return true;
}

function reversePostOrder(
  graph: readonly (readonly number[])[],
  entry: number,
): { order: number[]; position: Int32Array } {
  const position = new Int32Array(graph.length).fill(-1);
  const visited = new Uint8Array(graph.length);
  const order: number[] = [];
  const nodes = [entry];
  const next = [0];
  visited[entry] = 1;
  while (nodes.length > 0) {
    const top = nodes.length - 1;
    const node = nodes[top];
    if (next[top] < graph[node].length) {
      const target = graph[node][next[top]++];
      if (visited[target] === 0) {
        visited[target] = 1;
        nodes.push(target);
        next.push(0);
      }
    } else {
      order.push(node);
      nodes.pop();
      next.pop();
    }
  }
  order.reverse();
  for (let at = 0; at < order.length; at++) position[order[at]] = at;
  return { order, position };
}

/** Which loops lie in another one: their headers are in that one's body, the nodes from which its header is reached without passing it. */
function innerLoops(predecessors: readonly (readonly number[])[], isLoop: Uint8Array): Uint8Array {
  const isInner = new Uint8Array(isLoop.length);
  const seen = new Int32Array(isLoop.length).fill(-1);
  for (let header = 0; header < isLoop.length; header++) {
    // The body of a loop that is an inner one itself tells nothing new.
    if (isLoop[header] === 0 || isInner[header] === 1) continue;
    const pending = predecessors[header].filter((from) => from >= header);
    seen[header] = header;
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen[node] === header) continue;
      seen[node] = header;
      if (isLoop[node] === 1) isInner[node] = 1;
      for (const from of predecessors[node]) if (seen[from] !== header) pending.push(from);
    }
  }
  return isInner;
}

/** Immediate dominators by position (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"). */
function dominators(predecessors: readonly (readonly number[])[]): Int32Array {
  const dominator = new Int32Array(predecessors.length).fill(-1);
  dominator[0] = 0;
  let changed = true;
  while (changed) {
    changed = false;
    for (let at = 1; at < predecessors.length; at++) {
      let common = -1;
      for (const from of predecessors[at]) {
        if (dominator[from] < 0) continue;
        if (common < 0) {
          common = from;
          continue;
        }
        let one = common;
        let other = from;
        while (one !== other) {
          while (one > other) one = dominator[one];
          while (other > one) other = dominator[other];
        }
        common = one;
      }
      if (dominator[at] !== common) {
        dominator[at] = common;
        changed = true;
      }
    }
  }
  return dominator;
}

/** Gives every cycle a single entry, changing the graph in place; dispatch nodes are appended to it. */
function makeReducible(
  graph: number[][],
  entry: number,
): { dispatches: Dispatch[]; route: Map<number, { dispatch: Dispatch; selector: number }> } {
  const dispatches: Dispatch[] = [];
  const route = new Map<number, { dispatch: Dispatch; selector: number }>();
  /** Sets of nodes whose cycles are still to be looked at. */
  const pending: number[][] = [Array.from(graph.keys())];
  while (pending.length > 0) {
    const nodes = pending.pop() as number[];
    for (const component of stronglyConnected(graph, nodes)) {
      if (component.length < 2) continue;
      const inside = new Set(component);
      const isEntry = new Set<number>();
      if (inside.has(entry)) isEntry.add(entry);
      for (let from = 0; from < graph.length; from++) {
        if (inside.has(from)) continue;
        for (const target of graph[from]) if (inside.has(target)) isEntry.add(target);
      }
      let header = isEntry.values().next().value ?? component[0];
      if (isEntry.size > 1) {
        const targets = [...isEntry].sort((one, other) => one - other);
        const dispatch: Dispatch = { node: graph.length, targets };
        dispatches.push(dispatch);
        targets.forEach((target, selector) => {
          route.set(target, { dispatch, selector });
        });
        for (let from = 0; from < graph.length; from++) {
          if (!graph[from].some((target) => isEntry.has(target))) continue;
          // Two edges of a block may now lead to one node, which makes that a merge point: both stay.
          graph[from] = graph[from].map((target) => (isEntry.has(target) ? dispatch.node : target));
        }
        graph.push(targets);
        header = dispatch.node;
        if (entry === targets[0] || isEntry.has(entry)) entry = dispatch.node;
      }
      pending.push(component.filter((node) => node !== header));
    }
  }
  return { dispatches, route };
}

/** The nodes of a graph that lie on a cycle. */
export function cyclicNodes(graph: readonly (readonly number[])[]): Set<number> {
  const components = stronglyConnected(graph, [...graph.keys()]);
  return new Set(components.filter(([node], at) => components[at].length > 1 || graph[node].includes(node)).flat());
}

/** Strongly connected components of the graph restricted to `nodes` (Tarjan, without recursion). */
export function stronglyConnected(graph: readonly (readonly number[])[], nodes: readonly number[]): number[][] {
  const allowed = new Uint8Array(graph.length);
  for (const node of nodes) allowed[node] = 1;
  const index = new Int32Array(graph.length).fill(-1);
  const low = new Int32Array(graph.length);
  const onStack = new Uint8Array(graph.length);
  const stack: number[] = [];
  const components: number[][] = [];
  let counter = 0;
  for (const root of nodes) {
    if (index[root] >= 0) continue;
    const work = [root];
    const next = [0];
    index[root] = low[root] = counter++;
    stack.push(root);
    onStack[root] = 1;
    while (work.length > 0) {
      const top = work.length - 1;
      const node = work[top];
      if (next[top] < graph[node].length) {
        const target = graph[node][next[top]++];
        if (allowed[target] === 0) continue;
        if (index[target] < 0) {
          index[target] = low[target] = counter++;
          stack.push(target);
          onStack[target] = 1;
          work.push(target);
          next.push(0);
        } else if (onStack[target] === 1 && index[target] < low[node]) {
          low[node] = index[target];
        }
        continue;
      }
      work.pop();
      next.pop();
      if (top > 0 && low[node] < low[work[top - 1]]) low[work[top - 1]] = low[node];
      if (low[node] !== index[node]) continue;
      const component: number[] = [];
      let member: number;
      do {
        member = stack.pop() as number;
        onStack[member] = 0;
        component.push(member);
      } while (member !== node);
      components.push(component);
    }
  }
  return components;
}
