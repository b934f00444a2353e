/** Timers that are never early, on any host with setTimeout. */

const nanosecondsPerMillisecond = 1e6;
/** The longest time that setTimeout takes, in milliseconds. */
const longestTimeout = 0x7fffffff;

/**
 * Calls back once after a time in nanoseconds.
 * @param monotonicTime a clock in nanoseconds
 * @returns a function that calls it off
 */
export function callAfter(monotonicTime: () => number, nanoseconds: number, callback: () => void): () => void {
  const deadline = monotonicTime() + nanoseconds;
  let timer: ReturnType<typeof setTimeout>;
  // A timer of the host may be early by part of a millisecond, and cannot be very late.
  const wait = (left: number): void => {
    const milliseconds = Math.ceil(left / nanosecondsPerMillisecond);
    timer = setTimeout(check, Math.min(longestTimeout, Math.max(1, milliseconds)));
  };
  const check = (): void => {
    const left = deadline - monotonicTime();
    if (left > 0) wait(left);
    else callback();
  };
  wait(nanoseconds);
  return () => clearTimeout(timer);
}
