/* What the log says of the rows.  For every row that a group of units writes, changes or deletes, the journal has an entry: table, key and the
 * digest of all column bytes as they stand in the file afterwards.  The entries of a group are one blob, the blob's digest is what a leaf of
 * kind "rows" commits to.  So the last entry of a key says what its row must be, and `store_audit` compares.
 *
 * The thread that makes a unit computes its entries; the writer only those of rows that get a number from it and of rows that a change
 * returned.  Digests are over ciphertext where content is sealed, so a destroyed key leaves the log verifiable.  Where a body lies (day,
 * number, offset) is given later and is not covered: its length and digest are, and a wrong place has other bytes. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/buf.h"
#include "store/table.h"

#define JOURNAL_KEY 16
#define JOURNAL_LEAF "rows"

struct journal_entry {
    uint8_t table; /* number of JOURNALED */
    uint8_t key[JOURNAL_KEY];
    digest row; /* all zero: the row was deleted */
};
_Static_assert(sizeof(struct journal_entry) == 1 + JOURNAL_KEY + 32, "entries are stored as they are");

/* 0: the log does not cover this row. */
uint8_t journal_number(enum row_kind kind);
/* ROW_KIND_COUNT when there is none. */
enum row_kind journal_kind(uint8_t number);
/* Prefix of the printed id. */
const char *journal_prefix(enum row_kind kind);

/* values as table_values or sql_values give them. */
struct journal_entry journal_entry_of(enum row_kind kind, const struct value *values);
struct journal_entry journal_entry_gone(enum row_kind kind, const struct value *values);
/* Values that are covered: not where a body lies, and neither NULL nor 0, so that a column that is added later changes no digest. */
bool journal_covers_value(const struct column *c, size_t part, const struct value *v);

/* Entries of all rows of the unit that do not wait for a number or for whether they are there, into u->journal. */
void journal_unit(struct unit *u);
bool journal_waits_for_number(enum row_kind kind);

/* What the leaf of a blob commits to. */
digest journal_commitment(view salt, view entries);

#endif
