/*
 * An interpreter for a small stack machine, dispatching by `switch`. The program that it runs counts
 * the steps of Collatz sequences, and looks up and updates a small table on the way.
 */
#include "benchmarks.h"

#include <stdio.h>

enum operation { PUSH, LOAD, STORE, ADD, SUBTRACT, MULTIPLY, AND, SHIFT_RIGHT, LESS, JUMP, JUMP_IF_ZERO, FETCH, PUT, HALT };

/* Variables of the program below. */
enum { LIMIT, START, VALUE, STEPS, TOTAL, VARIABLES };

/* clang-format off */
static const int program[] = {
  /*  0 */ PUSH, 1, STORE, START,
  /*  4 next start */ LOAD, START, LOAD, LIMIT, LESS, JUMP_IF_ZERO, 72,
  /* 11 */ LOAD, START, STORE, VALUE, PUSH, 0, STORE, STEPS,
  /* 19 next step */ PUSH, 1, LOAD, VALUE, LESS, JUMP_IF_ZERO, 52,
  /* 26 */ LOAD, STEPS, PUSH, 1, ADD, STORE, STEPS,
  /* 33 */ LOAD, VALUE, PUSH, 1, AND, JUMP_IF_ZERO, 73,
  /* 40 odd */ LOAD, VALUE, PUSH, 3, MULTIPLY, PUSH, 1, ADD, STORE, VALUE, JUMP, 19,
  /* 52 sequence ended */ LOAD, STEPS, LOAD, STEPS, FETCH, PUSH, 1, ADD, PUT,
  /* 61 */ LOAD, START, PUSH, 1, ADD, STORE, START, JUMP, 4, 0, 0,
  /* 72 */ HALT,
  /* 73 even */ LOAD, VALUE, PUSH, 1, SHIFT_RIGHT, STORE, VALUE, JUMP, 19,
};
/* clang-format on */

static uint32_t interpret(const int *code, int *variables, int *table) {
  int stack[64], *top = stack;
  uint32_t executed = 0;
  const int *at = code;
  for (;;) {
    executed++;
    switch (*at++) {
      case PUSH: *top++ = *at++; break;
      case LOAD: *top++ = variables[*at++]; break;
      case STORE: variables[*at++] = *--top; break;
      case ADD: top--, top[-1] += top[0]; break;
      case SUBTRACT: top--, top[-1] -= top[0]; break;
      case MULTIPLY: top--, top[-1] *= top[0]; break;
      case AND: top--, top[-1] &= top[0]; break;
      case SHIFT_RIGHT: top--, top[-1] >>= top[0]; break;
      case LESS: top--, top[-1] = top[-1] < top[0]; break;
      case JUMP: at = code + *at; break;
      case JUMP_IF_ZERO: at = *--top == 0 ? code + *at : at + 1; break;
      case FETCH: top[-1] = table[top[-1] & 255]; break;
      case PUT: top -= 2, table[top[0] & 255] = top[1]; break;
      case HALT: return executed;
    }
  }
}

void run_bytecode(double scale) {
  int variables[VARIABLES] = { 0 };
  static int table[256];
  uint32_t executed = 0, checksum = 0;
  for (uint32_t round = repetitions(80, scale); round > 0; round--) {
    variables[LIMIT] = 3000 + (int)(round % 8);
    executed += interpret(program, variables, table);
  }
  for (int i = 0; i < 256; i++) checksum = fold(checksum, (uint32_t)table[i]);
  printf("bytecode: %u operations, %08x\n", (unsigned)executed, (unsigned)checksum);
}
