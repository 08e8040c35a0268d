/* The audit's second half: bodies in segment files.  Addresses are collected from the rows, sorted, and every file is read once from its first
 * byte to its last.  One thread. */
#ifndef STORE_AUDIT_BODIES_H
#define STORE_AUDIT_BODIES_H

#include "store/audit.h"
#include "store/segment.h"

struct bodies;
struct bodies *bodies_new(void);
void bodies_free(struct bodies *b);
DEFINE_AUTO(struct bodies *, bodies_free)
void bodies_add(struct bodies *b, const char *table, const char *column, const char *row,
                const struct address *at);
/* Reads what is in the folder up to the tail. */
void bodies_check(struct bodies *b, int store_dir, const struct segment_tail *tail,
                  void (*finding)(void *self, const struct audit_finding *found), void *self,
                  struct audit_counts *counts);

#endif
