/** The watchdog's thread: counts the time down, and interrupts the guest at its end. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { stepTime, tooLong, type WatchdogData } from './watchdog.ts';

const { interrupt, control } = workerData as WatchdogData;
let { words } = workerData as WatchdogData;

for (;;) {
  Atomics.wait(control, 1, 0, stepTime);
  if (Atomics.load(control, 1) !== 0) break;
  for (let next = receiveMessageOnPort(parentPort!); next !== undefined; next = receiveMessageOnPort(parentPort!)) {
    words = next.message;
  }
  const left = Atomics.load(control, 0);
  if (left <= 0) continue;
  Atomics.sub(control, 0, stepTime);
  if (left <= stepTime) Atomics.store(words, interrupt, tooLong);
}
