#include "flow/person/status_cache.h"

#include "base/attr.h"

#include <pthread.h>

#define LISTS_MAX 16
#define LIST_MAX ((size_t)11 << 20)
#define ROOM_MAX ((size_t)64 << 20)

struct kept_list {
    arena *mem; /* NULL: free */
    view issuer, uri;
    struct adapter_answer answer;
    instant until;
};

struct status_cache {
    arena *mem; /* the cache lies in it */
    pthread_mutex_t lock;
    struct kept_list lists[LISTS_MAX];
    size_t bytes;
};

struct status_cache *
status_cache_new(void)
{
    arena *mem = arena_new(65536);
    struct status_cache *c = arena_make(mem, struct status_cache);
    if (!c) {
        arena_free(mem);
        return NULL;
    }
    c->mem = mem;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void
drop(struct status_cache *c, struct kept_list *one)
{
    c->bytes -= one->answer.body.n;
    arena_free(one->mem);
    *one = (struct kept_list){0};
}

void
status_cache_free(struct status_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < LISTS_MAX; i++)
        if (c->lists[i].mem)
            drop(c, &c->lists[i]);
    pthread_mutex_destroy(&c->lock);
    arena_free(c->mem);
}

static struct kept_list *
find(struct status_cache *c, view issuer, view uri)
{
    for (size_t i = 0; i < LISTS_MAX; i++)
        if (c->lists[i].mem && view_eq(c->lists[i].uri, uri) && view_eq(c->lists[i].issuer, issuer))
            return &c->lists[i];
    return NULL;
}

bool
status_cache_find(struct status_cache *c, view issuer, view uri, instant now, arena *mem,
                  struct adapter_answer *ret)
{
    bool found = false;
    pthread_mutex_lock(&c->lock);
    struct kept_list *one = find(c, issuer, uri);
    if (one && one->until.us > now.us) {
        *ret = one->answer;
        ret->body = arena_dup(mem, one->answer.body);
        ret->media_type = arena_dup(mem, one->answer.media_type);
        found = ret->body.p != NULL;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* A free place, or that of the list that ends first. */
static struct kept_list *
place(struct status_cache *c)
{
    struct kept_list *first = &c->lists[0];
    for (size_t i = 0; i < LISTS_MAX; i++) {
        if (!c->lists[i].mem)
            return &c->lists[i];
        if (c->lists[i].until.us < first->until.us)
            first = &c->lists[i];
    }
    return first;
}

static void
put(struct status_cache *c, struct kept_list *to, view issuer, view uri, const struct adapter_answer *a,
    instant until)
{
    arena *mem = arena_new(a->body.n + 65536);
    *to = (struct kept_list){.mem = mem,
                             .issuer = arena_dup(mem, issuer),
                             .uri = arena_dup(mem, uri),
                             .answer = *a,
                             .until = until};
    to->answer.body = arena_dup(mem, a->body);
    to->answer.media_type = arena_dup(mem, a->media_type);
    c->bytes += to->answer.body.n;
    if (!to->issuer.p || !to->uri.p || !to->answer.body.p)
        drop(c, to);
}

void
status_cache_keep(struct status_cache *c, view issuer, view uri, const struct adapter_answer *a,
                  instant until)
{
    if (!a->body.p || a->body.n > LIST_MAX || issuer.n > 4096 || uri.n > 4096 || a->media_type.n > 4096)
        return;
    pthread_mutex_lock(&c->lock);
    struct kept_list *one = find(c, issuer, uri);
    if (one)
        drop(c, one);
    else
        one = place(c);
    if (one->mem)
        drop(c, one);
    while (c->bytes + a->body.n > ROOM_MAX) {
        struct kept_list *largest = &c->lists[0];
        for (size_t i = 1; i < LISTS_MAX; i++)
            if (c->lists[i].answer.body.n > largest->answer.body.n)
                largest = &c->lists[i];
        drop(c, largest);
    }
    put(c, one, issuer, uri, a, until);
    pthread_mutex_unlock(&c->lock);
}
