/* The audit's expectations: what the journal's last entry of each key says, for some tables at a time.  One thread. */
#ifndef STORE_AUDIT_ROWS_H
#define STORE_AUDIT_ROWS_H

#include "store/audit.h"
#include "store/journal.h"

#include <sqlite3.h>

struct expected;
/* Room for n entries. */
struct expected *expected_new(uint64_t n);
void expected_free(struct expected *x);
DEFINE_AUTO(struct expected *, expected_free)
/* Later entries of the same key take the place of earlier ones.  False when there is no room: the journal holds more than was counted. */
bool expected_put(struct expected *x, const struct journal_entry *e);

enum expected_match { MATCH_SAME, MATCH_OTHER, MATCH_UNKNOWN };
/* Marks the key as seen. */
enum expected_match expected_see(struct expected *x, const struct journal_entry *found);
/* The digest's first half that is kept of a key; only after MATCH_OTHER. */
#define EXPECTED_HALF 16
void expected_half(const struct expected *x, const struct journal_entry *found, uint8_t ret[EXPECTED_HALF]);
/* Every key that should be there and was not seen. */
void expected_missing(const struct expected *x,
                      void (*each)(void *self, enum row_kind kind, const uint8_t key[JOURNAL_KEY]),
                      void *self);

/* Which single bit, changed back, gives the digest whose first half is known; fills column, class_of and bit.  Rows with long values: only short
 * values are tried, and a long one is named when it is the only one. */
bool audit_locate(enum row_kind kind, const struct value *values, const uint8_t half[EXPECTED_HALF],
                  struct audit_finding *f);

#endif
