#include "base/json_names.h"

#include "base/id.h"

#include <endian.h>

/* Up to eight bytes of a name of n bytes, from both ends, without reading outside of it. */
static uint64_t
names_sample(const char *p, size_t n)
{
    uint64_t wide = 0;
    uint32_t head = 0, tail = 0;

    if (n >= 8) {
        memcpy(&wide, p, 8);
        return wide;
    }
    if (n >= 4) {
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        return (uint64_t)head << 32 | tail;
    }
    if (n == 0)
        return 0;
    return (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
           (unsigned char)p[n - 1];
}

uint64_t
names_bit(view name)
{
    uint64_t tail = 0;

    if (name.n > 8)
        memcpy(&tail, name.p + name.n - 8, 8);
    /* Not keyed: a bit hit by intent costs NAMES_FEW comparisons at most. */
    uint64_t mixed = (names_sample(name.p, name.n) ^ name.n) * 0x9E3779B97F4A7C15U;
    mixed ^= tail * 0xC2B2AE3D27D4EB4FU;
    return (uint64_t)1 << (mixed >> 58);
}

static inline uint64_t
rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* SipHash (Aumasson, Bernstein 2012) with one round a word and three at the end, over the parent as eight bytes
 * and the text. */
uint64_t
names_hash(const uint64_t seed[2], uint32_t parent, view text)
{
    uint64_t v[4] = {seed[0] ^ 0x736F6D6570736575U, seed[1] ^ 0x646F72616E646F6DU,
                     seed[0] ^ 0x6C7967656E657261U, seed[1] ^ 0x7465646279746573U};
    size_t at = 0;
    uint64_t word;

    sip_word(v, parent);
    for (; text.n - at >= 8; at += 8) {
        memcpy(&word, text.p + at, 8);
        sip_word(v, le64toh(word));
    }
    word = (uint64_t)(text.n + sizeof(uint64_t)) << 56;
    for (size_t i = 0; at + i < text.n; i++)
        word |= (uint64_t)(unsigned char)text.p[at + i] << (8 * i);
    sip_word(v, word);
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot that holds the same name of the same object, or the free one where it belongs. */
static struct names_slot *
names_find(const struct names *s, const struct tree *t, const struct node *wanted, uint32_t hash)
{
    uint32_t mask = s->room - 1;
    uint32_t i = hash & mask;

    for (; s->slots[i].node != 0; i = (i + 1) & mask) {
        const struct node *found = &t->nodes[s->slots[i].node];
        if (s->slots[i].hash == hash && found->parent == wanted->parent &&
            view_eq(node_name(t, found), node_name(t, wanted)))
            break;
    }
    return &s->slots[i];
}

static bool
names_grow(struct names *s, arena *mem)
{
    struct names bigger = *s;

    bigger.room = s->room == 0 ? 64 : s->room * 2;
    bigger.slots = arena_make_array(mem, bigger.room, struct names_slot);
    if (bigger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < s->room; i++) {
        uint32_t to = s->slots[i].hash & (bigger.room - 1);
        if (s->slots[i].node == 0)
            continue;
        while (bigger.slots[to].node != 0)
            to = (to + 1) & (bigger.room - 1);
        bigger.slots[to] = s->slots[i];
    }
    *s = bigger;
    return true;
}

enum names_verdict
names_put(struct names *s, const struct tree *t, uint32_t at, arena *mem)
{
    const struct node *node = &t->nodes[at];

    if (s->room == 0)
        random_bytes(s->seed, sizeof s->seed);
    if (s->n * 2 >= s->room && !names_grow(s, mem))
        return NAMES_FULL;
    uint32_t hash = (uint32_t)names_hash(s->seed, node->parent, node_name(t, node));
    struct names_slot *slot = names_find(s, t, node, hash);
    if (slot->node != 0)
        return NAMES_TWICE;
    *slot = (struct names_slot){at, hash};
    s->n++;
    return NAMES_NEW;
}
