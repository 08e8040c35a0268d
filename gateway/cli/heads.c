#include "cli/heads.h"

#include "signing/merkle.h"

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

err
heads_read(view text, view origin, void *const *pkeys, size_t n_keys, arena *mem, struct head **ret,
           struct fault *f)
{
    struct head *first = NULL;
    while (text.n) {
        if (text.p[0] == '\n') {
            text = view_sub(text, 1, text.n);
            continue;
        }
        size_t n = checkpoint_length(text);
        struct head *h = arena_make(mem, struct head);
        if (!h)
            return E_TOO_LARGE;
        TRY(head_check(view_sub(text, 0, n), origin, pkeys, n_keys, h, f));
        struct head **at = &first;
        while (*at && (*at)->n < h->n)
            at = &(*at)->next;
        h->next = *at;
        *at = h;
        text = view_sub(text, n, text.n);
    }
    *ret = first;
    return E_OK;
}
