/*
 * Runs x87 instructions on the processor itself, one case after the other from standard input to standard output.
 *
 * A case (160 bytes): the x87 state as fnsave stores it (108 bytes, 32-bit layout), EFLAGS (4), a memory operand (16),
 * the length of the code (4) and the code (28), which finds the operand's address in RDX. The answer (128 bytes): state,
 * EFLAGS, operand. RAX goes in as 0 and its low half comes out in the answer's EFLAGS, bits 16 to 31 (fnstsw ax).
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct test {
  uint8_t state[108];
  uint32_t flags;
  uint8_t memory[16];
  uint32_t length;
  uint8_t code[28];
};

struct answer {
  uint8_t state[108];
  uint32_t flags;
  uint8_t memory[16];
};

int main(void) {
  /* push rbx; mov rbx, rsi; frstor [rdi]; push rcx; popf; xor-free zero of eax */
  static const uint8_t before[] = { 0x53, 0x48, 0x89, 0xf3, 0xb8, 0, 0, 0, 0, 0xdd, 0x27, 0x51, 0x9d };
  /* pushf; pop rcx; fnsave [rbx]; mov [rbx + 108], cx; mov [rbx + 110], ax; cld; pop rbx; ret */
  static const uint8_t after[] = { 0x9c, 0x59, 0xdd, 0x33, 0x66, 0x89, 0x4b, 0x6c, 0x66, 0x89, 0x43, 0x6e, 0xfc, 0x5b, 0xc3 };
  uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (page == MAP_FAILED) return 1;
  void (*run)(void *state, void *answer, void *memory, uint64_t flags) = (void (*)(void *, void *, void *, uint64_t))page;
  static struct test test;
  static struct answer answer;
  while (fread(&test, sizeof test, 1, stdin) == 1) {
    uint8_t *at = page;
    memcpy(at, before, sizeof before);
    at += sizeof before;
    memcpy(at, test.code, test.length);
    at += test.length;
    memcpy(at, after, sizeof after);
    memcpy(answer.memory, test.memory, 16);
    run(test.state, &answer, answer.memory, test.flags);
    fwrite(&answer, sizeof answer, 1, stdout);
  }
  return 0;
}
