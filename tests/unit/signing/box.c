/* Sealed bytes and wrapped keys; the contexts are the thread's and must carry nothing from one call to the next. */
#include "signing/box.h"

#include <criterion/criterion.h>
#include <pthread.h>

static const uint8_t ONE[32] = {1}, TWO[32] = {2};

static view
sealed(const uint8_t key[32], view aad, view plain, arena *mem)
{
    view box = VIEW_NONE;
    cr_assert_eq(box_seal(key, aad, plain, mem, &box), E_OK);
    cr_assert_eq(box.n, plain.n + BOX_OVERHEAD);
    return box;
}

Test(box, opens_what_was_sealed_and_nothing_else)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    const view texts[] = {V(""), V("a"), V("sixteen bytes...and some more")};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        view box = sealed(ONE, V("place"), texts[i], mem), plain = VIEW_NONE;
        cr_expect_eq(box_open(TWO, V("place"), box, mem, &plain), E_STORE_CORRUPT);
        cr_expect_eq(box_open(ONE, V("other"), box, mem, &plain), E_STORE_CORRUPT);
        cr_expect_eq(box_open(ONE, V("place"), view_sub(box, 0, box.n - 1), mem, &plain), E_STORE_CORRUPT);
        for (size_t at = 0; at < box.n; at++) {
            char *bytes = arena_cstr(mem, box);
            bytes[at] ^= 1;
            cr_expect_eq(box_open(ONE, V("place"), view_make(bytes, box.n), mem, &plain), E_STORE_CORRUPT);
        }
        cr_assert_eq(box_open(ONE, V("place"), box, mem, &plain), E_OK, "after all the failures");
        cr_expect(view_eq(plain, texts[i]));
    }
}

Test(box, the_same_text_is_never_sealed_the_same)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    view first = sealed(ONE, V(""), V("text"), mem), second = sealed(ONE, V(""), V("text"), mem);
    cr_expect(!view_eq(first, second));
}

/* RFC 3394, 4.6. */
Test(box, wraps_as_the_published_vector)
{
    static const uint8_t want[WRAPPED_KEY_SIZE] = {
        0x28, 0xC9, 0xF4, 0x04, 0xC4, 0xB8, 0x10, 0xF4, 0xCB, 0xCC, 0xB3, 0x5C, 0xFB, 0x87,
        0xF8, 0x26, 0x3F, 0x57, 0x86, 0xE2, 0xD8, 0x0E, 0xD3, 0x26, 0xCB, 0xC7, 0xF0, 0xE7,
        0x1A, 0x99, 0xF4, 0x3B, 0xFB, 0x98, 0x8B, 0x9B, 0x7A, 0x02, 0xDD, 0x21};
    uint8_t kek[32], key[32], wrapped[WRAPPED_KEY_SIZE], back[32];
    for (unsigned i = 0; i < 32; i++) {
        kek[i] = (uint8_t)i;
        key[i] = (uint8_t)(i < 16 ? i * 0x11 : i - 16);
    }
    for (int round = 0; round < 3; round++) {
        key_wrap(kek, key, wrapped);
        cr_expect_arr_eq(wrapped, want, sizeof want, "round %d", round);
        cr_expect_eq(key_unwrap(ONE, view_make(wrapped, sizeof wrapped), back), E_STORE_CORRUPT);
        cr_assert_eq(key_unwrap(kek, view_make(wrapped, sizeof wrapped), back), E_OK);
        cr_expect_arr_eq(back, key, sizeof key);
    }
}

static void *
seal_many(void *ret_bad)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    for (uint8_t i = 0; i < 200; i++) {
        const uint8_t key[32] = {i, (uint8_t)(uintptr_t)&mem};
        view box = VIEW_NONE, plain = VIEW_NONE;
        if (box_seal(key, V("x"), V("text"), mem, &box) != E_OK ||
            box_open(key, V("x"), box, mem, &plain) != E_OK || !view_eq(plain, V("text")))
            *(int *)ret_bad += 1;
        arena_reset(mem);
    }
    return NULL;
}

Test(box, threads_have_contexts_of_their_own)
{
    pthread_t threads[4];
    int bad[COUNT_OF(threads)] = {0};
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, seal_many, &bad[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(bad[i], 0);
    }
}
