/** Random programs with loops, calls and jumps on the interpreter and on qemu-ppc: registers and memory are equal at the end. */
import { afterAll, expect, test } from 'vitest';
import { generator, seed } from '../float/cases.ts';
import { FuzzMachine } from '../fuzz/machine.ts';
import { createProgram } from '../fuzz/programs.ts';
import { QemuRunner } from '../fuzz/qemu.ts';

/** Programs at most, and the time for them in milliseconds. */
const most = 40;
const time = 1500;

const machine = new FuzzMachine();
afterAll(() => machine.close());

if (QemuRunner.available) {
  test.each(['straight', 'branches'] as const)(
    'programs of the kind "%s" end as on qemu-ppc',
    { timeout: 60_000 },
    (kind) => {
      const qemu = new QemuRunner();
      const next = generator(seed);
      const end = performance.now() + time;
      for (let i = 0; i < most && performance.now() < end; i++) {
        const program = createProgram(kind, next(), true);
        expect(qemu.compare(machine, program), `SEED=${seed}, program ${program.seed}`).toEqual([]);
      }
      qemu.close();
    },
  );
} else {
  test('programs for the comparison with qemu-ppc end', () => {
    console.log('left out: random programs against qemu-ppc (needs qemu-ppc)');
    const next = generator(seed);
    for (let i = 0; i < most; i++) {
      const { stops } = machine.run(createProgram('branches', next(), true), 'interpreted');
      expect(stops[0].reason, `SEED=${seed}`).toBe('none');
    }
  });
}
