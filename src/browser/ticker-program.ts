/**
 * The thread of a browser's ticker, as the text of a worker: sleeps until the next tick or deadline, then sets the word
 * that makes a guest's thread leave translated code. control: how often something changed, milliseconds of a tick.
 */
export const tickerProgram = `
onmessage = ({ data: { words, index, control, deadline } }) => {
  postMessage('ready');
  let passed = 0;
  for (;;) {
    const changes = Atomics.load(control, 0);
    const tick = control[1];
    const left = deadline[0] - performance.timeOrigin - performance.now();
    const first = left <= 0 && deadline[0] !== passed;
    if (first) passed = deadline[0];
    const wait = first ? 0 : left > 0 ? Math.min(left, tick) : tick;
    if (Atomics.wait(control, 0, changes, wait) === 'timed-out') Atomics.store(words, index, 1);
  }
};
`;
