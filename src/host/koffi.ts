/** Koffi, an optional dependency, which calls functions of the C library. */

/**
 * The package that koffi has for this processor is all that is needed, and loads in 4 ms where koffi takes 10; a package
 * manager may put it where only koffi finds it.
 * @throws when there is neither
 */
function loadKoffi(): typeof import('koffi') {
  const { createRequire } = process.getBuiltinModule('node:module');
  const require = createRequire(import.meta.filename);
  try {
    return require(`@koromix/koffi-linux-${process.arch}`);
  } catch {
    return require('koffi');
  }
}

/** Functions of the C library by the names that the caller gives them: each one's prototype. */
type Prototypes<Functions> = { readonly [Name in keyof Functions]: string };

/** What went wrong in the last call that failed. */
export interface CallErrors {
  errno(): number;
  /** A system error's text. */
  message(errno: number): string;
}

/** The functions of the C library that these prototypes are of, or why they cannot be called, as a clause. */
export function loadFunctions<Functions>(
  prototypes: Prototypes<Functions>,
): (Functions & CallErrors) | { readonly reason: string } {
  let koffi: ReturnType<typeof loadKoffi>;
  try {
    koffi = loadKoffi();
  } catch {
    return { reason: 'koffi is not installed' };
  }
  try {
    const library = koffi.load(null);
    const entries = Object.entries<string>({ ...prototypes, message: 'const char *strerror(int errno)' });
    const functions = Object.fromEntries(entries.map(([name, prototype]) => [name, library.func(prototype)]));
    return Object.assign(functions, { errno: () => koffi.errno() }) as unknown as Functions & CallErrors;
  } catch (error) {
    return { reason: `koffi cannot call the C library (${(error as Error).message})` };
  }
}
