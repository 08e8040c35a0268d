/* The short way of printing says what the library says, byte for byte. */
#include "base/format.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 1, 2))) static void
check(const char *format, ...)
{
    for (size_t room = 0; room < 90; room++) {
        char want[96], found[96];
        va_list args;
        memset(want, '#', sizeof want);
        memset(found, '#', sizeof found);
        va_start(args, format);
        int wanted = vsnprintf(want, room, format, args);
        va_end(args);
        va_start(args, format);
        int n = format_print(found, room, format, args);
        va_end(args);
        cr_assert_eq(n, wanted, "%s in %zu: %d", format, room, n);
        cr_assert_arr_eq(found, want, sizeof want, "%s in %zu", format, room);
    }
}

Test(format, every_conversion_of_ours_prints_as_the_library_does)
{
    check("plain");
    check("%s", "");
    check("%s and %s", "one", "two");
    check("%.*s|%.*s|%.*s", 0, "gone", 3, "abcdef", 9, "short");
    const char *volatile none = NULL;
    check("%.*s", 0, none);
    check("%c%c%%%c", 'a', '"', 'b');
    check("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    check("%u %u", 0u, UINT_MAX);
    check("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
    check("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
    check("%zu %zu", (size_t)0, SIZE_MAX);
}

Test(format, any_other_conversion_is_left_to_the_library)
{
    check("%04u-%02u", 7u, 3u);
    check("%s %5d %s", "a", 42, "b");
    check("%x %08llx", 255u, 255ull);
    check("%.2s %-6s|", "abc", "d");
    check("%.*s", -1, "all of it");
    check("%d %.3f %d", 1, 2.5, 3);
    check("%s%04x", "u", 10u);
}
