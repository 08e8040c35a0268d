/* The government's open accident data (CSV, one row per party, 51 columns with labels and no codes, names or case numbers): read, put together to accidents,
 * and measured against the code tables.
 *
 * Everything is borrowed from the CSV text or lives in the arena.  One thread.  No I/O. */
#ifndef ADAPTERS_POLICE_OPEN_DATA_H
#define ADAPTERS_POLICE_OPEN_DATA_H

#include "adapters/police/codes.h"
#include "base/arena.h"
#include "base/err.h"

enum open_column {
#define OPEN(id, name) OPEN_##id,
#define OPEN_CODE(id, name, place, member, column) OPEN_##id,
#define OPEN_MAJOR(id, name, column) OPEN_##id,
#define OPEN_MINOR(id, name, place, member, column) OPEN_##id,
#include "adapters/police/open_data.def"
#undef OPEN
#undef OPEN_CODE
#undef OPEN_MAJOR
#undef OPEN_MINOR
    OPEN_COUNT
};

enum open_kind { OPEN_IS_PLAIN, OPEN_IS_CODE, OPEN_IS_MAJOR, OPEN_IS_MINOR };
enum open_place { PLACE_NONE, PLACE_CONDITION, PLACE_ACCIDENT, PLACE_PARTY };

struct open_column_row {
    const char *name;
    enum open_kind kind;
    enum open_place place;
    const char *member;        /* of the record */
    enum police_column column; /* not of plain ones */
};
const struct open_column_row *open_column_of(enum open_column c);

struct open_row {
    view fields[OPEN_COUNT];
    uint32_t line; /* in the file, from 1 */
};

struct open_accident {
    const struct open_row *rows; /* in the order of the form */
    size_t n;
};

struct open_data {
    struct open_accident *accidents; /* in the order in which they begin in the file */
    size_t n, rows;
    size_t skipped;   /* lines that are no row: notes behind the table */
    size_t differing; /* rows whose accident is described otherwise than in its first row */
};

/* RFC 4180 with or without a byte order mark; columns are found by their names in the first line, further ones are ignored.  One accident = one date, time,
 * agency, place and coordinates.  E_SYNTAX with the line; E_TOO_LARGE. */
err open_data_read(view csv, arena *mem, struct open_data *ret, struct fault *f) MUST_USE;
/* Which edition of the form its labels are of: the one that resolves more of them, and by the date (new from 2023-07-01) when both do alike. */
enum police_era open_accident_era(const struct open_accident *a);

/* How much of what stands in each column is understood; blank fields do not count. */
struct open_tally {
    uint64_t values[OPEN_COUNT], resolved[OPEN_COUNT];
};
void open_tally_add(struct open_tally *t, const struct open_accident *a);
/* Over the columns that hold values of the form. */
void open_tally_sum(const struct open_tally *t, uint64_t *ret_values, uint64_t *ret_resolved);

/* Forms that the plain columns have. */
bool open_time(const struct open_row *r, char out[32]); /* YYYY-MM-DDThh:mm:ss+08:00 */
bool open_casualties(const struct open_row *r, int64_t *ret_dead, int64_t *ret_injured);
/* "臺南市", "北門區" at the front of the place; empty when they are not there. */
void open_county_town(view place, view *ret_county, view *ret_town);

#endif
