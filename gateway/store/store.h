/* The only door to stable storage.  It knows rows, not claims: flow fills a struct unit of rows, guards
 * and changes, and store_commit returns when the whole unit is on stable storage or nothing of it is.  One
 * writer thread commits units in groups (one fsync for all that wait); readers see snapshots.  Sealing,
 * compressing and signing are done before the unit comes here.
 *
 * Rows, queries, guards and changes are tables (rows.def, statements.def).  Bodies go sealed into
 * append-only segment files, synced before the commit that names them; orphans are swept at start.  A
 * failed fsync stops acknowledgements and ends the process through the fatal handler; it is never retried.
 *
 * struct store: any thread.  struct reader: one thread, ≤ 1 s.  Rows that a query returns live in the
 * arena given. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"
#include "base/instant.h"

#include "store/rows.def"

struct address {    /* of a body in a segment file */
    int32_t day;    /* days since 1970 */
    int32_t number; /* of the file within the day */
    int64_t offset;
    int64_t length; /* of the ciphertext; 0 = no body */
    digest check;   /* SHA-256 of the ciphertext */
};

#define COLUMN_TYPE_UID uid
#define COLUMN_TYPE_BLIND digest
#define COLUMN_TYPE_DIGEST digest
#define COLUMN_TYPE_INT int64_t
#define COLUMN_TYPE_TIME instant
#define COLUMN_TYPE_TEXT view
#define COLUMN_TYPE_SEALED view
#define COLUMN_TYPE_ADDRESS struct address
#define COLUMN_TYPE_ASSIGNED int64_t

/* PUT replaces the row with the same primary key; KEEP leaves it as it is. */
enum row_op { ROW_INSERT, ROW_PUT, ROW_KEEP };

#define COLUMN_MEMBER(kind, name) COLUMN_TYPE_##kind name;
#define ROW_STRUCT(word, table, constraints)                                                                 \
    struct row_##word {                                                                                      \
        COLUMNS_##word(COLUMN_MEMBER) enum row_op op;                                                        \
        struct row_##word *next;                                                                             \
    };
ROWS(ROW_STRUCT)

enum row_kind {
#define ROW_KIND(word, table, constraints) ROW_##word,
    ROWS(ROW_KIND)
#undef ROW_KIND
        ROW_KIND_COUNT
};

/* -- arguments -- */
struct value {
    enum { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BLOB } kind;
    int64_t number;
    view bytes;
};
static inline struct value
val_int(int64_t n)
{
    return (struct value){.kind = VALUE_INT, .number = n};
}
static inline struct value
val_time(instant t)
{
    return (struct value){.kind = t.us ? VALUE_INT : VALUE_NULL, .number = t.us};
}
static inline struct value
val_text(view v)
{
    return (struct value){.kind = v.p ? VALUE_TEXT : VALUE_NULL, .bytes = v};
}
static inline struct value
val_blob(view v)
{
    return (struct value){.kind = v.p ? VALUE_BLOB : VALUE_NULL, .bytes = v};
}
/* u must outlive the call */
static inline struct value
val_uid(const uid *u)
{
    return (struct value){.kind = uid_is_none(*u) ? VALUE_NULL : VALUE_BLOB, .bytes = uid_view(u)};
}
static inline struct value
val_digest(const digest *d)
{
    return (struct value){.kind = VALUE_BLOB, .bytes = digest_view(d)};
}
#define ARGS(...)                                                                                            \
    (const struct value[]){__VA_ARGS__}, sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)
#define NO_ARGS NULL, 0

/* -- opening -- */
struct store;

struct store_options {
    const char *dir;
    int readers;
    int64_t group_window_us;
    bool read_only;
    /* Hash of the leaf whose columns these are (commitment, kind, ref, at).  With it every group that writes rows
     * has a leaf of kind "rows" that covers them all (rows.def JOURNALED); NULL: the log has only the leaves that units bring. */
    digest (*leaf_hash)(const struct row_leaf *leaf);
    void (*fatal)(void *self,
                  const char *what); /* called once when stable storage failed; must not return to serving */
    void *self;
};

/* Creates or opens; takes the lock file (E_STORE when another process holds it); checks the schema
 * version; sweeps orphans; recovers after an unclean end. */
err store_open(const struct store_options *o, struct store **ret, struct fault *f) MUST_USE;
/* Waits for units in the queue. */
void store_close(struct store *s);
DEFINE_AUTO(struct store *, store_close)
/* Writable and not failed. */
bool store_is_ready(const struct store *s);
int store_schema_version(void);

/* -- reading -- */
struct reader;
/* Waits for a free connection, at most 5 s, then E_BUSY.  One snapshot from the first query to
 * reader_done. */
err store_reader(struct store *s, struct reader **ret) MUST_USE;
void reader_done(struct reader *r);
DEFINE_AUTO(struct reader *, reader_done)

enum query {
#define QUERY(name, row, sql) QUERY_##name,
#include "store/statements.def"
#undef QUERY
    QUERY_COUNT
};
/* Generic form behind the typed ones below: first row in *ret (NULL when none), chained by next. */
err store_query(struct reader *r, enum query q, const struct value *args, size_t n, arena *mem, void **ret)
    MUST_USE;
/* query_documents_of_case(reader, ARGS(val_uid(&id)), mem, &first) */
#define QUERY(name, row, sql)                                                                                \
    static inline MUST_USE err query_##name(struct reader *r, const struct value *args, size_t n,            \
                                            arena *mem, struct row_##row **ret)                              \
    {                                                                                                        \
        void *first = NULL;                                                                                  \
        err e = store_query(r, QUERY_##name, args, n, mem, &first);                                          \
        if (e == E_OK)                                                                                       \
            *ret = first;                                                                                    \
        return e;                                                                                            \
    }
#include "store/statements.def"
#undef QUERY

/* Ciphertext of a body; E_STORE_CORRUPT when its check differs. */
err store_body(struct store *s, const struct address *at, arena *mem, view *ret) MUST_USE;
/* Leaves in the log now (committed). */
uint64_t store_log_length(struct store *s);
/* Hash of leaf i; reads in blocks. */
err store_leaf_hashes(struct reader *r, uint64_t from, size_t n, digest *ret, size_t *ret_n) MUST_USE;

/* -- writing -- */
enum guard {
#define GUARD(name, code, sql) GUARD_##name,
#include "store/statements.def"
#undef GUARD
    GUARD_COUNT
};
enum change {
#define CHANGE(name, sql) CHANGE_##name,
#include "store/statements.def"
#undef CHANGE
    CHANGE_COUNT
};

#define UNIT_ARGS_MAX 6
struct unit_guard {
    enum guard guard;
    struct value args[UNIT_ARGS_MAX];
    size_t n;
    struct unit_guard *next;
};
struct unit_change {
    enum change change;
    struct value args[UNIT_ARGS_MAX];
    size_t n;
    int64_t affected; /* filled by the writer */
    struct unit_change *next;
};
struct unit_body { /* a sealed body; the writer fills *at before the row that holds it is inserted */
    view sealed;
    struct address *at;
    struct unit_body *next;
};

/* Everything in a unit lives in its arena and is only read by the writer while store_commit waits. Order:
 * guards, bodies, changes, rows in table order, each list in order of addition. ASSIGNED columns: an
 * event's seq is the recipient's next number, a leaf's seq the next index; both are written back into the
 * row. */
struct unit {
    arena *mem;
    struct unit_guard *guards, *last_guard;
    struct unit_change *changes, *last_change;
    struct unit_body *bodies, *last_body;
    void *rows[ROW_KIND_COUNT], *last_row[ROW_KIND_COUNT];
    view journal;     /* entries of its rows, made by store_commit (journal.h) */
    bool failed;      /* the arena's ceiling was hit */
    int failed_guard; /* enum guard, -1 = none */
};

void unit_init(struct unit *u, arena *mem);
/* args are copied (their bytes are borrowed until the commit). */
void unit_guard(struct unit *u, enum guard g, const struct value *args, size_t n);
struct unit_change *unit_change(struct unit *u, enum change c, const struct value *args, size_t n);
void unit_body(struct unit *u, view sealed, struct address *at);
/* struct row_claim *row = unit_add_claim(u): zeroed, chained, NULL when the arena is full (then
 * u->failed). */
void *unit_add_row(struct unit *u, enum row_kind kind, size_t size);
#define UNIT_ADD(word, table, constraints)                                                                   \
    static inline struct row_##word *unit_add_##word(struct unit *u)                                         \
    {                                                                                                        \
        return unit_add_row(u, ROW_##word, sizeof(struct row_##word));                                       \
    }
ROWS(UNIT_ADD)
#undef UNIT_ADD

/* E_OK: durable.  A guard's code (nothing stored, u->failed_guard).  E_STALE also when a UNIQUE or PRIMARY
 * KEY stands against an insert: read again and rebuild. E_STORE: the store has failed.  E_BUSY: the queue
 * is full. */
err store_commit(struct store *s, struct unit *u) MUST_USE;
/* The same without waiting for company: used where latency counts more than rate (withdrawal). */
err store_commit_now(struct store *s, struct unit *u) MUST_USE;

/* Expected columns of every row, for `claimgate migrate` and the audit: "table\tcolumn\tkind\n". */
view store_schema_text(arena *mem);

#endif
