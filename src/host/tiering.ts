/** When V8 optimizes. */

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
