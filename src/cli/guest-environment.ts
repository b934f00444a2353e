/** The environment that a guest starts with: the host's, with -U's names removed and -E's variables set. */

const encoder = new TextEncoder();
const betweenVariables = /,(?=[A-Za-z_][A-Za-z0-9_]*=)/;
const equals = '='.charCodeAt(0);

/** The name in front of "=", as a string with a character per byte. */
function nameOf(entry: Uint8Array): string {
  const end = entry.indexOf(equals);
  return String.fromCharCode(...entry.subarray(0, end < 0 ? entry.length : end));
}

/**
 * @param inherited `NAME=value` entries in order; of two for one name the last one counts
 * @param unset names; commas separate several
 * @param set `NAME=value`; without "=" the variable is empty. A comma with another `NAME=` after it separates
 * two variables; every other comma belongs to the value
 */
export function guestEnvironment(
  inherited: readonly Uint8Array[],
  unset: readonly string[],
  set: readonly string[],
): Uint8Array[] {
  const entries = new Map(inherited.map((entry) => [nameOf(entry), entry]));
  for (const name of unset.flatMap((names) => names.split(','))) entries.delete(nameOf(encoder.encode(name)));
  for (const text of set.flatMap((assignments) => assignments.split(betweenVariables))) {
    const entry = encoder.encode(text.includes('=') ? text : `${text}=`);
    entries.set(nameOf(entry), entry);
  }
  return [...entries.values()];
}
