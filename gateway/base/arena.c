#include "base/arena.h"

#include "base/format.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ONE_MALLOC_PER_BLOCK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_MALLOC_PER_BLOCK 1
#endif
#endif
#ifndef ONE_MALLOC_PER_BLOCK
#define ONE_MALLOC_PER_BLOCK 0
#endif

#define ALIGNMENT 16u
#define FIRST_CHUNK ((size_t)16 * 1024)
#define LARGEST_CHUNK ((size_t)1024 * 1024)
/* A reset keeps one chunk of at most this size. */
#define KEPT_MOST ((size_t)256 * 1024)

struct chunk {
    struct chunk *next;
    size_t room;
    size_t used;
    bool dirty; /* was used before a reset, so its bytes are not zero */
    alignas(ALIGNMENT) char bytes[];
};

struct deferred {
    struct deferred *next;
    arena_fn fn;
    void *object;
};

struct arena {
    size_t ceiling;
    size_t used;
    size_t next_room;      /* of the next chunk */
    struct chunk *current; /* small blocks are cut from it; older ones hang behind it */
    struct chunk *first;   /* kept by a reset */
    struct chunk *alone;   /* chunks of one block */
    struct deferred *deferred;
};

arena *
arena_new(size_t ceiling)
{
    arena *mem = calloc(1, sizeof *mem);
    if (!mem)
        abort();
    mem->ceiling = ceiling;
    mem->next_room = FIRST_CHUNK;
    return mem;
}

static void
run_deferred(arena *mem)
{
    while (mem->deferred) {
        struct deferred *d = mem->deferred;
        mem->deferred = d->next;
        d->fn(d->object);
    }
}

static void
free_chunks(struct chunk *c, const struct chunk *keep)
{
    while (c) {
        struct chunk *next = c->next;
        if (c != keep)
            free(c);
        c = next;
    }
}

void
arena_free(arena *mem)
{
    if (!mem)
        return;
    run_deferred(mem);
    free_chunks(mem->alone, NULL);
    free_chunks(mem->current, NULL);
    free(mem);
}

/* The kept chunk grows to what requests take, so that one like the last takes nothing from the heap. */
static size_t
room_of_next(const arena *mem)
{
    size_t room = FIRST_CHUNK;
    while (room < mem->used && room < KEPT_MOST)
        room *= 2;
    return room;
}

void
arena_reset(arena *mem)
{
    run_deferred(mem);
    size_t room = room_of_next(mem);
    struct chunk *keep = mem->first && mem->first->room >= room ? mem->first : NULL;
    free_chunks(mem->alone, NULL);
    free_chunks(mem->current, keep);
    mem->alone = NULL;
    mem->used = 0;
    mem->next_room = room;
    mem->first = keep;
    mem->current = keep;
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        keep->dirty = true;
    }
}

size_t
arena_used(const arena *mem)
{
    return mem->used;
}

static struct chunk *
chunk_new(size_t room)
{
    struct chunk *c = room <= SIZE_MAX - sizeof(struct chunk) ? calloc(1, sizeof(struct chunk) + room) : NULL;
    if (c)
        c->room = room;
    return c;
}

/* For large blocks, so that the rest of the current chunk stays in use. */
static void *
alloc_alone(arena *mem, size_t n)
{
    struct chunk *c = chunk_new(n);
    if (!c)
        return NULL;
    c->used = n;
    c->next = mem->alone;
    mem->alone = c;
    return c->bytes;
}

static bool
add_chunk(arena *mem, size_t n)
{
    size_t rest = mem->ceiling - mem->used;
    size_t room = mem->next_room < rest ? mem->next_room : rest;
    struct chunk *c = chunk_new(room > n ? room : n);
    if (!c)
        return false;
    c->next = mem->current;
    mem->current = c;
    if (!mem->first)
        mem->first = c;
    if (mem->next_room < LARGEST_CHUNK)
        mem->next_room *= 2;
    return true;
}

static void *
cut_block(arena *mem, size_t n, bool zeroed)
{
    struct chunk *c = mem->current;
    char *p = c->bytes + c->used;
    c->used += n;
    if (c->dirty && zeroed)
        memset(p, 0, n);
    return p;
}

static void *
take_block(arena *mem, size_t n, bool zeroed)
{
    if (n > SIZE_MAX - ALIGNMENT)
        return NULL;
    size_t rounded = n ? (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
    if (rounded > mem->ceiling - mem->used)
        return NULL;
    void *p;
    if (ONE_MALLOC_PER_BLOCK) {
        p = alloc_alone(mem, n);
    } else if (mem->current && rounded <= mem->current->room - mem->current->used) {
        p = cut_block(mem, rounded, zeroed);
    } else if (rounded > mem->next_room / 4) {
        p = alloc_alone(mem, rounded);
    } else {
        p = add_chunk(mem, rounded) ? cut_block(mem, rounded, zeroed) : NULL;
    }
    if (p)
        mem->used += rounded;
    return p;
}

void *
arena_alloc(arena *mem, size_t n)
{
    return take_block(mem, n, true);
}

void *
arena_room(arena *mem, size_t n)
{
    return take_block(mem, n, false);
}

void *
arena_array(arena *mem, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    return arena_alloc(mem, n);
}

char *
arena_cstr(arena *mem, view v)
{
    if (v.n == SIZE_MAX)
        return NULL;
    char *p = arena_room(mem, v.n + 1);
    if (p && v.n)
        memcpy(p, v.p, v.n);
    if (p)
        p[v.n] = '\0';
    return p;
}

view
arena_dup(arena *mem, view v)
{
    char *p = v.p ? arena_cstr(mem, v) : NULL;
    return p ? (view){p, v.n} : VIEW_NONE;
}

view
arena_printf(arena *mem, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = format_print(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return VIEW_NONE;
    char *p = arena_alloc(mem, (size_t)n + 1);
    if (!p)
        return VIEW_NONE;
    va_start(args, format);
    int written = format_print(p, (size_t)n + 1, format, args);
    va_end(args);
    assert(written == n);
    return (view){p, (size_t)written};
}

bool
arena_defer(arena *mem, arena_fn fn, void *take_object)
{
    struct deferred *d = arena_make(mem, struct deferred);
    if (!d) {
        fn(take_object);
        return false;
    }
    d->fn = fn;
    d->object = take_object;
    d->next = mem->deferred;
    mem->deferred = d;
    return true;
}
