/* The packs that are loaded together, and what their links lead to.
 *
 * A link is resolved in its own package first, then in the packages that it depends on, then in the base; last, in
 * whatever is loaded, the newest.  A document names a profile without package: the packs whose window holds the day
 * are asked, the newest version answers.
 *
 * Immutable after profiles_open, any thread.  Inside this room only; the public face is fhir.h. */
#ifndef FHIR_PACK_SET_H
#define FHIR_PACK_SET_H

#include "fhir/fhir.h"
#include "fhir/pack.h"

struct profile_set {
    arena *mem;
    struct pack *packs;
    uint32_t n_packs;
    const struct pack *base;  /* the one with rows; NULL when there is none */
    const uint8_t *builds_on; /* n_packs * n_packs: row builds on column, near or far */
    uint32_t n_profiles;      /* of all packs */
};

/* The base alone, for those who load nothing. */
const struct profile_set *profiles_base(void);
/* today: 20260701, 0: windows do not matter.  context: the pack whose profile the document follows, which with those it
 * builds on is asked first; NULL: none.  pack NULL: not loaded. */
struct pack_item packs_find(const struct profile_set *s, const struct pack *context, enum pack_kind kind,
                            view canonical, uint32_t today);
/* The same canonical in the next window behind today, and its first day; pack NULL: there is none. */
struct pack_item packs_find_next(const struct profile_set *s, view canonical, uint32_t today,
                                 uint32_t *ret_from);

/* -- codes -- */
enum code_answer { CODE_IN, CODE_OUT, CODE_UNCLEAR };
/* has_system false: a bare code. */
enum code_answer pack_set_holds(const struct pack *p, uint32_t set, view system, bool has_system, view code);

/* CODE_OUT only where the system lists all that it has. */
enum code_answer pack_system_holds(const struct pack *p, uint32_t system, view code);
/* What is known of a code: a row for each time that it is in force; their number. */
size_t pack_system_words(const struct pack *p, uint32_t system, view code, struct code_facts *out,
                         size_t room);
/* True also where no days are known, or today is 0. */
bool pack_system_in_force(const struct pack *p, uint32_t system, view code, uint32_t today);

static inline const struct pack_profile *
item_profile(struct pack_item i)
{
    return &i.pack->profiles[i.n];
}
static inline bool
is_same_item(struct pack_item a, struct pack_item b)
{
    return a.pack == b.pack && a.n == b.n;
}

#endif
