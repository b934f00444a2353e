/** V8's listings, as V8 13 writes them. */
import { expect, test } from 'vitest';
import { ListingReader, type V8Code } from '../../src/inspect/v8-code.ts';

function read(text: string): V8Code[] {
  const found: V8Code[] = [];
  const reader = new ListingReader((code) => found.push(code));
  for (const line of text.split('\n')) reader.line(line);
  return found;
}

const optimized = `--- Raw source ---
(depth) {
const S = stateI32;

return S[1];
})

--- Optimized code ---
optimization_id = 116
source_position = 460
kind = TURBOFAN_JS
name = loop_10000064
compiler = turbofan
address = 0x2b4c8c836971

Instructions (size = 792)
0x7fa1bc072740     0  55                   push rbp
0x7fa1bc072747     7  cc                   int3l
0x7fa1bc072748     8  4c8d942498000000     REX.W leaq r10,[rsp+0x98]
0x7fa1bc072765    25  0f8699010000         jna 0x7fa1bc072904  <+0x1c4>
0x7fa1bc0727b0    70  49bbe91bec92ad270000 REX.W movq r11,0x27ad92ec1be9    ;; object: 0x27ad92ec1be9 <Map[104](INT32ELEMENTS)>
0x7fa1bc07283c    fc  0f1f4000             nop
0x7fa1bc072928   1e8  e85340e01f           call 0x7fa1dbe76980  (CEntry_Return1)    ;; near builtin entry
0x7fa1bc072a1c   2dc  41ff55d8             call [r13-0x28]    ;; debug: deopt position, script offset '2d8'
                                                             ;; debug: deopt reason 'not a Smi'

Source positions:
 pc offset  position
        1a       460
       1c4       728

Inlined functions (count = 2)
 0x1 is not an instruction

--- End code ---
`;

test('instructions, positions and source of optimized JavaScript are read; padding and comments are left out', () => {
  const [code, ...others] = read(`${optimized}--- Optimized code ---\ncompiler = turbofan\n--- End code ---`);
  expect(others).toEqual([]);
  expect(code).toMatchObject({ name: 'loop_10000064', compiler: 'turbofan', sourcePosition: 460, inlined: 2 });
  expect(code.source).toBe('(depth) {\nconst S = stateI32;\n\nreturn S[1];\n})');
  expect(code.positions).toEqual([
    { offset: 0x1a, position: 460 },
    { offset: 0x1c4, position: 728 },
  ]);
  expect(code.instructions).toEqual([
    { offset: 0, text: 'push rbp' },
    { offset: 8, text: 'leaq r10,[rsp+0x98]' },
    { offset: 0x25, text: 'jna <+0x1c4>' },
    { offset: 0x70, text: 'movq r11,0x27ad92ec1be9    ;; object: <Map[104](INT32ELEMENTS)>' },
    { offset: 0x1e8, text: 'call (CEntry_Return1)    ;; near builtin entry' },
    { offset: 0x2dc, text: 'call [r13-0x28]' },
  ]);
});

test('functions of WebAssembly are told apart, and one that is cut off is left out', () => {
  const one = (name: string, text: string): string =>
    `--- WebAssembly code ---\nname: ${name}\nindex: 1\nkind: wasm function\ncompiler: TurboFan\nBody (size = 64 = 28 + 36 padding)\nInstructions (size = 16)\n0x36ea1d12484e     e  c3                   ${text}\n\nSafepoints (stack slots = 4)\n\n--- End code ---\n`;
  const whole = one('first', 'retl') + one('second', 'push 0x8');
  expect(read(whole).map(({ name, instructions }) => [name, instructions[0].text])).toEqual([
    ['first', 'retl'],
    ['second', 'push 0x8'],
  ]);
  expect(read(whole.slice(0, -20)).map(({ name }) => name)).toEqual(['first']);
});
