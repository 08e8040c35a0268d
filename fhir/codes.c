#include "fhir/pack_set.h"

/* Whether a code is in a value set: binary search in sorted lists, through sets that sets include. */

/* Sets that one may reach by inclusion, one below the other. */
#define INCLUDED_MAX 8

/* Number of a code, the first of several equal ones; PACK_NONE. */
static uint32_t
find_code(const struct pack *p, struct pack_span codes, view code)
{
    uint32_t low = codes.from, high = codes.from + codes.n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (view_cmp(pack_view(p, p->codes[middle]), code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < codes.from + codes.n && view_eq(pack_view(p, p->codes[low]), code) ? low : PACK_NONE;
}

static bool
is_listed(const struct pack *p, struct pack_span codes, view code)
{
    return find_code(p, codes, code) != PACK_NONE;
}

enum code_answer
pack_system_holds(const struct pack *p, uint32_t system, view code)
{
    const struct pack_system *s = &p->systems[system];
    if (is_listed(p, s->codes, code))
        return CODE_IN;
    return s->complete && !s->any_case ? CODE_OUT : CODE_UNCLEAR;
}

size_t
pack_system_words(const struct pack *p, uint32_t system, view code, struct code_facts *out, size_t room)
{
    const struct pack_system *s = &p->systems[system];
    size_t n = 0;
    for (uint32_t i = find_code(p, s->codes, code); i < s->codes.from + s->codes.n; i++) {
        if (!view_eq(pack_view(p, p->codes[i]), code))
            break;
        const struct pack_word *w = s->words == PACK_NONE ? NULL : &p->words[s->words + i - s->codes.from];
        if (n < room)
            out[n] = w ? (struct code_facts){pack_view(p, w->display), w->from, w->until}
                       : (struct code_facts){.display = VIEW_NONE};
        n++;
    }
    return n;
}

/* Windows of one code. */
#define WINDOWS_MOST 64

bool
pack_system_in_force(const struct pack *p, uint32_t system, view code, uint32_t today)
{
    struct code_facts facts[WINDOWS_MOST];
    size_t n = p->systems[system].words == PACK_NONE || !today
                   ? 0
                   : pack_system_words(p, system, code, facts, WINDOWS_MOST);
    for (size_t i = 0; i < n && i < WINDOWS_MOST; i++)
        if ((facts[i].from == 0 || facts[i].from <= today) &&
            (facts[i].until == 0 || today <= facts[i].until))
            return true;
    return n == 0;
}

size_t
codes_look(const struct profile_set *set, view system, view code, struct code_facts *out, size_t room)
{
    struct pack_item to = packs_find(set, NULL, PACK_IS_SYSTEM, system, 0);
    return to.pack ? pack_system_words(to.pack, to.n, code, out, room) : 0;
}

static enum code_answer
system_holds(const struct pack_item *to, view code)
{
    return to && to->pack ? pack_system_holds(to->pack, to->n, code) : CODE_UNCLEAR;
}

static enum code_answer
include_holds(const struct pack *p, const struct pack_include *include, view system, bool has_system,
              view code)
{
    if (has_system && !view_eq(pack_view(p, include->system), system))
        return CODE_OUT;
    if (include->flags & INCLUDE_WHOLE)
        return system_holds(pack_link_to(p, include->link), code);
    return is_listed(p, include->codes, code) ? CODE_IN : CODE_OUT;
}

struct level {
    const struct pack *pack;
    uint32_t at, end;
};

/* The level of a set, or what is known at once when there is none or no room. */
static bool
enter(struct level *levels, uint32_t *depth, struct pack_item set, enum code_answer *best)
{
    if (!set.pack || *depth == INCLUDED_MAX) {
        *best = CODE_UNCLEAR;
        return false;
    }
    const struct pack_set *s = &set.pack->sets[set.n];
    if (s->flags & SET_UNCLEAR)
        *best = CODE_UNCLEAR;
    levels[(*depth)++] = (struct level){set.pack, s->includes.from, s->includes.from + s->includes.n};
    return true;
}

static bool
is_excluded(const struct pack *p, uint32_t set, view system, bool has_system, view code)
{
    for (PACK_EACH(i, p->sets[set].includes)) {
        const struct pack_include *include = &p->includes[i];
        if ((include->flags & INCLUDE_EXCLUDES) && !(include->flags & INCLUDE_SET) &&
            include_holds(p, include, system, has_system, code) == CODE_IN)
            return true;
    }
    return false;
}

enum code_answer
pack_set_holds(const struct pack *p, uint32_t set, view system, bool has_system, view code)
{
    struct level levels[INCLUDED_MAX];
    uint32_t depth = 0;
    enum code_answer best = CODE_OUT;
    if (is_excluded(p, set, system, has_system, code))
        return CODE_OUT;
    enter(levels, &depth, (struct pack_item){p, set}, &best);
    while (depth > 0) {
        struct level *top = &levels[depth - 1];
        if (top->at == top->end) {
            depth--;
            continue;
        }
        const struct pack_include *include = &top->pack->includes[top->at++];
        if (include->flags & INCLUDE_EXCLUDES)
            continue;
        if (include->flags & INCLUDE_SET) {
            const struct pack_item *to = pack_link_to(top->pack, include->link);
            enter(levels, &depth, to ? *to : (struct pack_item){NULL, 0}, &best);
            continue;
        }
        enum code_answer a = include_holds(top->pack, include, system, has_system, code);
        if (a == CODE_IN)
            return CODE_IN;
        best = a == CODE_OUT ? best : a;
    }
    return best;
}
