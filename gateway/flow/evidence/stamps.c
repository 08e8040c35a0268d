#include "flow/evidence/stamps.h"

#include "base/buf.h"
#include "flow/evidence/evidence.h"

#define BATCH 256
#define BATCH_MEMORY (64u << 20)

err
stamp_rules_read(struct gateway *g, arena *mem, struct stamp_rules *ret, struct fault *f)
{
    AUTO(trust_unref) struct trust *t = gateway_trust(g);
    const char *policy = config_cstr(g->config, SET_TIME_POLICY);
    ret->n_anchors = trust_anchors(t, USE_TSA, mem, ret->anchors, COUNT_OF(ret->anchors));
    ret->policy = *policy ? policy : NULL;
    return ret->n_anchors
               ? E_OK
               : fault_set(f, E_CONFIG, "trust.file", "roots of the use tsa for time-stamps", "none");
}

/* -- stamping -- */

static err
last_of(struct reader *r, arena *mem, struct row_stamp **ret_stamp, struct row_renewal **ret_renewals)
{
    TRY(query_stamp_last(r, NO_ARGS, mem, ret_stamp));
    return query_renewals(r, NO_ARGS, mem, ret_renewals);
}

/* The hash that the present chain of every record is built with. */
static size_t
present_hash(const struct row_renewal *renewals)
{
    size_t hash = 32;
    for (; renewals; renewals = renewals->next)
        if (renewals->begins_chain)
            hash = hash_size_of(renewals->hash);
    return hash;
}

/* A stamp and a renewal are rows, and have one entry of kind "rows" each: what is only that needs no stamp, or one would follow the other for
 * ever. */
static err
waiting_since(struct reader *r, const struct row_stamp *last, arena *mem, instant *ret)
{
    struct row_leaf *leaf = NULL;
    int64_t from = last ? last->size : 0;
    TRY(query_leaves(r, ARGS(val_int(from), val_int(2)), mem, &leaf));
    bool only_own = !leaf || (last && !leaf->next && view_eq(leaf->kind, V("rows")));
    *ret = only_own ? INSTANT_NONE : leaf->at;
    return E_OK;
}

err
stamps_due(struct gateway *g, arena *mem, struct stamp_order *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_stamp *last = NULL;
    struct row_renewal *renewals = NULL;
    struct log_proof head;
    instant since = INSTANT_NONE;
    *ret = (struct stamp_order){.size = 0};
    TRY(store_reader(g->store, &r));
    TRY(last_of(r, mem, &last, &renewals));
    TRY(waiting_since(r, last, mem, &since));
    atomic_store(&g->unstamped_since, since.us);
    if (since.us == 0)
        return E_OK;
    TRY(evidence_consistency(g, 0, 0, mem, &head, f));
    ret->head = head.checkpoint;
    ret->size = head.size;
    ret->hash = present_hash(renewals);
    ret->imprint = wide_hash(ret->hash, &ret->head, 1);
    return E_OK;
}

err
stamps_keep(struct gateway *g, const struct stamp_order *o, const struct tsp_token *t)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    struct unit u;
    unit_init(&u, mem);
    struct row_stamp *row = unit_add_stamp(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_stamp){.size = (int64_t)o->size,
                              .at = t->at,
                              .until = t->authority_until,
                              .authority = t->authority,
                              .head = o->head,
                              .token = t->token};
    return store_commit(g->store, &u);
}

err
stamps_in_time(struct gateway *g, instant now, struct fault *f)
{
    int64_t limit = config_span(g->config, SET_TIME_LIMIT).us, since = atomic_load(&g->unstamped_since);
    if (limit == 0 || since == 0 || now.us - since <= limit)
        return E_OK;
    return fault_set(f, E_TIME_OVERDUE, "time.limit", "entries of the log time-stamped within the limit",
                     "older ones that wait");
}

/* -- history: all renewals with their trees -- */

struct part {
    const struct row_renewal *row;
    struct hash_tree *tree;
    int64_t after;   /* stamps of larger size are leaves of their own */
    bool has_former; /* leaf 0 is the renewal before, which covers the others */
};

struct history {
    struct reader *r;
    arena *mem;
    int64_t *sizes; /* of all stamps, ascending */
    size_t n_sizes;
    struct part parts[RECORD_STAMPS_MAX];
    size_t n;
};

static err
each_stamp(struct reader *r, int64_t after, int64_t upto,
           err (*each)(void *self, const struct row_stamp *s, arena *mem), void *self)
{
    for (bool more = true; more;) {
        AUTO(arena_free) arena *mem = arena_new(BATCH_MEMORY);
        struct row_stamp *list = NULL;
        TRY(query_stamps(r, ARGS(val_int(after), val_int(upto), val_int(BATCH)), mem, &list));
        more = list != NULL;
        for (; list; list = list->next) {
            TRY(each(self, list, mem));
            after = list->size;
        }
    }
    return E_OK;
}

static err
note_size(void *self, const struct row_stamp *s, arena *mem)
{
    struct history *h = self;
    (void)mem;
    if ((h->n_sizes & (h->n_sizes - 1)) == 0) { /* room grows with the powers of two */
        int64_t *more = arena_array(h->mem, h->n_sizes ? 2 * h->n_sizes : 1, sizeof *more);
        if (!more)
            return E_TOO_LARGE;
        memcpy(more, h->sizes ? h->sizes : more, h->n_sizes * sizeof *more);
        h->sizes = more;
    }
    h->sizes[h->n_sizes++] = s->size;
    return E_OK;
}

/* How many stamps are of at most this size. */
static size_t
rank_of(const struct history *h, int64_t size)
{
    size_t low = 0, high = h->n_sizes;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->sizes[middle] <= size)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t
place_in(const struct history *h, const struct part *p, int64_t size)
{
    if (size <= p->after)
        return 0;
    return rank_of(h, size) - 1 - rank_of(h, p->after) + p->has_former;
}

/* The record of a stamp with the first n renewals. */
static err
record_of(const struct history *h, const struct row_stamp *s, size_t n, arena *mem,
          struct evidence_record *ret)
{
    ret->n = 0;
    ret->stamps[ret->n++] =
        (struct archive_stamp){.begins_chain = true, .hash = tsp_token_hash(s->token), .token = s->token};
    for (size_t i = 0; i < n; i++) {
        const struct part *p = &h->parts[i];
        if (s->size > p->row->size)
            continue;
        if (ret->n == RECORD_STAMPS_MAX)
            return E_TOO_LARGE;
        struct archive_stamp *one = &ret->stamps[ret->n++];
        *one = (struct archive_stamp){.begins_chain = p->row->begins_chain != 0,
                                      .hash = hash_size_of(p->row->hash),
                                      .token = p->row->token};
        TRY(hash_tree_path(p->tree, place_in(h, p, s->size), mem, &one->tree));
    }
    return E_OK;
}

struct leaves {
    const struct history *h;
    bool begins_chain;
    size_t hash;
    struct wide_digest *list;
    size_t n;
};

static err
add_leaf(void *self, const struct row_stamp *s, arena *mem)
{
    struct leaves *l = self;
    struct evidence_record *record = arena_make(mem, struct evidence_record);
    if (!record)
        return E_TOO_LARGE;
    TRY(record_of(l->h, s, l->begins_chain ? l->h->n : 0, mem, record));
    return evidence_record_leaf(record, s->head, l->begins_chain, l->hash, &l->list[l->n++]);
}

/* The tree of the renewal behind those that the history holds. */
static err
tree_next(struct history *h, struct part *p, int64_t upto, bool begins_chain, size_t hash)
{
    const struct part *former = h->n ? &h->parts[h->n - 1] : NULL;
    struct leaves l = {.h = h, .begins_chain = begins_chain, .hash = hash};
    p->after = begins_chain || !former ? -1 : former->row->size;
    p->has_former = !begins_chain && former;
    l.list = arena_array(h->mem, rank_of(h, upto) - rank_of(h, p->after) + 1, sizeof *l.list);
    if (!l.list)
        return E_TOO_LARGE;
    if (p->has_former)
        l.list[l.n++] = wide_hash(hash, &former->row->token, 1);
    TRY(each_stamp(h->r, p->after, upto, add_leaf, &l));
    return hash_tree_make(l.list, l.n, h->mem, &p->tree);
}

static err
history_read(struct history *h, struct row_renewal *renewals)
{
    h->n = h->n_sizes = 0;
    TRY(each_stamp(h->r, -1, INT64_MAX, note_size, h));
    for (; renewals; renewals = renewals->next) {
        if (h->n + 1 == RECORD_STAMPS_MAX)
            return E_TOO_LARGE;
        struct part *p = &h->parts[h->n];
        p->row = renewals;
        TRY(tree_next(h, p, renewals->size, renewals->begins_chain != 0, hash_size_of(renewals->hash)));
        h->n++;
    }
    return E_OK;
}

/* -- renewing -- */

static const struct row_renewal *
last_renewal(const struct row_renewal *list)
{
    while (list && list->next)
        list = list->next;
    return list;
}

err
renewal_due(struct gateway *g, instant before, size_t hash, arena *mem, struct renewal_order *ret,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_stamp *last = NULL, *ending = NULL;
    struct row_renewal *renewals = NULL;
    struct history *h = arena_make(mem, struct history);
    struct part next;
    *ret = (struct renewal_order){.needed = false};
    TRY(store_reader(g->store, &r));
    TRY(last_of(r, mem, &last, &renewals));
    const struct row_renewal *former = last_renewal(renewals);
    TRY(query_stamp_ending(r, ARGS(val_time(before), val_int(former ? former->size : -1)), mem, &ending));
    bool former_ends = former && former->until.us < before.us;
    if (!last || !h || (hash == 0 && !ending && !former_ends))
        return h ? E_OK : E_TOO_LARGE;
    h->r = r;
    h->mem = mem;
    *ret = (struct renewal_order){.needed = true,
                                  .number = former ? former->number + 1 : 1,
                                  .size = (uint64_t)last->size,
                                  .begins_chain = hash != 0,
                                  .hash = hash ? hash : present_hash(renewals),
                                  .ends = former_ends ? former->until : last->until};
    if (ending && ending->until.us < ret->ends.us)
        ret->ends = ending->until;
    TRY(history_read(h, renewals));
    err e = tree_next(h, &next, last->size, ret->begins_chain, ret->hash);
    if (e != E_OK)
        return fault_set(f, e, "renewal", "room for the hash tree", "more stamps than that");
    ret->imprint = *hash_tree_root(next.tree);
    return E_OK;
}

err
renewal_keep(struct gateway *g, const struct renewal_order *o, const struct tsp_token *t)
{
    AUTO(arena_free) arena *mem = arena_new(1u << 20);
    struct unit u;
    unit_init(&u, mem);
    struct row_renewal *row = unit_add_renewal(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_renewal){.number = o->number,
                                .size = (int64_t)o->size,
                                .at = t->at,
                                .until = t->authority_until,
                                .authority = t->authority,
                                .begins_chain = o->begins_chain,
                                .hash = view_of(hash_word(o->hash)),
                                .token = t->token};
    return store_commit(g->store, &u);
}

/* -- proof -- */

err
stamps_proof(struct gateway *g, struct reader *r, uint64_t index, arena *mem, struct stamped *ret)
{
    struct row_stamp *stamp = NULL;
    struct row_renewal *renewals = NULL;
    struct history *h = arena_make(mem, struct history);
    struct evidence_record *record = arena_make(mem, struct evidence_record);
    (void)g;
    *ret = (struct stamped){.found = false};
    if (!h || !record)
        return E_TOO_LARGE;
    TRY(query_stamp_over(r, ARGS(val_int((int64_t)index)), mem, &stamp));
    if (!stamp)
        return E_OK;
    TRY(query_renewals(r, NO_ARGS, mem, &renewals));
    h->r = r;
    h->mem = mem;
    if (renewals)
        TRY(history_read(h, renewals));
    TRY(record_of(h, stamp, h->n, mem, record));
    *ret =
        (struct stamped){.found = true, .size = (uint64_t)stamp->size, .at = stamp->at, .head = stamp->head};
    return evidence_record_print(record, mem, &ret->record);
}

err
stamped_print(const struct stamped *s, arena *mem, view *ret_json)
{
    struct buf out AUTO_DONE(buf_done);
    char when[32];
    buf_init(&out, 8u << 20);
    if (s->found) {
        buf_printf(&out, "{\"state\":\"stamped\",\"at\":\"%.*s\",\"tree_size\":%llu,\"head\":",
                   VIEW_ARG(instant_print(s->at, when)), (unsigned long long)s->size);
        buf_add_json(&out, s->head);
        BUF_LIT(&out, ",\"record\":\"");
        buf_add_base64(&out, s->record);
        BUF_LIT(&out, "\"}");
    } else {
        BUF_LIT(&out, "{\"state\":\"pending\"}");
    }
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
