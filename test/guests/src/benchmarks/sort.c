/* Sorting: the C library's qsort, and quicksort, merge sort and heap sort of our own. */
#include "benchmarks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 100000

static int32_t values[COUNT], sorted[COUNT], scratch[COUNT];

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void quicksort(int32_t *a, int low, int high) {
  while (low < high) {
    int32_t pivot = a[low + (high - low) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) {
        int32_t swapped = a[i];
        a[i++] = a[j], a[j--] = swapped;
      }
    }
    if (j - low < high - i) {
      quicksort(a, low, j);
      low = i;
    } else {
      quicksort(a, i, high);
      high = j;
    }
  }
}

static void merge_sort(int32_t *a, int32_t *spare, int count) {
  if (count < 2) return;
  int half = count / 2;
  merge_sort(a, spare, half);
  merge_sort(a + half, spare, count - half);
  memcpy(spare, a, (size_t)half * sizeof *a);
  for (int i = 0, j = half, k = 0; i < half; k++) a[k] = j < count && a[j] < spare[i] ? a[j++] : spare[i++];
}

static void sift_down(int32_t *a, int root, int count) {
  int32_t value = a[root];
  for (int child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && a[child + 1] > a[child]) child++;
    if (a[child] <= value) break;
    a[root] = a[child];
  }
  a[root] = value;
}

static void heap_sort(int32_t *a, int count) {
  for (int root = count / 2 - 1; root >= 0; root--) sift_down(a, root, count);
  for (int end = count - 1; end > 0; end--) {
    int32_t largest = a[0];
    a[0] = a[end], a[end] = largest;
    sift_down(a, 0, end);
  }
}

static uint32_t digest(const int32_t *a) {
  uint32_t checksum = 0;
  for (int i = 0; i < COUNT; i++) checksum = fold(checksum, (uint32_t)a[i]);
  return checksum;
}

void run_sort(double scale) {
  uint32_t seed = 11, checksum = 0;
  for (uint32_t round = repetitions(16, scale); round > 0; round--) {
    for (int i = 0; i < COUNT; i++) values[i] = (int32_t)next_random(&seed);
    memcpy(sorted, values, sizeof values);
    qsort(sorted, COUNT, sizeof sorted[0], compare);
    uint32_t expected = digest(sorted);
    memcpy(sorted, values, sizeof values);
    quicksort(sorted, 0, COUNT - 1);
    if (digest(sorted) != expected) puts("sort: quicksort differs from qsort");
    memcpy(sorted, values, sizeof values);
    merge_sort(sorted, scratch, COUNT);
    if (digest(sorted) != expected) puts("sort: merge_sort differs from qsort");
    heap_sort(values, COUNT);
    if (digest(values) != expected) puts("sort: heap_sort differs from qsort");
    checksum = fold(checksum, expected);
  }
  printf("sort: %08x\n", (unsigned)checksum);
}
