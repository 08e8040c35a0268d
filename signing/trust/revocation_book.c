#include "signing/trust/revocation_book.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS 4096
#define EPOCHS 256
/* Answers about certificates that are kept; the oldest of a bucket goes. */
#define DEPTH 8

struct status {
    digest fingerprint, id;
    struct revocation_answer answer;
    char *response;
    size_t n;
    struct status *next; /* newest first */
};

struct revocation_book {
    pthread_rwlock_t lock;
    struct status *bucket[BUCKETS];
    struct crl **lists;
    size_t n_lists;
    atomic_uint_fast64_t all, of[EPOCHS];
};

struct revocation_book *
revocation_book_new(void)
{
    struct revocation_book *b = calloc(1, sizeof *b);
    if (!b || pthread_rwlock_init(&b->lock, NULL) != 0)
        abort();
    return b;
}

static void
status_free(struct status *s)
{
    free(s->response);
    free(s);
}

void
revocation_book_free(struct revocation_book *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (b->bucket[i]) {
            struct status *s = b->bucket[i];
            b->bucket[i] = s->next;
            status_free(s);
        }
    for (size_t i = 0; i < b->n_lists; i++)
        crl_free(b->lists[i]);
    free(b->lists);
    pthread_rwlock_destroy(&b->lock);
    free(b);
}

static struct status **
bucket_of(struct revocation_book *b, const digest *fingerprint)
{
    return &b->bucket[((size_t)fingerprint->b[0] << 8 | fingerprint->b[1]) % BUCKETS];
}

static struct status *
find(struct revocation_book *b, const digest *fingerprint)
{
    for (struct status *s = *bucket_of(b, fingerprint); s; s = s->next)
        if (digest_eq(&s->fingerprint, fingerprint))
            return s;
    return NULL;
}

static struct status *
status_new(const digest *fingerprint, const struct revocation_answer *a, view response)
{
    struct status *s = calloc(1, sizeof *s);
    char *copy = malloc(response.n + 1);
    if (!s || !copy)
        abort();
    memcpy(copy, response.p, response.n);
    *s = (struct status){
        .fingerprint = *fingerprint, .id = sha256(response), .answer = *a, .response = copy, .n = response.n};
    return s;
}

static void
insert(struct revocation_book *b, struct status *fresh)
{
    struct status **at = bucket_of(b, &fresh->fingerprint);
    fresh->next = *at;
    *at = fresh;
    size_t n = 0;
    for (at = &fresh->next; *at;) {
        struct status *s = *at;
        if (digest_eq(&s->fingerprint, &fresh->fingerprint) || ++n >= DEPTH) {
            *at = s->next;
            status_free(s);
        } else {
            at = &s->next;
        }
    }
}

static err
replayed(struct fault *f)
{
    return fault_set(f, E_REVOCATION_ANSWER, "answer", "one as new as the last", "an older one");
}

err
revocation_book_put_status(struct revocation_book *b, const digest *fingerprint,
                           const struct revocation_answer *a, view response, struct fault *f)
{
    pthread_rwlock_wrlock(&b->lock);
    const struct status *held = find(b, fingerprint);
    bool old = held && held->answer.this_update.us > a->this_update.us;
    if (!old)
        insert(b, status_new(fingerprint, a, response));
    pthread_rwlock_unlock(&b->lock);
    if (old)
        return replayed(f);
    atomic_fetch_add(&b->of[fingerprint->b[0]], 1);
    return E_OK;
}

err
revocation_book_put_list(struct revocation_book *b, struct crl *list, struct fault *f)
{
    bool old = false, placed = false;
    pthread_rwlock_wrlock(&b->lock);
    for (size_t i = 0; i < b->n_lists && !placed && !old; i++) {
        if (!crl_same_scope(b->lists[i], list))
            continue;
        old = crl_is_newer(b->lists[i], list);
        placed = !old;
        if (placed) {
            crl_free(b->lists[i]);
            b->lists[i] = list;
        }
    }
    if (!old && !placed) {
        struct crl **more = realloc(b->lists, (b->n_lists + 1) * sizeof *more);
        if (!more)
            abort();
        b->lists = more;
        b->lists[b->n_lists++] = list;
    }
    pthread_rwlock_unlock(&b->lock);
    if (old) {
        crl_free(list);
        return replayed(f);
    }
    atomic_fetch_add(&b->all, 1);
    return E_OK;
}

bool
revocation_book_status(struct revocation_book *b, const digest *fingerprint, struct revocation_answer *ret,
                       digest *ret_id)
{
    pthread_rwlock_rdlock(&b->lock);
    const struct status *s = find(b, fingerprint);
    if (s) {
        *ret = s->answer;
        *ret_id = s->id;
    }
    pthread_rwlock_unlock(&b->lock);
    return s != NULL;
}

void
revocation_book_lists(struct revocation_book *b, void (*fn)(void *self, const struct crl *c), void *self)
{
    pthread_rwlock_rdlock(&b->lock);
    for (size_t i = 0; i < b->n_lists; i++)
        fn(self, b->lists[i]);
    pthread_rwlock_unlock(&b->lock);
}

view
revocation_book_response(struct revocation_book *b, const digest *fingerprint, arena *mem)
{
    pthread_rwlock_rdlock(&b->lock);
    const struct status *s = find(b, fingerprint);
    view copy = s ? arena_dup(mem, view_make(s->response, s->n)) : VIEW_NONE;
    pthread_rwlock_unlock(&b->lock);
    return copy;
}

uint64_t
revocation_book_epoch(struct revocation_book *b, const digest *fingerprint)
{
    return atomic_load(&b->all) + atomic_load(&b->of[fingerprint->b[0]]);
}
