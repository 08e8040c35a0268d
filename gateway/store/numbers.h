/* The numbers that the writer gives: the next feed number of every recipient and the next leaf of the
 * log.  They have no gaps, so a unit that is refused gives its numbers back.  Belongs to the writer's
 * thread. */
#ifndef STORE_NUMBERS_H
#define STORE_NUMBERS_H

#include "store/store.h"

struct numbers;

/* load answers the highest number a recipient has in the database (0 when none); false when the database
 * failed. */
struct numbers *numbers_new(bool (*load)(void *self, const uid *recipient, int64_t *ret), void *self);
void numbers_free(struct numbers *n);
DEFINE_AUTO(struct numbers *, numbers_free)

void numbers_set_leaf(struct numbers *n, int64_t next);
int64_t numbers_leaf(const struct numbers *n);

/* From here on, until the next begin, numbers can be given back. */
void numbers_unit_begin(struct numbers *n);
void numbers_unit_undo(struct numbers *n);
/* Forgets what is known of recipients and goes back to this leaf: the whole transaction was rolled back. */
void numbers_reset(struct numbers *n, int64_t next_leaf);

int64_t numbers_take_leaf(struct numbers *n);
/* False when the database failed. */
bool numbers_take_event(struct numbers *n, const uid *recipient, int64_t *ret) MUST_USE;

#endif
