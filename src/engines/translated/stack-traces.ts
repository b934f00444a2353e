/**
 * The scripts of generated code by name, and the guest addresses that their lines came from. Script names belong to
 * the whole process, as V8's stack traces and profiles do, and so does this table; what belongs to a guest stands in its rows.
 */
import type { Places } from '../../diagnostics/places.ts';

export interface GeneratedScript {
  /** For each line of the script, from 1, the guest address that it came from, or -1. */
  readonly pcs: readonly number[];
  /** What the guest's addresses are looked up in. */
  readonly places: Places;
}

/** Scripts remembered; a guest that keeps making code loses the names of its oldest. */
const limit = 1 << 16;

const scripts = new Map<string, GeneratedScript>();
let made = 0;

/** A script name that no other script of the process has. @param name of the function in it, or of the first one */
export function scriptUrl(name: string): string {
  return `stele:guest/${made++}/${name}`;
}

/** Remembers the guest addresses of a generated script's lines (from 1; -1 for none). */
export function addLines(url: string, pcs: readonly number[], places: Places): void {
  scripts.set(url, { pcs, places });
  if (scripts.size > limit) scripts.delete(scripts.keys().next().value as string);
}

/** What is known of a script; undefined for scripts that are not generated from guest code. */
export function generatedScript(url: string): GeneratedScript | undefined {
  return scripts.get(url);
}
