#include "base/metrics.h"

#include "base/metrics_cells.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Twice the ceiling, so that a probe ends soon. */
#define SLOTS 1024u
_Static_assert(METRIC_SERIES_MOST + 1 <= SLOTS / 2 + 1, "slots for all series");

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const struct metric_row {
    enum kind kind;
    const char *name;
    const char *labels;
    const char *help;
} ROWS[] = {
#define METRIC(id, kind, name, labels, help) [METRIC_##id] = {KIND_##kind, name, labels, help},
#include "base/metrics.def"
#undef METRIC
};

static const char *const KIND_WORDS[] = {"counter", "gauge", "histogram"};

/* OpenTelemetry's bounds for HTTP durations, with finer ones below for commits; in microseconds. */
static const int64_t TIME_BOUNDS[] = {100,     250,     500,     1000,    2500,    5000,   10000,
                                      25000,   50000,   75000,   100000,  250000,  500000, 750000,
                                      1000000, 2500000, 5000000, 7500000, 10000000};
/* For what is counted, not timed. */
static const int64_t UNIT_BOUNDS[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

struct bounds {
    const int64_t *upper;
    uint32_t n;
    bool is_time;
};

/* A histogram's cells: one per bound, one for what lies above, one for the sum. */
struct series {
    char *labels;
    uint32_t cell;
    _Atomic int64_t gauge; /* a set has no meaning in shards */
};

static _Atomic(struct series *) tables[METRIC_COUNT][SLOTS];
static uint32_t series_counts[METRIC_COUNT];
static pthread_mutex_t series_lock = PTHREAD_MUTEX_INITIALIZER;

static struct bounds
bounds_of(enum metric m)
{
    if (view_ends(view_of(ROWS[m].name), V("_seconds")))
        return (struct bounds){TIME_BOUNDS, COUNT_OF(TIME_BOUNDS), true};
    return (struct bounds){UNIT_BOUNDS, COUNT_OF(UNIT_BOUNDS), false};
}

/* FNV-1a: label values are our own words, nobody can aim at the table. */
static uint32_t
hash(const char *text)
{
    uint32_t h = 2166136261u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

/* The slot that holds labels, or the empty one in which they belong. */
static _Atomic(struct series *) *
slot_of(enum metric m, const char *labels)
{
    for (uint32_t at = hash(labels);; at++) {
        _Atomic(struct series *) *slot = &tables[m][at % SLOTS];
        const struct series *s = atomic_load_explicit(slot, memory_order_acquire);
        if (!s || strcmp(s->labels, labels) == 0)
            return slot;
    }
}

static struct series *
series_new(enum metric m, const char *labels)
{
    struct series *s = calloc(1, sizeof *s);
    size_t n = strlen(labels) + 1;
    char *copy = malloc(n);
    if (!s || !copy)
        abort();
    memcpy(copy, labels, n);
    s->labels = copy;
    if (ROWS[m].kind == KIND_COUNTER)
        s->cell = cells_take(1);
    else if (ROWS[m].kind == KIND_HISTOGRAM)
        s->cell = cells_take(bounds_of(m).n + 2);
    return s;
}

/* Past the ceiling everything is counted in one series more, so that no total loses. */
static struct series *
series_add(enum metric m, const char *labels)
{
    if (pthread_mutex_lock(&series_lock) != 0)
        abort();
    _Atomic(struct series *) *slot = slot_of(m, labels);
    if (!atomic_load(slot) && series_counts[m] >= METRIC_SERIES_MOST) {
        labels = METRIC_LABEL_OTHER;
        slot = slot_of(m, labels);
    }
    struct series *s = atomic_load(slot);
    if (!s) {
        s = series_new(m, labels);
        series_counts[m]++;
        atomic_store_explicit(slot, s, memory_order_release);
    }
    pthread_mutex_unlock(&series_lock);
    return s;
}

static struct series *
series_of(enum metric m, const char *labels)
{
    assert((unsigned)m < METRIC_COUNT);
    const char *text = labels ? labels : "";
    struct series *s = atomic_load_explicit(slot_of(m, text), memory_order_acquire);
    return s ? s : series_add(m, text);
}

void
metric_add(enum metric m, const char *labels, int64_t n)
{
    struct series *s = series_of(m, labels);
    assert(ROWS[m].kind != KIND_HISTOGRAM);
    if (ROWS[m].kind == KIND_COUNTER)
        cells_add(s->cell, n);
    else
        atomic_fetch_add_explicit(&s->gauge, n, memory_order_relaxed);
}

void
metric_set(enum metric m, const char *labels, int64_t value)
{
    struct series *s = series_of(m, labels);
    assert(ROWS[m].kind == KIND_GAUGE);
    atomic_store_explicit(&s->gauge, value, memory_order_relaxed);
}

void
metric_observe_us(enum metric m, const char *labels, int64_t us)
{
    struct series *s = series_of(m, labels);
    assert(ROWS[m].kind == KIND_HISTOGRAM);
    struct bounds bounds = bounds_of(m);
    uint32_t i = 0;
    while (i < bounds.n && us > bounds.upper[i])
        i++;
    cells_add(s->cell + i, 1);
    cells_add(s->cell + bounds.n + 1, us);
}

static int64_t
histogram_count(enum metric m, const struct series *s)
{
    int64_t count = 0;
    for (uint32_t i = 0; i <= bounds_of(m).n; i++)
        count += cells_sum(s->cell + i);
    return count;
}

static int64_t
value_of(enum metric m, struct series *s)
{
    switch (ROWS[m].kind) {
    case KIND_COUNTER:
        return cells_sum(s->cell);
    case KIND_HISTOGRAM:
        return histogram_count(m, s);
    default:
        return atomic_load_explicit(&s->gauge, memory_order_relaxed);
    }
}

int64_t
metric_value(enum metric m, const char *labels)
{
    assert((unsigned)m < METRIC_COUNT);
    struct series *s = atomic_load_explicit(slot_of(m, labels ? labels : ""), memory_order_acquire);
    return s ? value_of(m, s) : 0;
}

static void
print_label_value(struct buf *out, view value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\\' || c == '"')
            buf_add_byte(out, '\\');
        if (c == '\n')
            BUF_LIT(out, "\\n");
        else
            buf_add_byte(out, c);
    }
}

/* {a="x",b="y",le="…"}; the last name takes what is left of the values. */
static void
print_labels(struct buf *out, enum metric m, const char *values, view le)
{
    view names = view_of(ROWS[m].labels), rest = view_of(values);
    const char *before = "{";
    for (bool more = names.n > 0; more;) {
        view name = view_cut(&names, ',', &more);
        view value = more ? view_cut(&rest, ',', NULL) : rest;
        buf_printf(out, "%s%.*s=\"", before, VIEW_ARG(name));
        print_label_value(out, value);
        buf_add_byte(out, '"');
        before = ",";
    }
    if (le.n) {
        buf_printf(out, "%sle=\"%.*s\"", before, VIEW_ARG(le));
        before = ",";
    }
    if (before[0] == ',')
        buf_add_byte(out, '}');
}

/* Microseconds as seconds without needless zeros; plain when the histogram counts units. */
static view
number_text(int64_t n, bool is_time, struct buf *text)
{
    buf_clear(text);
    if (!is_time) {
        buf_printf(text, "%lld", (long long)n);
        return buf_view(text);
    }
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    buf_printf(text, "%s%llu.%06llu", n < 0 ? "-" : "", (unsigned long long)(size / 1000000),
               (unsigned long long)(size % 1000000));
    view v = buf_view(text);
    while (v.n && v.p[v.n - 1] == '0')
        v.n--;
    if (v.n && v.p[v.n - 1] == '.')
        v.n--;
    return v;
}

static void
print_bucket(struct buf *out, enum metric m, const struct series *s, view le, int64_t count)
{
    buf_printf(out, "%s_bucket", ROWS[m].name);
    print_labels(out, m, s->labels, le);
    buf_printf(out, " %lld\n", (long long)count);
}

/* The count is taken from the buckets, so that it equals +Inf even while others add. */
static void
print_histogram(struct buf *out, enum metric m, const struct series *s)
{
    struct bounds bounds = bounds_of(m);
    AUTO_DONE(buf_done) struct buf text;
    buf_init(&text, 64);
    int64_t count = 0;
    for (uint32_t i = 0; i < bounds.n; i++) {
        count += cells_sum(s->cell + i);
        print_bucket(out, m, s, number_text(bounds.upper[i], bounds.is_time, &text), count);
    }
    count += cells_sum(s->cell + bounds.n);
    print_bucket(out, m, s, V("+Inf"), count);
    view sum = number_text(cells_sum(s->cell + bounds.n + 1), bounds.is_time, &text);
    buf_printf(out, "%s_sum", ROWS[m].name);
    print_labels(out, m, s->labels, VIEW_NONE);
    buf_printf(out, " %.*s\n%s_count", VIEW_ARG(sum), ROWS[m].name);
    print_labels(out, m, s->labels, VIEW_NONE);
    buf_printf(out, " %lld\n", (long long)count);
}

static void
print_series(struct buf *out, enum metric m, struct series *s)
{
    if (ROWS[m].kind == KIND_HISTOGRAM) {
        print_histogram(out, m, s);
        return;
    }
    buf_add_view(out, view_of(ROWS[m].name));
    print_labels(out, m, s->labels, VIEW_NONE);
    buf_printf(out, " %lld\n", (long long)value_of(m, s));
}

static int
compare_series(const void *a, const void *b)
{
    const struct series *const *left = a, *const *right = b;
    return strcmp((*left)->labels, (*right)->labels);
}

static void
print_metric(struct buf *out, enum metric m)
{
    struct series *sorted[METRIC_SERIES_MOST + 1];
    size_t n = 0;
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", ROWS[m].name, ROWS[m].help, ROWS[m].name,
               KIND_WORDS[ROWS[m].kind]);
    /* A metric without labels is there from the start: a rate needs its zero. */
    if (!ROWS[m].labels[0])
        (void)series_of(m, NULL);
    for (size_t i = 0; i < SLOTS; i++) {
        struct series *s = atomic_load_explicit(&tables[m][i], memory_order_acquire);
        if (s && n < COUNT_OF(sorted))
            sorted[n++] = s;
    }
    qsort(sorted, n, sizeof sorted[0], compare_series);
    for (size_t i = 0; i < n; i++)
        print_series(out, m, sorted[i]);
}

void
metrics_print(struct buf *out)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        print_metric(out, (enum metric)m);
}
