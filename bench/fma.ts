/** Fused multiply-add: the host's through WebAssembly against exact software. `node bench/fma.ts` */
import Benchmark from 'benchmark';
import { fmaSoftware, hostFma } from '../translators/float/fma.ts';

const count = 1024;
const a = Float64Array.from({ length: count }, () => Math.random() * 2 - 1);
const b = Float64Array.from({ length: count }, () => Math.random() * 2 - 1);
const c = Float64Array.from({ length: count }, () => Math.random() * 2 - 1);
let checksum = 0;

/** A loop of its own for each candidate, so that each is compiled for its one callee. */
function loop(fma: (a: number, b: number, c: number) => number): () => void {
  const body = 'let sum = 0; for (let i = 0; i < a.length; i++) sum += fma(a[i], b[i], c[i]); return sum;';
  const run = new Function('fma', 'a', 'b', 'c', body);
  return () => {
    checksum += run(fma, a, b, c);
  };
}

const suite = new Benchmark.Suite();
suite.add(
  'rounded twice',
  loop((x, y, z) => x * y + z),
);
suite.add('software', loop(fmaSoftware));
const host = hostFma();
if (host !== undefined) suite.add('WebAssembly', loop(host));
suite.on('cycle', (event: Benchmark.Event) => {
  const nanoseconds = 1e9 / ((event.target.hz as number) * count);
  console.log(`${String(event.target.name).padEnd(16)} ${nanoseconds.toFixed(2).padStart(8)} ns each`);
});
suite.on('complete', () => console.log(`checksum ${checksum}`));
suite.run();
