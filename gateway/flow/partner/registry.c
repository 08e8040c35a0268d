#include "flow/partner/registry.h"

#include "base/json.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One arena holds all rows of a snapshot; keys are parsed once here, since parsing a public key costs more than verifying with it. */
#define SNAPSHOT_CEILING (256u << 20)

/* Where a row stands, by a hash of what it is looked up with: open addressing, at most half full, so that equal
 * keys are met in the rows' order. */
struct lookup {
    uint32_t *slots; /* index + 1, 0 = free */
    size_t mask;
};

struct registry {
    atomic_int references;
    arena *mem;
    struct partner *partners; /* sorted by id */
    size_t n;
    struct registry_key *keys; /* grouped by partner */
    size_t n_keys;
    struct lookup codes, kids, fingerprints;
};

static bool
lookup_make(struct lookup *l, size_t n, arena *mem)
{
    size_t room = 16;
    while (room < 2 * n + 2)
        room *= 2;
    l->slots = arena_make_array(mem, room, uint32_t);
    l->mask = room - 1;
    return l->slots;
}

/* Names come from operators, not from peers: a plain FNV-1a does. */
static size_t
lookup_hash(view key)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (uint8_t)key.p[i]) * 1099511628211ULL;
    return (size_t)(h ^ h >> 32);
}

static void
lookup_add(struct lookup *l, view key, size_t index)
{
    size_t at = lookup_hash(key) & l->mask;
    while (l->slots[at])
        at = (at + 1) & l->mask;
    l->slots[at] = (uint32_t)index + 1;
}

/* Walk: the next candidate's index in *ret_index; start with *at = lookup_hash(key). */
static bool
lookup_next(const struct lookup *l, size_t *at, size_t *ret_index)
{
    uint32_t slot = l->slots[*at & l->mask];
    *at += 1;
    if (!slot)
        return false;
    *ret_index = slot - 1;
    return true;
}

struct registry *
registry_ref(struct registry *r)
{
    atomic_fetch_add(&r->references, 1);
    return r;
}

void
registry_unref(struct registry *r)
{
    if (!r || atomic_fetch_sub(&r->references, 1) != 1)
        return;
    for (size_t i = 0; i < r->n_keys; i++)
        pkey_free(r->keys[i].pkey);
    arena_free(r->mem);
    free(r);
}

/* material: JWK JSON for client and encrypt keys, DER certificate for mtls and sign. */
static void
parse_key(struct registry_key *key, arena *mem)
{
    const struct row_partner_key *row = key->row;
    if (row->material.n && row->material.p[0] == '{') {
        json_t *jwk = NULL;
        view kid;
        if (json_load(row->material, mem, &jwk, NULL) == E_OK &&
            jwk_read(jwk, &key->pkey, &key->alg, &kid, mem, NULL) != E_OK)
            key->pkey = NULL;
    } else if (row->material.n) {
        void *pkey = NULL;
        if (pkey_of_certificate(row->material, &pkey, NULL) == E_OK)
            key->pkey = pkey;
        key->alg = key->pkey ? pkey_default_alg(key->pkey) : ALG_NONE;
    }
    for (int a = 1; row->alg.n && a < ALG_COUNT; a++)
        if (view_eq(row->alg, view_of(jose_alg_word((enum jose_alg)a))))
            key->alg = (enum jose_alg)a;
}

static size_t
count_partners(const struct row_partner *row)
{
    size_t n = 0;
    for (; row; row = row->next)
        n++;
    return n;
}

static size_t
count_keys(const struct row_partner_key *row)
{
    size_t n = 0;
    for (; row; row = row->next)
        n++;
    return n;
}

static void
fill(struct registry *r, const struct row_partner *partners, const struct row_partner_key *keys)
{
    for (; partners; partners = partners->next) {
        char text[ID_TEXT_SIZE];
        struct partner *p = &r->partners[r->n++];
        *p = (struct partner){.row = partners, .id = {partners->id}};
        p->text = arena_dup(r->mem, partner_id_print(p->id, text));
    }
    for (; keys; keys = keys->next) {
        struct registry_key *key = &r->keys[r->n_keys++];
        key->row = keys;
        parse_key(key, r->mem);
    }
    /* Both lists come in the order of the partner's id. */
    size_t k = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct partner *p = &r->partners[i];
        while (k < r->n_keys && memcmp(r->keys[k].row->partner.b, p->id.u.b, 16) < 0)
            k++;
        p->keys = r->keys + k;
        while (k < r->n_keys && uid_eq(r->keys[k].row->partner, p->id.u)) {
            r->keys[k].partner = p;
            p->n_keys++;
            k++;
        }
    }
}

static bool
is_zero(const digest *d)
{
    static const digest zero;
    return memcmp(d, &zero, sizeof zero) == 0;
}

static bool
fill_lookups(struct registry *r)
{
    if (!lookup_make(&r->codes, r->n, r->mem) || !lookup_make(&r->kids, r->n_keys, r->mem) ||
        !lookup_make(&r->fingerprints, r->n_keys, r->mem))
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->partners[i].row->code.n)
            lookup_add(&r->codes, r->partners[i].row->code, i);
    for (size_t i = 0; i < r->n_keys; i++) {
        const struct row_partner_key *row = r->keys[i].row;
        if (row->kid.n)
            lookup_add(&r->kids, row->kid, i);
        if (!is_zero(&row->fingerprint))
            lookup_add(&r->fingerprints, digest_view(&row->fingerprint), i);
    }
    return true;
}

err
registry_load(struct store *s, struct registry **ret, struct fault *f)
{
    struct registry *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    atomic_init(&r->references, 1);
    r->mem = arena_new(SNAPSHOT_CEILING);
    struct row_partner *partners = NULL;
    struct row_partner_key *keys = NULL;
    AUTO(reader_done) struct reader *reader = NULL;
    err e = store_reader(s, &reader);
    if (e == E_OK)
        e = query_partners(reader, NO_ARGS, r->mem, &partners);
    if (e == E_OK)
        e = query_partner_keys(reader, NO_ARGS, r->mem, &keys);
    if (e == E_OK) {
        r->partners = arena_make_array(r->mem, count_partners(partners) + 1, struct partner);
        r->keys = arena_make_array(r->mem, count_keys(keys) + 1, struct registry_key);
        e = r->partners && r->keys ? E_OK : E_TOO_LARGE;
    }
    if (e != E_OK) {
        registry_unref(r);
        return fault_set(f, e, "registry", "readable rows", "none");
    }
    fill(r, partners, keys);
    if (!fill_lookups(r)) {
        registry_unref(r);
        return fault_set(f, E_TOO_LARGE, "registry", "a registry of fewer rows", "more");
    }
    *ret = r;
    return E_OK;
}

size_t
registry_partners(const struct registry *r)
{
    return r->n;
}

const struct partner *
registry_partner_at(const struct registry *r, size_t i)
{
    return &r->partners[i];
}

const struct partner *
registry_partner(const struct registry *r, partner_id id)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(r->partners[middle].id.u.b, id.u.b, sizeof id.u.b);
        if (order == 0)
            return &r->partners[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct partner *
registry_by_code(const struct registry *r, view kind, view code)
{
    if (!code.n)
        return NULL;
    for (size_t at = lookup_hash(code), i; lookup_next(&r->codes, &at, &i);) {
        const struct row_partner *row = r->partners[i].row;
        if (view_eq(row->code, code) && (!kind.n || view_eq(row->kind, kind)))
            return &r->partners[i];
    }
    return NULL;
}

bool
partner_is_active(const struct partner *p)
{
    return view_eq(p->row->status, V("active"));
}

bool
partner_is_insurer(const struct partner *p)
{
    return view_eq(p->row->kind, V("insurer")) || view_eq(p->row->kind, V("fund"));
}

static bool
has_word(view list, view word)
{
    while (list.n)
        if (view_eq(view_cut(&list, ' ', NULL), word))
            return true;
    return false;
}

bool
partner_acts_for(const struct partner *agent, const struct partner *of)
{
    return view_eq(agent->row->kind, V("agent")) && has_word(agent->row->acts_for, of->row->code);
}

view
partner_option(const struct partner *p, const char *name)
{
    /* A few short members, "name":"text"; read without parsing the whole each time. */
    view text = p->row->options;
    size_t n = strlen(name);
    for (size_t at = view_find_byte(text, '"'); at < text.n; at++) {
        view rest = view_sub(text, at, text.n);
        if (rest.n > n + 4 && rest.p[0] == '"' && memcmp(rest.p + 1, name, n) == 0 &&
            memcmp(rest.p + 1 + n, "\":\"", 3) == 0) {
            rest = view_sub(rest, n + 4, rest.n);
            return view_sub(rest, 0, view_find_byte(rest, '"'));
        }
    }
    return V("");
}

static bool
key_is_valid(const struct registry_key *k, instant at)
{
    const struct row_partner_key *row = k->row;
    return k->pkey && k->partner && view_eq(row->status, V("active")) && row->valid_from.us <= at.us &&
           (!row->valid_to.us || row->valid_to.us > at.us);
}

const struct registry_key *
registry_key_by_kid(const struct registry *r, const char *use, view kid, instant at)
{
    for (size_t slot = lookup_hash(kid), i; kid.n && lookup_next(&r->kids, &slot, &i);) {
        const struct registry_key *k = &r->keys[i];
        if (view_eq(k->row->kid, kid) && view_eq(k->row->use, view_of(use)) && key_is_valid(k, at))
            return k;
    }
    return NULL;
}

const struct registry_key *
registry_key_by_fingerprint(const struct registry *r, const char *use, const digest *fingerprint, instant at)
{
    for (size_t slot = lookup_hash(digest_view(fingerprint)), i; lookup_next(&r->fingerprints, &slot, &i);) {
        const struct registry_key *k = &r->keys[i];
        if (digest_eq(&k->row->fingerprint, fingerprint) && view_eq(k->row->use, view_of(use)) &&
            key_is_valid(k, at))
            return k;
    }
    return NULL;
}

const struct registry_key *
partner_key(const struct partner *p, const char *use, instant at)
{
    const struct registry_key *best = NULL;
    for (size_t i = 0; i < p->n_keys; i++) {
        const struct registry_key *k = &p->keys[i];
        if (view_eq(k->row->use, view_of(use)) && key_is_valid(k, at) &&
            (!best || k->row->valid_from.us > best->row->valid_from.us))
            best = k;
    }
    return best;
}

/* -- what signing asks -- */

/* Which certificates a kind of partner signs with; for bare keys the registry's word stands for the certificate's. */
static const struct {
    const char *kind;
    enum trust_use use;
    enum subject_kind subject;
} partner_subjects[] = {
    {"hospital", USE_HCA, SUBJECT_HOSPITAL},   {"clinic", USE_HCA, SUBJECT_HOSPITAL},
    {"police", USE_GCA, SUBJECT_AGENCY},       {"prosecutor", USE_GCA, SUBJECT_AGENCY},
    {"board", USE_GCA, SUBJECT_AGENCY},        {"insurer", USE_MOEACA, SUBJECT_COMPANY},
    {"register", USE_MOEACA, SUBJECT_COMPANY}, {"fund", USE_MOEACA, SUBJECT_COMPANY},
    {"shop", USE_MOEACA, SUBJECT_COMPANY},     {"app", USE_MOEACA, SUBJECT_COMPANY},
    {"court", USE_GCA, SUBJECT_AGENCY},        {"household", USE_GCA, SUBJECT_AGENCY},
    {"nhia", USE_GCA, SUBJECT_AGENCY},
};

static bool
source_by_kid(void *self, view kid, struct known_key *ret)
{
    const struct registry *r = self;
    const struct registry_key *k = registry_key_by_kid(r, "sign", kid, clock_now());
    if (!k)
        return false;
    *ret = (struct known_key){.alg = k->alg, .pkey = k->pkey};
    struct signer *s = &ret->signer;
    s->subject = SUBJECT_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(partner_subjects); i++) {
        if (!view_eq(k->partner->row->kind, view_of(partner_subjects[i].kind)))
            continue;
        s->use = partner_subjects[i].use;
        s->subject = partner_subjects[i].subject;
    }
    s->organisation = k->partner->row->code;
    s->common_name = k->partner->row->name_zh;
    s->fingerprint = k->row->fingerprint;
    s->spki = k->row->spki;
    s->registered_partner = k->partner->text;
    s->not_before = k->row->valid_from;
    s->not_after = k->row->valid_to;
    return true;
}

static view
source_partner(void *self, const digest *fingerprint)
{
    const struct registry_key *k = registry_key_by_fingerprint(self, "sign", fingerprint, clock_now());
    return k ? k->partner->text : VIEW_NONE;
}

struct key_source
registry_key_source(struct registry *r)
{
    return (struct key_source){r, source_by_kid, source_partner};
}
