#include "fhir/hash.h"

#include "base/id.h"

#include <pthread.h>

static uint64_t key[4];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
draw(void)
{
    random_bytes(key, sizeof key);
    for (size_t i = 0; i < COUNT_OF(key); i++)
        key[i] |= 1;
}

void
hash_start(void)
{
    pthread_once(&once, draw);
}

/* Product of 64 × 64 bits, folded. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

uint64_t
hash_number(uint64_t chain, uint64_t number)
{
    uint64_t h = fold(chain ^ key[0], number ^ key[1]);
    return fold(h ^ key[2], key[3]) | 1;
}

uint64_t
hash_view(uint64_t chain, view v)
{
    uint64_t h = hash_number(chain, v.n);
    size_t i = 0;
    for (; i + 8 <= v.n; i += 8)
        h = fold(h ^ load(v.p + i, 8), key[2]);
    if (i < v.n)
        h = fold(h ^ load(v.p + i, v.n - i), key[1]);
    return fold(h ^ key[0], key[3]) | 1;
}

/* Linear steps within a cache line or two: three quarters full is cheaper than twice the memory. */
static bool
is_full(uint64_t n, uint32_t room)
{
    return n * 4 > (uint64_t)room * 3;
}

bool
hash_table_init(struct hash_table *h, arena *mem, uint32_t n)
{
    uint32_t room = 16;
    while (is_full(n, room) && room < UINT32_C(1) << 30)
        room *= 2;
    *h = (struct hash_table){.mem = mem, .room = room};
    h->slots = arena_make_array(mem, room, struct hash_slot);
    return h->slots != NULL;
}

/* The slot of hash, or the free one where it would stand. */
static struct hash_slot *
slot_of(const struct hash_table *h, uint64_t hash)
{
    for (uint64_t at = hash >> 1;; at++) {
        struct hash_slot *slot = &h->slots[at & (h->room - 1)];
        if (slot->hash == hash || slot->hash == 0)
            return slot;
    }
}

static bool
grow(struct hash_table *h)
{
    struct hash_table wide;
    if (!hash_table_init(&wide, h->mem, h->room + 1))
        return false;
    for (uint32_t i = 0; i < h->room; i++)
        if (h->slots[i].hash)
            *slot_of(&wide, h->slots[i].hash) = h->slots[i];
    wide.n = h->n;
    *h = wide;
    return true;
}

err
hash_table_add(struct hash_table *h, uint64_t hash, uint32_t value, uint32_t *ret_found)
{
    struct hash_slot *slot = slot_of(h, hash);
    if (slot->hash == hash) {
        if (ret_found)
            *ret_found = slot->value;
        return E_DUPLICATE;
    }
    if (is_full((uint64_t)h->n + 1, h->room)) {
        if (!grow(h))
            return E_TOO_LARGE;
        slot = slot_of(h, hash);
    }
    *slot = (struct hash_slot){.hash = hash, .value = value};
    h->n++;
    if (ret_found)
        *ret_found = value;
    return E_OK;
}

void
hash_table_set(struct hash_table *h, uint64_t hash, uint32_t value)
{
    struct hash_slot *slot = slot_of(h, hash);
    if (slot->hash == hash)
        slot->value = value;
}

bool
hash_table_find(const struct hash_table *h, uint64_t hash, uint32_t *ret_value)
{
    const struct hash_slot *slot = h->slots ? slot_of(h, hash) : NULL;
    if (!slot || slot->hash != hash)
        return false;
    *ret_value = slot->value;
    return true;
}
