/** CPU profiles (`.cpuprofile`) of guests: V8's, in which generated functions appear as the guest's. */
import { entryOf } from '../engines/translated/region-facts.ts';
import type { GeneratedScript } from '../engines/translated/stack-traces.ts';
import { hex8, type Places } from './places.ts';

/** What V8 calls a Runtime.CallFrame; lines and columns count from 0, and -1 is none. */
export interface CallFrame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A Profiler.ProfileNode, as far as it is changed here. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  /** Samples in the function itself. */
  readonly hitCount?: number;
  /** Samples by line, which counts from 1. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

/** A Profiler.Profile (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
}

export interface ProfileOptions {
  readonly places: Places;
  /** The guest's path as it was given: the file of functions without line tables. */
  readonly program: string;
  scriptOf(url: string): GeneratedScript | undefined;
}

/** Numbers of scripts that V8 will not come to. */
const firstScript = 1_000_000_000;

/**
 * Gives generated functions the guest's names, files and lines. A function is on the line where its code begins (a region
 * that is a loop has that loop's line); samples of JavaScript are on the lines that ran, of WebAssembly, for which V8 tells no
 * more, on the function's.
 */
export function guestProfile<Profile extends CpuProfile>(profile: Profile, options: ProfileOptions): Profile {
  const { places, program, scriptOf } = options;
  const scripts = new Map<string, string>();
  const scriptId = (url: string): string => {
    let id = scripts.get(url);
    if (id === undefined) {
      id = String(firstScript + scripts.size);
      scripts.set(url, id);
    }
    return id;
  };
  const nodes = profile.nodes.map((node): ProfileNode => {
    const { functionName, url } = node.callFrame;
    const script = scriptOf(url);
    if (script === undefined && !url.startsWith('wasm://')) return node;
    const entry = entryOf(functionName);
    if (entry === undefined) return node;
    const start = places.lineAt?.(entry);
    const file = start === undefined ? urlOf(program) : urlOf(start.file);
    const line = start?.line ?? 0;
    const callFrame = {
      functionName: places.symbolAt(entry)?.name ?? `0x${hex8(entry)}`,
      scriptId: scriptId(file),
      url: file,
      lineNumber: line - 1,
      columnNumber: start === undefined ? -1 : 0,
    };
    if (node.positionTicks === undefined) return { ...node, callFrame };
    const ticks = new Map<number, number>();
    for (const tick of node.positionTicks) {
      const pc = script?.pcs[tick.line] ?? -1;
      const found = pc < 0 ? undefined : places.lineAt?.(pc);
      // Another file's line, of what was inlined from a header, would be shown in this one.
      const at = found !== undefined && found.file === start?.file ? found.line : line;
      ticks.set(at, (ticks.get(at) ?? 0) + tick.ticks);
    }
    const positionTicks = start === undefined ? [] : Array.from(ticks, ([at, count]) => ({ line: at, ticks: count }));
    return { ...node, callFrame, positionTicks };
  });
  return { ...profile, nodes };
}

const urlOf = (path: string): string => (path.startsWith('/') ? `file://${encodeURI(path)}` : path);

/** Samples of a profile. */
export interface ProfileSamples {
  /** While anything ran. */
  readonly all: number;
  /** In a generated function. @param script its script's name; empty for WebAssembly, where the function's name counts */
  of(script: string, name: string): number;
}

export function samplesOf({ nodes }: CpuProfile): ProfileSamples {
  let all = 0;
  const counts = new Map<string, number>();
  for (const { callFrame, hitCount = 0 } of nodes) {
    const { functionName, url } = callFrame;
    if (functionName === '(idle)') continue;
    all += hitCount;
    const key = url.startsWith('wasm://') ? functionName : url;
    counts.set(key, (counts.get(key) ?? 0) + hitCount);
  }
  return { all, of: (script, name) => counts.get(script === '' ? name : script) ?? 0 };
}
