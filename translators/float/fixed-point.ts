/**
 * Elementary functions on fixed-point numbers of any precision: a number is an integer that counts units of 2^-places.
 * Results are within some tens of units of the exact ones; callers ask for enough places.
 */
/** The series sum of term(k), from a first term until terms vanish: `next` makes a term of its predecessor. */
function series(first: bigint, next: (term: bigint, k: bigint) => bigint): bigint {
  let total = first;
  let term = first;
  for (let k = 1n; term !== 0n; k++) {
    term = next(term, k);
    total += term;
  }
  return total;
}

/** Divided by 2^places, towards zero. */
function scaled(value: bigint, places: bigint): bigint {
  return value < 0n ? -(-value >> places) : value >> places;
}

export function fixedSine(x: bigint, places: bigint): bigint {
  const square = (x * x) >> places;
  return series(x, (term, k) => scaled(-term * square, places) / (2n * k * (2n * k + 1n)));
}

export function fixedCosine(x: bigint, places: bigint): bigint {
  const square = (x * x) >> places;
  return series(1n << places, (term, k) => scaled(-term * square, places) / ((2n * k - 1n) * 2n * k));
}

/** e^x - 1 for |x| < 1. */
export function fixedExponentialMinusOne(x: bigint, places: bigint): bigint {
  return series(x, (term, k) => scaled(term * x, places) / (k + 1n));
}

/** The area tangent: half of ln((1 + z) / (1 - z)). */
function fixedAreaTangent(z: bigint, places: bigint): bigint {
  const square = (z * z) >> places;
  let power = z;
  let total = z;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = scaled(power * square, places);
    total += power / k;
  }
  return total;
}

const logarithmTables = new Map<bigint, bigint[]>();

/** ln(1 + n / 64) for n from 0 to 64, computed once for each number of places. */
function logarithmTable(places: bigint): bigint[] {
  let table = logarithmTables.get(places);
  if (table === undefined) {
    table = [];
    for (let n = 0n; n <= 64n; n++) table.push(2n * fixedAreaTangent((n << places) / (128n + n), places));
    logarithmTables.set(places, table);
  }
  return table;
}

/** ln 2. */
export function fixedLn2(places: bigint): bigint {
  return logarithmTable(places)[64];
}

/** ln(1 + x) for -1/2 <= x <= 1. */
export function fixedLogarithmOfSuccessor(x: bigint, places: bigint): bigint {
  // About 1, nothing may be added to a small result.
  if (x < 0n || x >> (places - 6n) === 0n) return 2n * fixedAreaTangent((x << places) / ((2n << places) + x), places);
  const n = x >> (places - 6n);
  const base = (1n << places) + (n << (places - 6n));
  const rest = x - (n << (places - 6n));
  // (1 + x) / base = 1 + rest / base.
  const z = (rest << places) / (2n * base + rest);
  return logarithmTable(places)[Number(n)] + 2n * fixedAreaTangent(z, places);
}

/** The arc tangent by its series, for small numbers. */
function arctangentSeries(x: bigint, places: bigint): bigint {
  const square = (x * x) >> places;
  let power = x;
  let total = x;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = scaled(-power * square, places);
    total += power / k;
  }
  return total;
}

const arctangentTables = new Map<bigint, bigint[]>();

/** The arc tangents of n / 32 for n from 0 to 32, computed once for each number of places. */
function arctangentTable(places: bigint): bigint[] {
  let table = arctangentTables.get(places);
  if (table === undefined) {
    // From one to the next by the addition theorem: (b - a) / (1 + a * b), in 32nds.
    table = [0n];
    for (let n = 0n; n < 32n; n++) {
      table.push(table[Number(n)] + arctangentSeries((32n << places) / (1024n + n * (n + 1n)), places));
    }
    arctangentTables.set(places, table);
  }
  return table;
}

/** The arc tangent of a number from 0 to 1. */
export function fixedArctangent(x: bigint, places: bigint): bigint {
  const n = x >> (places - 5n);
  const near = n << (places - 5n);
  const rest = ((x - near) << places) / ((1n << places) + ((x * near) >> places));
  return arctangentTable(places)[Number(n)] + arctangentSeries(rest, places);
}

const piByPlaces = new Map<bigint, bigint>();

/** Pi, by Machin's formula. */
export function fixedPi(places: bigint): bigint {
  let pi = piByPlaces.get(places);
  if (pi === undefined) {
    const more = places + 16n;
    const inverse = (n: bigint): bigint => arctangentSeries((1n << more) / n, more);
    pi = (16n * inverse(5n) - 4n * inverse(239n)) >> 16n;
    piByPlaces.set(places, pi);
  }
  return pi;
}
