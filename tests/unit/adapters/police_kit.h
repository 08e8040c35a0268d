/* What the tests of the police adapter share: reading and interpreting a record, and facts as text. */
#ifndef TESTS_UNIT_ADAPTERS_POLICE_KIT_H
#define TESTS_UNIT_ADAPTERS_POLICE_KIT_H

#include "adapters/case_codec.h"
#include "adapters/police/inside.h"
#include "adapters/police/sample.h"
#include "base/digest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
    arena *mem;
    struct tree tree;
    struct issues issues;
    struct reading reading;
    struct fault fault;
    err code; /* of reading or interpreting */
};

static inline arena *
kit_arena(void)
{
    digest_start();
    return arena_new(64u << 20);
}

static inline struct outcome
kit_interpret(arena *mem, enum fhir_media media, view bytes)
{
    struct outcome o = {.mem = mem};
    fault_init(&o.fault);
    issues_init(&o.issues, mem, 1000);
    o.code = police_read(media, bytes, mem, &o.tree, &o.fault);
    if (o.code == E_OK)
        o.code = police_interpret(&o.tree, mem, &o.issues, &o.reading, &o.fault);
    return o;
}

static inline struct outcome
kit_json(arena *mem, const char *text)
{
    return kit_interpret(mem, FHIR_JSON, view_of(text));
}

static inline const struct issue *
kit_issue(const struct outcome *o, err code)
{
    for (const struct issue *i = o->issues.first; i; i = i->next)
        if (i->code == code)
            return i;
    return NULL;
}

static inline size_t
kit_count(const struct outcome *o, err code)
{
    size_t n = 0;
    for (const struct issue *i = o->issues.first; i; i = i->next)
        n += i->code == code;
    return n;
}

static inline void
kit_print_issues(const struct outcome *o)
{
    for (const struct issue *i = o->issues.first; i; i = i->next)
        fprintf(stderr, "%s %.*s: expected %.*s, found %.*s\n", err_info(i->code)->code, VIEW_ARG(i->path),
                VIEW_ARG(i->expected), VIEW_ARG(i->found));
    if (o->fault.code != E_OK)
        fprintf(stderr, "fault %s at %s line %ld: %s / %s\n", err_info(o->fault.code)->code, o->fault.where,
                o->fault.line, o->fault.expected, o->fault.found);
}

/* Facts as compact JSON. */
static inline view
kit_facts(arena *mem, const struct claim_case *c, bool with_sources)
{
    struct buf b;
    buf_init(&b, 8u << 20);
    cr_assert_eq(case_encode(c, NULL, with_sources, &b), E_OK);
    view v = arena_dup(mem, buf_view(&b));
    buf_done(&b);
    cr_assert(v.p);
    return v;
}

/* text with one part replaced. */
static inline char *
kit_replace(arena *mem, const char *text, const char *part, const char *by)
{
    const char *at = strstr(text, part);
    cr_assert(at, "the text does not hold %s", part);
    view v = arena_printf(mem, "%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
    return arena_cstr(mem, v);
}

#endif
