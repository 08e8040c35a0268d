#include "signing/jose/jwe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/claimgate-jwe-XXXXXX";
static char path[128], other[128];

static struct key *
keys(void)
{
    struct key *k = NULL, *o = NULL;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.key", folder);
    snprintf(other, sizeof other, "%s/b.key", folder);
    cr_assert_eq(key_create(path, ALG_ES256, &k, NULL), E_OK);
    cr_assert_eq(key_create(other, ALG_ES256, &o, NULL), E_OK);
    key_free(o);
    return k;
}

static void
clean(struct key *k)
{
    key_free(k);
    unlink(path);
    unlink(other);
    rmdir(folder);
}

Test(jwe, opens_with_the_key_it_was_sealed_to_and_no_other)
{
    struct key *k = keys();
    arena *mem = arena_new(1u << 20);
    view sealed, plain;
    cr_assert_eq(jwe_seal(k->pkey, k->kid, V("{\"account\":\"1\"}"), mem, &sealed), E_OK);
    cr_assert_eq(jwe_check_form(sealed, mem, NULL), E_OK);
    cr_assert_eq(jwe_open(path, sealed, mem, &plain, NULL), E_OK);
    cr_assert(view_eq(plain, V("{\"account\":\"1\"}")));
    cr_assert_eq(jwe_open(other, sealed, mem, &plain, NULL), E_SIGNATURE_MISMATCH);
    clean(k);
    arena_free(mem);
}

Test(jwe, no_flipped_character_opens)
{
    struct key *k = keys();
    arena *mem = arena_new(64u << 20);
    view sealed, plain;
    cr_assert_eq(jwe_seal(k->pkey, k->kid, V("secret"), mem, &sealed), E_OK);
    for (size_t i = 0; i < sealed.n; i++) {
        char *flipped = arena_cstr(mem, sealed);
        flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
        cr_assert_neq(jwe_open(path, view_make(flipped, sealed.n), mem, &plain, NULL), E_OK, "character %zu",
                      i);
    }
    clean(k);
    arena_free(mem);
}

Test(jwe, other_algorithms_are_refused)
{
    arena *mem = arena_new(1u << 20);
    struct fault f;
    fault_init(&f);
    /* {"alg":"dir","enc":"A256GCM"} */
    cr_assert_eq(jwe_check_form(
                     V("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"),
                     mem, &f),
                 E_ALGORITHM);
    cr_assert_eq(jwe_check_form(V("a.b.c"), mem, NULL), E_SIGNATURE_FORM);
    arena_free(mem);
}
