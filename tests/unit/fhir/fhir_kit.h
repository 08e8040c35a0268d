/* What the tests of this room share: read a text, judge it, look for one finding.  One thread; the kit
 * owns its arena. */
#ifndef TESTS_FHIR_KIT_H
#define TESTS_FHIR_KIT_H

#include "fhir/fhir.h"

#include <criterion/criterion.h>

struct kit {
    arena *mem;
    struct tree tree;
    struct bundle bundle;
    struct issues issues;
    struct fault fault;
    struct profile_set *profiles;
};

static inline UNUSED void
kit_init(struct kit *k)
{
    *k = (struct kit){.mem = arena_new(64u << 20)};
    fault_init(&k->fault);
    issues_init(&k->issues, k->mem, 100);
}

static inline UNUSED void
kit_done(struct kit *k)
{
    profiles_free(k->profiles);
    arena_free(k->mem);
}

static inline UNUSED err
kit_read(struct kit *k, const char *text)
{
    fault_init(&k->fault);
    return fhir_read_signed(NULL, view_of(text), k->mem, &k->tree, &k->fault);
}

static inline UNUSED const struct node *
kit_at(const struct kit *k, const char *path)
{
    return node_at(&k->tree, tree_root(&k->tree), path);
}

static inline UNUSED void
kit_load(struct kit *k, const struct embedded *files, size_t n)
{
    err e = profiles_load(files, n, &k->profiles, &k->fault);
    cr_assert_eq(e, E_OK, "%s: %s, found %s", k->fault.where, k->fault.expected, k->fault.found);
}

/* Reads and judges; the issues start anew. */
static inline UNUSED void
kit_judge_by(struct kit *k, const char *text, struct validate_options o)
{
    err e = kit_read(k, text);
    cr_assert_eq(e, E_OK, "not read: %s %s", err_info(e)->name, k->fault.where);
    issues_init(&k->issues, k->mem, 100);
    e = fhir_validate_resource(k->profiles, &k->tree, tree_root(&k->tree), &o, k->mem, &k->issues);
    cr_assert_eq(e, E_OK, "not judged: %s", err_info(e)->name);
}

static inline UNUSED void
kit_judge(struct kit *k, const char *text, bool strict, const char *demand)
{
    kit_judge_by(k, text, (struct validate_options){.demand = view_of(demand), .strict = strict});
}

static inline UNUSED const struct issue *
kit_issue(const struct kit *k, err code, const char *path)
{
    for (const struct issue *i = k->issues.first; i; i = i->next)
        if (i->code == code && (!path || view_eq(i->path, view_of(path))))
            return i;
    return NULL;
}

static inline UNUSED size_t
kit_count(const struct kit *k, enum issue_severity severity)
{
    size_t n = 0;
    for (const struct issue *i = k->issues.first; i; i = i->next)
        n += i->severity == severity;
    return n;
}

/* All issues as lines, for the message of a failed assertion. */
static inline UNUSED const char *
kit_show(const struct kit *k)
{
    view text = V("");
    for (const struct issue *i = k->issues.first; i; i = i->next)
        text = arena_printf(k->mem, "%.*s%d %s %.*s: expected %.*s, found %.*s\n", VIEW_ARG(text),
                            i->severity, err_info(i->code)->name, VIEW_ARG(i->path), VIEW_ARG(i->expected),
                            VIEW_ARG(i->found));
    return arena_cstr(k->mem, text);
}

/* Exactly these errors: pairs of code and path, ended by E_OK. */
struct expected_error {
    err code;
    const char *path;
};

static inline UNUSED void
kit_expect(const struct kit *k, const char *what, const struct expected_error *errors)
{
    size_t n = 0;
    for (; errors[n].code != E_OK; n++) {
        const struct issue *i = kit_issue(k, errors[n].code, errors[n].path);
        cr_assert(i && i->severity == ISSUE_ERROR, "%s: no %s at %s in\n%s", what,
                  err_info(errors[n].code)->name, errors[n].path, kit_show(k));
    }
    cr_assert_eq(k->issues.errors, n, "%s: %zu errors instead of %zu:\n%s", what, k->issues.errors, n,
                 kit_show(k));
}

#endif
