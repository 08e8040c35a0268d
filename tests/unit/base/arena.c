#include "base/arena.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static char letters[] = "abcdefghijklmnopqrstuvwxyz";
static char order[8];
static size_t n_order;

static void
note(void *object)
{
    order[n_order++] = *(const char *)object;
}

Test(arena, gives_zeroed_aligned_blocks_of_any_size)
{
    AUTO(arena_free) arena *mem = arena_new(64u * 1024 * 1024);
    unsigned state = 7;
    for (int round = 0; round < 2; round++) {
        char *before = NULL;
        size_t before_n = 0;
        for (int i = 0; i < 3000; i++) {
            state = state * 1103515245u + 12345u;
            size_t n = i % 500 == 499 ? 100000 : state >> 16 & 511;
            char *p = arena_alloc(mem, n);
            cr_assert_not_null(p);
            cr_assert_eq((uintptr_t)p % 16, 0);
            for (size_t k = 0; k < n; k++)
                cr_assert_eq(p[k], 0, "round %d, block %d of %zu, byte %zu", round, i, n, k);
            for (size_t k = 0; k < before_n; k++)
                cr_assert_eq((unsigned char)before[k], 0xA5, "a later block lies over block %d", i - 1);
            memset(p, 0xA5, n);
            before = p;
            before_n = n;
        }
        arena_reset(mem);
        cr_assert_eq(arena_used(mem), 0);
    }
}

Test(arena, the_kept_chunk_grows_to_what_requests_take)
{
    AUTO(arena_free) arena *mem = arena_new(64u * 1024 * 1024);
    const size_t sizes[] = {1000, 90000, 90000, 8000000, 200000, 100};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t done = 0; done < sizes[i]; done += 500) {
            char *p = arena_alloc(mem, 500);
            cr_assert_not_null(p);
            for (size_t k = 0; k < 500; k++)
                cr_assert_eq(p[k], 0, "round %zu", i);
            memset(p, 0x5A, 500);
        }
        arena_reset(mem);
        cr_assert_eq(arena_used(mem), 0);
    }
}

Test(arena, keeps_its_ceiling)
{
    AUTO(arena_free) arena *mem = arena_new(64);
    cr_assert_not_null(arena_alloc(mem, 33)); /* 48 with alignment */
    cr_assert_eq(arena_used(mem), 48);
    cr_assert_null(arena_alloc(mem, 17));
    cr_assert_not_null(arena_alloc(mem, 0));
    cr_assert_null(arena_alloc(mem, 0));
    cr_assert_null(arena_alloc(mem, SIZE_MAX));
    cr_assert_eq(arena_used(mem), 64);
    arena_reset(mem);
    cr_assert_not_null(arena_alloc(mem, 64));
    AUTO(arena_free) arena *none = arena_new(0);
    cr_assert_null(arena_alloc(none, 0));
}

Test(arena, refuses_arrays_whose_size_overflows)
{
    AUTO(arena_free) arena *mem = arena_new(SIZE_MAX);
    cr_assert_null(arena_array(mem, SIZE_MAX / 2, 3));
    cr_assert_null(arena_array(mem, SIZE_MAX, SIZE_MAX));
    cr_assert_null(arena_alloc(mem, SIZE_MAX - 15));
    cr_assert_null(arena_cstr(mem, (view){"", SIZE_MAX}));
    cr_assert_not_null(arena_array(mem, 3, 5));
    cr_assert_not_null(arena_array(mem, 0, SIZE_MAX));
}

Test(arena, copies_text_with_a_nul)
{
    AUTO(arena_free) arena *mem = arena_new(4096);
    view v = arena_dup(mem, (view){"abcdef", 3});
    cr_assert(view_eq(v, V("abc")));
    cr_assert_eq(v.p[3], '\0');
    cr_assert_null(arena_dup(mem, VIEW_NONE).p);
    cr_assert_not_null(arena_dup(mem, V("")).p);
    cr_assert_str_eq(arena_cstr(mem, VIEW_NONE), "");
    cr_assert(view_eq(arena_printf(mem, "%s-%d", "x", 42), V("x-42")));
    cr_assert(view_eq(arena_printf(mem, "%s", ""), V("")));
    cr_assert_null(arena_printf(mem, "%5000d", 1).p);
    AUTO(arena_free) arena *small = arena_new(16);
    cr_assert_null(arena_dup(small, V("0123456789abcdef")).p); /* no room for the NUL */
    cr_assert_not_null(arena_dup(small, V("0123456789abcde")).p);
}

Test(arena, runs_deferred_last_in_first_out_once)
{
    arena *mem = arena_new(4096);
    cr_assert(arena_defer(mem, note, &letters['a' - 'a']));
    cr_assert(arena_defer(mem, note, &letters['b' - 'a']));
    cr_assert(arena_defer(mem, note, &letters['c' - 'a']));
    arena_reset(mem);
    cr_assert_str_eq(order, "cba");
    cr_assert(arena_defer(mem, note, &letters['d' - 'a']));
    arena_free(mem);
    cr_assert_str_eq(order, "cbad");
    arena_free(NULL);
}

Test(arena, takes_a_deferred_object_even_without_room)
{
    AUTO(arena_free) arena *mem = arena_new(8);
    cr_assert_not(arena_defer(mem, note, &letters['x' - 'a']));
    cr_assert_str_eq(order, "x");
    arena_reset(mem);
    cr_assert_str_eq(order, "x");
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
Test(arena, sanitizer_sees_the_end_of_each_block)
{
    AUTO(arena_free) arena *mem = arena_new(4096);
    for (size_t n = 1; n < 40; n++) {
        char *p = arena_alloc(mem, n);
        cr_assert(p && !__asan_address_is_poisoned(p + n - 1) && __asan_address_is_poisoned(p + n), "%zu", n);
    }
    char *p = arena_alloc(mem, 8);
    arena_reset(mem);
    cr_assert(__asan_address_is_poisoned(p));
}
#endif
#endif

/* Deferred objects are often larger than the arena knows; with AddressSanitizer this also shows that none is lost. */
Test(arena, frees_foreign_objects)
{
    AUTO(arena_free) arena *mem = arena_new(1024 * 1024);
    for (int i = 0; i < 1000; i++)
        cr_assert(arena_defer(mem, free, malloc(100)));
}
