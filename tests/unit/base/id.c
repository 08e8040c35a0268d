#include "base/id.h"
#include "base/deterministic.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

Test(id, prints_known_bytes)
{
    const struct {
        uid u;
        const char *text;
    } CASES[] = {
        {{{0}}, "case-00000000000000000000000000"},
        {{{[15] = 1}}, "case-00000000000000000000000001"},
        {{{[15] = 32}}, "case-00000000000000000000000010"},
        {{{0x80}}, "case-40000000000000000000000000"},
        {{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
         "case-7zzzzzzzzzzzzzzzzzzzzzzzzz"},
        {{{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}},
         "case-014d2pf2dbsqqg28t5cy4tqkff"},
    };
    char out[ID_TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        view v = uid_print(V("case"), CASES[i].u, out);
        cr_assert(view_eq(v, view_of(CASES[i].text)), "%s instead of %s", out, CASES[i].text);
        cr_assert_eq(strlen(out), v.n);
        uid back = {{7}};
        err e = uid_parse(V("case"), v, &back);
        cr_assert_eq(e, uid_is_none(CASES[i].u) ? E_SYNTAX : E_OK);
        cr_assert(e != E_OK || uid_eq(back, CASES[i].u), "case %zu", i);
    }
    cr_assert_eq(uid_print(V("twelve-bytes"), CASES[0].u, out).n, ID_TEXT_SIZE - 1);
}

Test(id, parses_one_text_per_id)
{
    const view BAD[] = {
        V(""),
        V("case-"),
        V("case-014d2pf2dbsqqg28t5cy4tqkf"),
        V("case-014d2pf2dbsqqg28t5cy4tqkfff"),
        V("case_014d2pf2dbsqqg28t5cy4tqkff"),
        V("Case-014d2pf2dbsqqg28t5cy4tqkff"),
        V("doc-014d2pf2dbsqqg28t5cy4tqkff"),
        V("case-014D2pf2dbsqqg28t5cy4tqkff"), /* upper case */
        V("case-o14d2pf2dbsqqg28t5cy4tqkff"), /* look-alikes */
        V("case-0i4d2pf2dbsqqg28t5cy4tqkff"),
        V("case-0l4d2pf2dbsqqg28t5cy4tqkff"),
        V("case-0u4d2pf2dbsqqg28t5cy4tqkff"),
        V("case-814d2pf2dbsqqg28t5cy4tqkff"), /* 129 bits */
        V("case-z14d2pf2dbsqqg28t5cy4tqkff"),
        V("case-014d2pf2dbsqqg28t5cy4tqkf\0"),
        V("case-014d2pf2dbsqqg28t5cy4tqkf "),
        V("case-00000000000000000000000000"), /* nil */
    };
    case_id id = {{{7}}};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_assert_eq(case_id_parse(BAD[i], &id), E_SYNTAX, "%.*s", VIEW_ARG(BAD[i]));
        cr_assert_eq(id.u.b[0], 7);
    }
    cr_assert_eq(case_id_parse(V("case-014d2pf2dbsqqg28t5cy4tqkff"), &id), E_OK);
    cr_assert_eq(id.u.b[15], 0xEF);
}

Test(id, is_uuid_version_7_with_the_clock)
{
    deterministic_start(1);
    deterministic_clock_set((instant){0x0123456789AB * INT64_C(1000) + 999});
    uid u = uid_new();
    static const uint8_t MS[6] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB};
    cr_assert_arr_eq(u.b, MS, sizeof MS);
    cr_assert_eq(u.b[6] >> 4, 7);
    cr_assert_eq(u.b[8] >> 6, 2);
    cr_assert_lt(u.b[6] & 0x0F, 8); /* a new millisecond begins in the lower half */
}

static void
check_order(uid *before, int i)
{
    uid next = uid_new();
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
    cr_assert_lt(memcmp(before->b, next.b, 16), 0, "number %d", i);
    cr_assert_lt(view_cmp(uid_print(V("x"), *before, a), uid_print(V("x"), next, b)), 0, "%s, %s", a, b);
    *before = next;
}

Test(id, rises_while_the_clock_stands_or_goes_back)
{
    deterministic_start(1);
    instant t = instant_of_unix(1800000000);
    uid before = uid_new();
    for (int i = 0; i < 20000; i++) { /* more than a millisecond's counter holds */
        deterministic_clock_set(t);
        check_order(&before, i);
    }
    deterministic_clock_set(instant_of_unix(1700000000));
    check_order(&before, -1);
    deterministic_clock_set(instant_of_unix(1900000000));
    check_order(&before, -2);
}

enum { PER_THREAD = 20000, THREADS = 4 };

static void *
make_many(void *arg)
{
    uid *ids = arg;
    for (int i = 0; i < PER_THREAD; i++)
        ids[i] = uid_new();
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(uid));
}

Test(id, threads_never_get_the_same)
{
    static uid ids[THREADS][PER_THREAD];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, make_many, ids[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int t = 0; t < THREADS; t++) {
        for (int i = 1; i < PER_THREAD; i++)
            cr_assert_lt(memcmp(&ids[t][i - 1], &ids[t][i], sizeof(uid)), 0);
    }
    /* Times and counters alone, without the random bits, must differ. */
    uint8_t(*all)[16] = (uint8_t(*)[16])ids;
    for (size_t i = 0; i < (size_t)THREADS * PER_THREAD; i++)
        memset(all[i] + 8, 0, 8);
    qsort(ids, (size_t)THREADS * PER_THREAD, sizeof(uid), compare);
    for (size_t i = 1; i < (size_t)THREADS * PER_THREAD; i++)
        cr_assert_lt(memcmp(all[i - 1], all[i], 16), 0);
}

/* The pool of a thread is copied by fork; what it holds must not be given out twice. */
Test(id, a_child_has_random_bytes_of_its_own)
{
    uint8_t mine[32], theirs[32] = {0};
    int ends[2];
    random_bytes(mine, sizeof mine); /* fills the pool */
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        random_bytes(theirs, sizeof theirs);
        _exit(write(ends[1], theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
    }
    random_bytes(mine, sizeof mine);
    cr_assert_eq(read(ends[0], theirs, sizeof theirs), (ssize_t)sizeof theirs);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(memcmp(mine, theirs, sizeof mine) != 0);
    close(ends[0]);
    close(ends[1]);
}

Test(id, random_bytes_differ_and_fill)
{
    uint8_t a[64] = {0}, b[64] = {0};
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
    uint8_t guard[4] = {1, 2, 3, 4};
    random_bytes(guard, 0);
    cr_assert_eq(guard[0], 1);
    /* 1,000,000 zero bits on average are 500,000 with a deviation of 500. */
    static uint8_t many[125000];
    random_bytes(many, sizeof many);
    int ones = 0;
    for (size_t i = 0; i < sizeof many; i++)
        ones += __builtin_popcount(many[i]);
    cr_assert(ones > 495000 && ones < 505000, "%d", ones);
}
