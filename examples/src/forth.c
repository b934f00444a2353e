/*
 * A small Forth: `forth [FILE...]`, or lines from standard input. Ordinary C with the C library.
 *
 * A program is a sequence of words. Numbers go to the stack, words act on it; `: NAME ... ;` defines
 * a new word. Definitions are compiled to cells (indices of words, with operands behind some), which
 * `execute` runs. Addresses are indices of cells.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define CELLS 65536
#define DEPTH 256
#define WORDS 512

typedef int32_t cell;

enum operation {
  /* Compiled only; the operands follow in memory. */
  ENTER, LITERAL, BRANCH, BRANCH_IF_ZERO, TEXT, LEAVE_WORD, DO, LOOP, PLUS_LOOP, ADDRESS, CONSTANT_VALUE,
  /* Words that act while a definition is compiled. */
  SEMICOLON, IF, ELSE, THEN, BEGIN, UNTIL, WHILE, REPEAT, AGAIN, COMPILE_DO, COMPILE_LOOP, COMPILE_PLUS_LOOP,
  PRINT_TEXT, PARENTHESIS, BACKSLASH, RECURSE,
  /* Ordinary words. */
  COLON, VARIABLE, CONSTANT, CREATE, ALLOT, HERE, COMMA, FETCH, STORE, ADD_STORE,
  ADD, SUBTRACT, MULTIPLY, DIVIDE, MODULO, NEGATE, ABSOLUTE, MINIMUM, MAXIMUM, AND, OR, XOR, INVERT, LEFT, RIGHT,
  EQUAL, UNEQUAL, LESS, GREATER, IS_ZERO, IS_NEGATIVE,
  DUP, DROP, SWAP, OVER, ROT, QUESTION_DUP, TWO_DUP, TWO_DROP, TO_R, FROM_R, R_FETCH, INDEX, OUTER_INDEX, EXIT, UNLOOP,
  DOT, DOT_RIGHT, EMIT, NEW_LINE, SPACE, SPACES, DOT_STACK, SHOW_WORDS, MILLISECONDS, BYE,
};

struct word {
  char name[24];
  enum operation operation;
  int immediate;
  cell body;
};

static struct word words[WORDS];
static int word_count;
static cell memory[CELLS], here;
static cell stack[DEPTH], returns[DEPTH];
static int depth, return_depth;
static int compiling;
static char *line, *at;
static jmp_buf failed;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  longjmp(failed, 1);
}

static void push(cell value) {
  if (depth == DEPTH) fail("the stack is full");
  stack[depth++] = value;
}

static cell pop(void) {
  if (depth == 0) fail("the stack is empty");
  return stack[--depth];
}

static void push_return(cell value) {
  if (return_depth == DEPTH) fail("the return stack is full");
  returns[return_depth++] = value;
}

static cell pop_return(void) {
  if (return_depth == 0) fail("the return stack is empty");
  return returns[--return_depth];
}

static cell *cell_at(cell address) {
  if (address < 0 || address >= CELLS) fail("%d is not an address", (int)address);
  return &memory[address];
}

static void compile(cell value) {
  if (here < 0 || here >= CELLS) fail("memory is full");
  memory[here++] = value;
}

static char *next_token(void) {
  while (isspace((unsigned char)*at)) at++;
  if (!*at) return NULL;
  char *token = at;
  while (*at && !isspace((unsigned char)*at)) at++;
  if (*at) *at++ = 0;
  return token;
}

static struct word *define(const char *name, enum operation operation, int immediate) {
  if (!name) fail("a name is missing");
  if (word_count == WORDS) fail("the dictionary is full");
  struct word *word = &words[word_count++];
  snprintf(word->name, sizeof word->name, "%s", name);
  word->operation = operation, word->immediate = immediate, word->body = here;
  return word;
}

static struct word *find(const char *name) {
  for (int i = word_count - 1; i >= 0; i--) {
    if (strcasecmp(words[i].name, name) == 0) return &words[i];
  }
  return NULL;
}

/* Text up to a closing character, which is skipped. */
static char *text_until(char end) {
  char *text = at, *stop = strchr(at, end);
  if (!stop) fail("%c is missing", end);
  *stop = 0;
  at = stop + 1;
  return text;
}

static void compile_text(const char *text) {
  size_t length = strlen(text);
  compile(TEXT), compile((cell)length);
  for (size_t i = 0; i < length; i++) compile((unsigned char)text[i]);
}

/* Branches are compiled with their target; a target not known yet is patched when it is. */
static void patch(cell address) { *cell_at(address) = here; }

static cell compile_forward(enum operation operation) {
  compile(operation), compile(0);
  return here - 1;
}

static cell divide(cell a, cell b) {
  if (b == 0) fail("division by zero");
  return b == -1 ? (cell)(0u - (uint32_t)a) : a / b;
}

static void show_words(void) {
  for (int i = 0; i < word_count; i++) {
    if (words[i].name[0]) printf("%s ", words[i].name);
  }
  putchar('\n');
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* One word of the compiler: leaves and takes addresses to patch on the stack. */
static void compile_structure(enum operation operation) {
  cell address;
  if (!compiling && operation != PRINT_TEXT && operation != PARENTHESIS && operation != BACKSLASH) {
    fail("only inside a definition");
  }
  switch (operation) {
    case SEMICOLON: compile(LEAVE_WORD), compiling = 0; break;
    case IF: push(compile_forward(BRANCH_IF_ZERO)); break;
    case ELSE: address = pop(), push(compile_forward(BRANCH)), patch(address); break;
    case THEN: patch(pop()); break;
    case BEGIN: push(here); break;
    case UNTIL: compile(BRANCH_IF_ZERO), compile(pop()); break;
    case AGAIN: compile(BRANCH), compile(pop()); break;
    case WHILE: push(compile_forward(BRANCH_IF_ZERO)); break;
    case REPEAT: address = pop(), compile(BRANCH), compile(pop()), patch(address); break;
    case COMPILE_DO: compile(DO), push(here); break;
    case COMPILE_LOOP: compile(LOOP), compile(pop()); break;
    case COMPILE_PLUS_LOOP: compile(PLUS_LOOP), compile(pop()); break;
    case RECURSE: compile(ENTER), compile(words[word_count - 1].body); break;
    case PARENTHESIS: text_until(')'); break;
    case BACKSLASH: at += strlen(at); break;
    default:
      if (*at == ' ') at++;
      if (compiling) compile_text(text_until('"'));
      else fputs(text_until('"'), stdout);
  }
}

/* Ends a loop's round: 1 when it goes on. */
static int next_round(cell step) {
  if (return_depth < 2) fail("no loop here");
  cell limit = returns[return_depth - 2], before = returns[return_depth - 1];
  cell after = (cell)((uint32_t)before + (uint32_t)step);
  returns[return_depth - 1] = after;
  int crossed = step >= 0 ? before < limit && after >= limit : before >= limit && after < limit;
  if (crossed) return_depth -= 2;
  return !crossed;
}

static cell nested(int level) {
  if (return_depth < 2 * level) fail("no loop here");
  return returns[return_depth - 2 * level + 1];
}

static void act(enum operation operation) {
  cell a, b, c;
  switch (operation) {
    case COLON: define(next_token(), ENTER, 0), compiling = 1; break;
    case VARIABLE: define(next_token(), ADDRESS, 0), compile(0); break;
    case CONSTANT: define(next_token(), CONSTANT_VALUE, 0), compile(pop()); break;
    case CREATE: define(next_token(), ADDRESS, 0); break;
    case ALLOT: here += pop(), cell_at(here); break;
    case HERE: push(here); break;
    case COMMA: compile(pop()); break;
    case FETCH: push(*cell_at(pop())); break;
    case STORE: a = pop(), *cell_at(a) = pop(); break;
    case ADD_STORE: a = pop(), *cell_at(a) += pop(); break;
    case ADD: b = pop(), a = pop(), push((cell)((uint32_t)a + (uint32_t)b)); break;
    case SUBTRACT: b = pop(), a = pop(), push((cell)((uint32_t)a - (uint32_t)b)); break;
    case MULTIPLY: b = pop(), a = pop(), push((cell)((uint32_t)a * (uint32_t)b)); break;
    case DIVIDE: b = pop(), a = pop(), push(divide(a, b)); break;
    case MODULO: b = pop(), a = pop(), push(b == -1 ? 0 : a - divide(a, b) * b); break;
    case NEGATE: push((cell)(0u - (uint32_t)pop())); break;
    case ABSOLUTE: a = pop(), push(a < 0 ? (cell)(0u - (uint32_t)a) : a); break;
    case MINIMUM: b = pop(), a = pop(), push(a < b ? a : b); break;
    case MAXIMUM: b = pop(), a = pop(), push(a > b ? a : b); break;
    case AND: b = pop(), push(pop() & b); break;
    case OR: b = pop(), push(pop() | b); break;
    case XOR: b = pop(), push(pop() ^ b); break;
    case INVERT: push(~pop()); break;
    case LEFT: b = pop(), push((cell)((uint32_t)pop() << (b & 31))); break;
    case RIGHT: b = pop(), push((cell)((uint32_t)pop() >> (b & 31))); break;
    case EQUAL: b = pop(), push(-(pop() == b)); break;
    case UNEQUAL: b = pop(), push(-(pop() != b)); break;
    case LESS: b = pop(), push(-(pop() < b)); break;
    case GREATER: b = pop(), push(-(pop() > b)); break;
    case IS_ZERO: push(-(pop() == 0)); break;
    case IS_NEGATIVE: push(-(pop() < 0)); break;
    case DUP: a = pop(), push(a), push(a); break;
    case DROP: pop(); break;
    case SWAP: b = pop(), a = pop(), push(b), push(a); break;
    case OVER: b = pop(), a = pop(), push(a), push(b), push(a); break;
    case ROT: c = pop(), b = pop(), a = pop(), push(b), push(c), push(a); break;
    case QUESTION_DUP: a = pop(), push(a); if (a) push(a); break;
    case TWO_DUP: b = pop(), a = pop(), push(a), push(b), push(a), push(b); break;
    case TWO_DROP: pop(), pop(); break;
    case TO_R: push_return(pop()); break;
    case FROM_R: push(pop_return()); break;
    case R_FETCH: a = pop_return(), push_return(a), push(a); break;
    case INDEX: push(nested(1)); break;
    case OUTER_INDEX: push(nested(2)); break;
    case UNLOOP: pop_return(), pop_return(); break;
    case DOT: printf("%d ", (int)pop()); break;
    case DOT_RIGHT: a = pop(), b = pop(), printf("%*d", (int)a, (int)b); break;
    case EMIT: putchar(pop()); break;
    case NEW_LINE: putchar('\n'); break;
    case SPACE: putchar(' '); break;
    case SPACES: for (a = pop(); a > 0; a--) putchar(' '); break;
    case DOT_STACK: for (int i = 0; i < depth; i++) printf("%d ", (int)stack[i]); break;
    case SHOW_WORDS: show_words(); break;
    case MILLISECONDS: push((cell)milliseconds()); break;
    case BYE: exit(0);
    default: compile_structure(operation);
  }
}

/* Runs a definition until it ends. Operations below SEMICOLON are followed by their operands. */
static void execute(cell body) {
  int outermost = return_depth;
  cell limit, from;
  const cell *ip = cell_at(body);
  for (;;) {
    enum operation operation = (enum operation)*ip++;
    switch (operation) {
      case ENTER: push_return((cell)(ip + 1 - memory)), ip = cell_at(*ip); break;
      case LITERAL: push(*ip++); break;
      case BRANCH: ip = cell_at(*ip); break;
      case BRANCH_IF_ZERO: ip = pop() == 0 ? cell_at(*ip) : ip + 1; break;
      case DO: from = pop(), limit = pop(), push_return(limit), push_return(from); break;
      case LOOP: ip = next_round(1) ? cell_at(*ip) : ip + 1; break;
      case PLUS_LOOP: ip = next_round(pop()) ? cell_at(*ip) : ip + 1; break;
      case TEXT:
        for (cell length = *ip++; length > 0; length--) putchar(*ip++);
        break;
      case EXIT:
      case LEAVE_WORD:
        if (return_depth == outermost) return;
        ip = cell_at(pop_return());
        break;
      default: act(operation);
    }
  }
}

static void interpret_word(const struct word *word) {
  if (word->immediate) {
    compile_structure(word->operation);
  } else if (compiling) {
    switch (word->operation) {
      case ENTER: compile(ENTER), compile(word->body); break;
      case ADDRESS: compile(LITERAL), compile(word->body); break;
      case CONSTANT_VALUE: compile(LITERAL), compile(memory[word->body]); break;
      default: compile(word->operation);
    }
  } else {
    switch (word->operation) {
      case ENTER: execute(word->body); break;
      case ADDRESS: push(word->body); break;
      case CONSTANT_VALUE: push(memory[word->body]); break;
      case EXIT: fail("only inside a definition"); break;
      default: act(word->operation);
    }
  }
}

static void interpret_line(void) {
  char *token, *end;
  at = line;
  while ((token = next_token()) != NULL) {
    const struct word *word = find(token);
    if (word) {
      interpret_word(word);
      continue;
    }
    cell value = (cell)strtol(token, &end, 0);
    if (*end) fail("%s ?", token);
    if (compiling) compile(LITERAL), compile(value);
    else push(value);
  }
}

/* clang-format off */
static const struct { const char *name; enum operation operation; } primitives[] = {
  { ";", SEMICOLON }, { "if", IF }, { "else", ELSE }, { "then", THEN }, { "begin", BEGIN }, { "until", UNTIL },
  { "while", WHILE }, { "repeat", REPEAT }, { "again", AGAIN }, { "do", COMPILE_DO }, { "loop", COMPILE_LOOP },
  { "+loop", COMPILE_PLUS_LOOP }, { ".\"", PRINT_TEXT }, { "(", PARENTHESIS }, { "\\", BACKSLASH }, { "recurse", RECURSE },
  { ":", COLON }, { "variable", VARIABLE }, { "constant", CONSTANT }, { "create", CREATE }, { "allot", ALLOT },
  { "here", HERE }, { ",", COMMA }, { "@", FETCH }, { "!", STORE }, { "+!", ADD_STORE },
  { "+", ADD }, { "-", SUBTRACT }, { "*", MULTIPLY }, { "/", DIVIDE }, { "mod", MODULO }, { "negate", NEGATE },
  { "abs", ABSOLUTE }, { "min", MINIMUM }, { "max", MAXIMUM }, { "and", AND }, { "or", OR }, { "xor", XOR },
  { "invert", INVERT }, { "lshift", LEFT }, { "rshift", RIGHT }, { "=", EQUAL }, { "<>", UNEQUAL }, { "<", LESS },
  { ">", GREATER }, { "0=", IS_ZERO }, { "0<", IS_NEGATIVE }, { "dup", DUP }, { "drop", DROP }, { "swap", SWAP },
  { "over", OVER }, { "rot", ROT }, { "?dup", QUESTION_DUP }, { "2dup", TWO_DUP }, { "2drop", TWO_DROP }, { ">r", TO_R },
  { "r>", FROM_R }, { "r@", R_FETCH }, { "i", INDEX }, { "j", OUTER_INDEX }, { "exit", EXIT }, { "unloop", UNLOOP },
  { ".", DOT }, { ".r", DOT_RIGHT }, { "emit", EMIT }, { "cr", NEW_LINE }, { "space", SPACE }, { "spaces", SPACES },
  { ".s", DOT_STACK }, { "words", SHOW_WORDS }, { "ms", MILLISECONDS }, { "bye", BYE },
};
/* clang-format on */

static int read_line(FILE *file, int interactive) {
  static size_t capacity;
  if (interactive) printf("%s", compiling ? "... " : "ok> ");
  fflush(stdout);
  return getline(&line, &capacity, file) != -1;
}

/* Interprets a file to its end; an error ends it with status 1, except where a person types. */
static int interpret_file(FILE *file) {
  int interactive = isatty(fileno(file));
  while (read_line(file, interactive)) {
    if (setjmp(failed) == 0) {
      interpret_line();
    } else {
      if (!interactive) return 1;
      depth = return_depth = compiling = 0;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++) {
    define(primitives[i].name, primitives[i].operation, primitives[i].operation >= SEMICOLON && primitives[i].operation <= RECURSE);
  }
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "r");
    if (!file) {
      perror(argv[i]);
      return 1;
    }
    int status = interpret_file(file);
    fclose(file);
    if (status) return status;
  }
  return argc > 1 ? 0 : interpret_file(stdin);
}
