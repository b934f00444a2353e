/* Walks linked lists and trees whose nodes lie in random order: loads that depend on loads. */
#include "benchmarks.h"

#include <stdio.h>

#define NODES 65536

struct node {
  struct node *next, *left, *right;
  uint32_t value;
};

static struct node nodes[NODES];
static uint32_t order[NODES];

static void link_randomly(uint32_t *seed) {
  for (uint32_t i = 0; i < NODES; i++) order[i] = i;
  for (uint32_t i = NODES - 1; i > 0; i--) {
    uint32_t j = next_random(seed) % (i + 1), swapped = order[i];
    order[i] = order[j], order[j] = swapped;
  }
  for (uint32_t i = 0; i < NODES; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
    nodes[order[i]].value = next_random(seed);
    nodes[order[i]].left = nodes[order[i]].right = NULL;
  }
}

static void insert(struct node *root, struct node *added) {
  for (;;) {
    struct node **link = added->value < root->value ? &root->left : &root->right;
    if (!*link) {
      *link = added;
      return;
    }
    root = *link;
  }
}

static uint32_t find(const struct node *root, uint32_t value) {
  uint32_t depth = 0;
  while (root && root->value != value) root = value < root->value ? root->left : root->right, depth++;
  return depth;
}

void run_chase(double scale) {
  uint32_t seed = 13, checksum = 0;
  for (uint32_t round = repetitions(10, scale); round > 0; round--) {
    link_randomly(&seed);
    struct node *at = &nodes[0];
    for (uint32_t i = 0; i < NODES * 30u; i++) at = at->next, checksum += at->value ^ i;
    for (uint32_t i = 1; i < NODES; i++) insert(&nodes[0], &nodes[i]);
    for (uint32_t i = 0; i < NODES; i += 2) checksum += find(&nodes[0], nodes[i].value);
  }
  printf("chase: %08x\n", (unsigned)checksum);
}
