#include "flow/evidence/seal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/claimgate-seal-XXXXXX";

static struct seal *
open_seal(char path[256])
{
    struct seal *s = NULL;
    struct fault f;
    fault_init(&f);
    cr_assert(mkdtemp(folder));
    snprintf(path, 256, "%s/kek", folder);
    cr_assert_eq(seal_create(path, &f), E_OK);
    cr_assert_eq(seal_open(path, &s, &f), E_OK, "%s", f.found);
    return s;
}

static void
clean(const char *path)
{
    unlink(path);
    rmdir(folder);
}

Test(seal, a_key_file_is_made_once_and_only_for_its_owner)
{
    char path[256];
    struct seal *s = open_seal(path);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0400);
    cr_assert_eq(seal_create(path, NULL), E_FILE);
    seal_close(s);
    clean(path);
}

Test(seal, a_key_file_that_others_may_read_is_refused)
{
    char path[256];
    struct seal *s = open_seal(path), *again = NULL;
    seal_close(s);
    cr_assert_eq(chmod(path, 0644), 0);
    cr_assert_eq(seal_open(path, &again, NULL), E_FILE);
    clean(path);
}

Test(seal, a_box_opens_only_at_its_place)
{
    char path[256];
    struct seal *s = open_seal(path);
    arena *mem = arena_new(1u << 20);
    struct unit u;
    struct data_key key;
    view box, plain;
    uid here = uid_new(), there = uid_new();
    unit_init(&u, mem);
    cr_assert_eq(seal_new_key(s, &u, "document", &key), E_OK);
    cr_assert_eq(seal_box(&key, V("facts"), here, V("secret"), mem, &box), E_OK);
    cr_assert_eq(box.n, 6 + 28);
    cr_assert_eq(seal_unbox(&key, V("facts"), here, box, mem, &plain), E_OK);
    cr_assert(view_eq(plain, V("secret")));
    cr_assert_eq(seal_unbox(&key, V("facts"), there, box, mem, &plain), E_STORE_CORRUPT);
    cr_assert_eq(seal_unbox(&key, V("body"), here, box, mem, &plain), E_STORE_CORRUPT);
    for (size_t i = 0; i < box.n; i++) {
        char *flipped = arena_cstr(mem, box);
        flipped[i] = (char)(flipped[i] ^ 1);
        cr_assert_eq(seal_unbox(&key, V("facts"), here, view_make(flipped, box.n), mem, &plain),
                     E_STORE_CORRUPT, "byte %zu", i);
    }
    const struct row_data_key *row = u.rows[ROW_data_key];
    cr_assert(row && row->wrapped.n == 40);
    arena_free(mem);
    seal_close(s);
    clean(path);
}

Test(seal, blinds_differ_by_label_parts_and_key)
{
    char path[256];
    struct seal *s = open_seal(path);
    digest a = BLIND(s, "ref", V("ab"), V("c")), b = BLIND(s, "ref", V("a"), V("bc")),
           c = BLIND(s, "other", V("ab"), V("c")), again = BLIND(s, "ref", V("ab"), V("c"));
    cr_assert(digest_eq(&a, &again));
    cr_assert_not(digest_eq(&a, &b));
    cr_assert_not(digest_eq(&a, &c));
    seal_close(s);
    clean(path);
}
