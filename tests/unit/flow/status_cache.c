#include "flow/person/status_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define AT(s) ((instant){(int64_t)(s)*1000000})

static struct adapter_answer
answer(view body)
{
    return (struct adapter_answer){
        .status = 200, .body = body, .media_type = V("application/statuslist+jwt")};
}

static bool
has(struct status_cache *c, const char *uri, instant now, view *ret_body)
{
    arena *mem = arena_new(32u << 20);
    struct adapter_answer a = {0};
    bool found = status_cache_find(c, V("did:key:z1"), view_of(uri), now, mem, &a);
    if (found && ret_body)
        ret_body->n = a.body.n;
    cr_assert(!found || (a.status == 200 && view_eq(a.media_type, V("application/statuslist+jwt"))));
    arena_free(mem);
    return found;
}

Test(status_cache, a_list_is_kept_as_long_as_it_says)
{
    struct status_cache *c = status_cache_new();
    struct adapter_answer a = answer(V("list"));
    status_cache_keep(c, V("did:key:z1"), V("https://i/1"), &a, AT(100));
    cr_assert(has(c, "https://i/1", AT(99), NULL));
    cr_assert_not(has(c, "https://i/1", AT(100), NULL), "its time is over");
    cr_assert_not(has(c, "https://i/2", AT(99), NULL), "another list");
    arena *mem = arena_new(65536);
    cr_assert_not(status_cache_find(c, V("did:key:z2"), V("https://i/1"), AT(99), mem, &a),
                  "another issuer's");
    arena_free(mem);
    status_cache_free(c);
}

Test(status_cache, a_newer_list_takes_the_place_of_the_older)
{
    struct status_cache *c = status_cache_new();
    struct adapter_answer a = answer(V("old")), b = answer(V("newer"));
    view body = VIEW_NONE;
    status_cache_keep(c, V("did:key:z1"), V("https://i/1"), &a, AT(100));
    status_cache_keep(c, V("did:key:z1"), V("https://i/1"), &b, AT(200));
    cr_assert(has(c, "https://i/1", AT(150), &body));
    cr_assert_eq(body.n, 5);
    status_cache_free(c);
}

Test(status_cache, room_is_bounded)
{
    struct status_cache *c = status_cache_new();
    struct adapter_answer a = answer(V("x"));
    char uri[64];
    for (int i = 0; i < 40; i++) {
        snprintf(uri, sizeof uri, "https://i/%d", i);
        status_cache_keep(c, V("did:key:z1"), view_of(uri), &a, AT(100 + i));
    }
    cr_assert_not(has(c, "https://i/0", AT(50), NULL), "the one that ends first made place");
    cr_assert(has(c, "https://i/39", AT(50), NULL));
    static char large[10u << 20];
    struct adapter_answer big = answer(view_make(large, sizeof large));
    for (int i = 0; i < 10; i++) {
        snprintf(uri, sizeof uri, "https://big/%d", i);
        status_cache_keep(c, V("did:key:z1"), view_of(uri), &big, AT(1000));
    }
    int kept = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(uri, sizeof uri, "https://big/%d", i);
        kept += has(c, uri, AT(50), NULL);
    }
    cr_assert_eq(kept, 6, "64 MiB hold six of 10 MiB, not %d", kept);
    cr_assert(has(c, "https://big/9", AT(50), NULL));
    static char huge[12u << 20];
    struct adapter_answer too = answer(view_make(huge, sizeof huge));
    status_cache_keep(c, V("did:key:z1"), V("https://huge"), &too, AT(1000));
    cr_assert_not(has(c, "https://huge", AT(50), NULL), "more than a list may be");
    status_cache_free(c);
}
