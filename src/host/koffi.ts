/** Koffi, an optional dependency, which calls functions of the C library. */

/**
 * The package that koffi has for this processor is all that is needed, and loads in 4 ms where koffi takes 10; a package
 * manager may put it where only koffi finds it.
 * @throws when there is neither
 */
export function loadKoffi(): typeof import('koffi') {
  const { createRequire } = process.getBuiltinModule('node:module');
  const require = createRequire(import.meta.filename);
  try {
    return require(`@koromix/koffi-linux-${process.arch}`);
  } catch {
    return require('koffi');
  }
}
