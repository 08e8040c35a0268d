/* What the tests of the JSON reader share: reading a copy that ends where the text does.  One thread. */
#ifndef TESTS_JSON_KIT_H
#define TESTS_JSON_KIT_H

#include "base/json_tree.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM ((size_t)64 << 20)

/* A copy without a byte behind it, so that AddressSanitizer sees a read too far. */
static inline UNUSED char *
exact_copy(view text)
{
    char *copy = malloc(text.n > 0 ? text.n : 1);
    cr_assert_not_null(copy);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    return copy;
}

static inline UNUSED err
read_with(view text, const struct tree_limits *limits, struct fault *f)
{
    arena *mem = arena_new(ROOM);
    char *copy = exact_copy(text);
    struct tree t = {.n = 77};

    fault_init(f);
    err e = tree_read_json(view_make(copy, text.n), limits, mem, &t, f);
    cr_assert_eq(f->code, e);
    if (e != E_OK)
        cr_assert_eq(t.n, 77, "touched on failure");
    free(copy);
    arena_free(mem);
    return e;
}

static inline UNUSED err
read_err(view text)
{
    struct fault f;
    return read_with(text, NULL, &f);
}

static inline UNUSED struct tree
must_read(view text, arena *mem)
{
    struct tree t = {0};
    struct fault f;

    fault_init(&f);
    err e = tree_read_json(text, NULL, mem, &t, &f);
    cr_assert_eq(e, E_OK, "%s at %ld: %s, not %s", err_info(e)->name, f.from, f.expected, f.found);
    return t;
}

static inline UNUSED void
expect_view(view got, view wanted)
{
    cr_assert(view_eq(got, wanted), "'%.*s', not '%.*s'", VIEW_ARG(got), VIEW_ARG(wanted));
}

#endif
