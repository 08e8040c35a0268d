#include "cli/check/heads.h"

#include "signing/log/merkle.h"

/* Where the next checkpoint begins: behind the first signature lines after an empty line. */
static size_t
checkpoint_length(view text)
{
    size_t at = view_find(text, V("\n\n"));
    if (at >= text.n)
        return text.n;
    at += 2;
    const view dash = V("\xe2\x80\x94 ");
    while (at < text.n && view_starts(view_sub(text, at, text.n), dash)) {
        size_t end = view_find_byte(view_sub(text, at, text.n), '\n');
        at = at + end + 1 < text.n ? at + end + 1 : text.n;
    }
    return at;
}

static err
head_check(view text, view origin, void *const *pkeys, size_t n_keys, struct head *ret, struct fault *f)
{
    err e = fault_set(f, E_SIGNER_UNKNOWN, "keys", "a key of the log", "none");
    for (size_t i = 0; i < n_keys; i++) {
        fault_init(f);
        e = checkpoint_check(text, origin, pkeys[i], &ret->n, &ret->root, f);
        if (e == E_OK)
            return E_OK;
    }
    return e;
}

static view
origin_of(view text)
{
    return view_cut(&text, '\n', NULL);
}

static void
heads_add(struct head **first, struct head *h)
{
    while (*first && (*first)->n < h->n)
        first = &(*first)->next;
    h->next = *first;
    *first = h;
}

err
heads_read(view text, view origin, void *const *pkeys, size_t n_keys, arena *mem, struct head **ret,
           size_t *ret_at, struct fault *f)
{
    for (size_t at = 0, n; at < text.n; at += n) {
        view rest = view_sub(text, at, text.n);
        n = rest.p[0] == '\n' ? 1 : checkpoint_length(rest);
        if (rest.p[0] == '\n')
            continue;
        struct head *h = arena_make(mem, struct head);
        view one = view_sub(rest, 0, n);
        *ret_at = at;
        if (!h)
            return E_TOO_LARGE;
        TRY(head_check(one, origin.n ? origin : origin_of(one), pkeys, n_keys, h, f));
        heads_add(ret, h);
    }
    return E_OK;
}
