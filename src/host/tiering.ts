/** What V8 is told about translations: when to optimize, and to heed branch hints. */

/** The version of V8 in Node 24, whose options are known here. To one that it does not know V8 answers on standard error. */
const isKnown = process.versions.v8.startsWith('13.');

/**
 * Options of V8 to heed what translations say of their branches (translators/webassembly/encoder.ts). The version in
 * Node 24 does so only when asked.
 */
export const branchHints: readonly string[] = isKnown ? ['--experimental-wasm-branch-hinting'] : [];

/**
 * Compiles a translation, with its branch hints. V8 is asked to heed them meanwhile only: its options are part of what
 * code that it kept from earlier runs depends on.
 */
export function compileHinted(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const option of branchHints) setFlagsFromString(option);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const option of branchHints) setFlagsFromString(option.replace('--', '--no-'));
  }
}

/** How much V8 optimizes this program's own code, beside which it always optimizes translations to WebAssembly. */
export interface Optimization {
  /**
   * By the quicker of its two compilers only: for runs that spend their time in translations. The other took up to a fifth
   * of the processor time of runs of some seconds for what makes these, and saved less.
   */
  someOfIt(): void;
  /** As V8 does by itself: for runs that spend their time in this program's code, or in translations to JavaScript. */
  allOfIt(): void;
}

/**
 * Keeps V8 from optimizing until it is asked to. In a run of 0.1 s the optimizing compilers would take as much processor
 * time as everything else, beside or instead of the program. Does nothing where Node was started with options for V8.
 */
export function deferOptimization(): Optimization {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const hasOptions = process.execArgv.length > 0 || process.env.NODE_OPTIONS;
  const set = (...flags: string[]): void => {
    if (!hasOptions) for (const flag of flags) setFlagsFromString(flag);
  };
  set('--no-maglev', '--no-opt');
  const allOfIt = (): void => set('--maglev', '--opt');
  if (!isKnown) return { someOfIt: allOfIt, allOfIt };
  // Without the checks what Maglev has made would stay as it is when the other compiler may be used.
  const checks = 'force-emit-interrupt-budget-checks';
  return {
    someOfIt: () => set('--maglev', `--${checks}`),
    allOfIt: () => {
      allOfIt();
      set(`--no-${checks}`);
    },
  };
}
