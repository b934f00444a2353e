/** What V8 is told about translations: when to optimize, and to heed branch hints. */

/**
 * The option of V8 to heed what translations say of their branches (translators/webassembly/encoder.ts). The version in
 * Node 24 does so only when asked.
 */
export const branchHints = '--experimental-wasm-branch-hinting';

/**
 * Compiles a translation, with its branch hints. V8 is asked to heed them meanwhile only: its options are part of what
 * code that it kept from earlier runs depends on.
 */
export function compileHinted(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString(branchHints);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString(branchHints.replace('--', '--no-'));
  }
}

/**
 * Keeps V8 from optimizing until the function that this returns is called. In a run of 0.1 s the optimizing compilers
 * would take as much processor time as everything else, beside or instead of the program. Does nothing where Node was
 * started with options for V8.
 */
export function deferOptimization(): () => void {
  if (process.execArgv.length > 0 || process.env.NODE_OPTIONS) return () => {};
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-maglev');
  setFlagsFromString('--no-opt');
  let deferred = true;
  return () => {
    if (!deferred) return;
    deferred = false;
    setFlagsFromString('--maglev');
    setFlagsFromString('--opt');
  };
}
