#include "fixture.h"
#include "signing/jose/aes_cbc.h"
#include "signing/jose/jwe.h"

static const char kek[] = "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";

/* RFC 7518 B.3 */
Test(aes_cbc, published_example_of_a256cbc_hs512)
{
    arena *mem AUTO(arena_free) = fx_arena();
    uint8_t key[64];
    view text, tag, plain, iv = fx_bytes_of_hex(mem, "1af38c2dc2b96ffdd86694092341bc04");
    view aad = V("The second principle of Auguste Kerckhoffs");
    view said =
        V("A cipher system must not be required to be secret, and it must be able to fall into the hands of "
          "the enemy without inconvenience");
    for (int i = 0; i < 64; i++)
        key[i] = (uint8_t)i;
    view k = view_make(key, sizeof key);
    cr_assert_eq(cbc_hmac_seal(k, iv, aad, said, mem, &text, &tag), E_OK);
    cr_expect(view_eq(
        tag, fx_bytes_of_hex(mem, "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5")));
    cr_expect(view_eq(view_sub(text, 0, 16), fx_bytes_of_hex(mem, "4affaaadb78c31c5da4b1b590d10ffbd")));
    cr_assert_eq(cbc_hmac_open(k, iv, aad, text, tag, mem, &plain), E_OK);
    cr_expect(view_eq(plain, said));
    cr_expect_eq(cbc_hmac_open(k, iv, V("another"), text, tag, mem, &plain), E_SIGNATURE_MISMATCH);
    cr_expect_eq(cbc_hmac_open(k, iv, aad, text, view_sub(tag, 0, 16), mem, &plain), E_SIGNATURE_MISMATCH);
}

Test(aes_cbc, opens_what_was_sealed_and_nothing_of_another_length)
{
    arena *mem AUTO(arena_free) = fx_arena();
    view iv = V("fedcba9876543210"), text, plain;
    for (size_t n = 0; n < 40; n++) {
        view said = arena_printf(mem, "%.*s", (int)n, "0123456789012345678901234567890123456789");
        cr_assert_eq(aes_cbc_seal(view_of(kek), iv, said, mem, &text), E_OK);
        cr_expect_eq(text.n, n / 16 * 16 + 16);
        cr_assert_eq(aes_cbc_open(view_of(kek), iv, text, mem, &plain), E_OK);
        cr_expect(view_eq(plain, said));
        cr_expect_eq(aes_cbc_open(view_of(kek), iv, view_sub(text, 0, text.n - 1), mem, &plain),
                     E_SIGNATURE_MISMATCH);
    }
    cr_expect_eq(aes_cbc_open(V("short"), iv, text, mem, &plain), E_SIGNATURE_MISMATCH);
}

Test(jwe_wrapped, opens_with_its_key_and_no_other)
{
    arena *mem AUTO(arena_free) = fx_arena();
    view sealed, plain;
    cr_assert_eq(jwe_seal_wrapped(view_of(kek), V("{\"filename\":\"a.zip\"}"), mem, &sealed), E_OK);
    cr_assert_eq(jwe_open_wrapped(view_of(kek), sealed, mem, &plain, NULL), E_OK);
    cr_expect(view_eq(plain, V("{\"filename\":\"a.zip\"}")));
    cr_expect_eq(jwe_open_wrapped(V("TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT"), sealed, mem, &plain, NULL),
                 E_SIGNATURE_MISMATCH);
    cr_expect_eq(jwe_open_wrapped(V("SSSS"), sealed, mem, &plain, NULL), E_SIGNATURE_MISMATCH);
}

Test(jwe_wrapped, no_changed_character_opens)
{
    arena *mem AUTO(arena_free) = fx_arena();
    view sealed, plain;
    cr_assert_eq(jwe_seal_wrapped(view_of(kek), V("plain"), mem, &sealed), E_OK);
    char *copy = arena_cstr(mem, sealed);
    for (size_t i = 0; i < sealed.n; i++) {
        char was = copy[i];
        copy[i] = was == 'A' ? 'B' : 'A';
        cr_expect_neq(jwe_open_wrapped(view_of(kek), view_make(copy, sealed.n), mem, &plain, NULL), E_OK,
                      "%zu", i);
        copy[i] = was;
    }
}

Test(jwe_wrapped, other_algorithms_are_refused_by_name)
{
    static const char *const headers[] = {"{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}",
                                          "{\"alg\":\"A256KW\",\"enc\":\"A256GCM\"}",
                                          "{\"alg\":\"A256KW\",\"enc\":\"A256CBC-HS512\",\"zip\":\"DEF\"}",
                                          "{\"alg\":\"A256KW\",\"enc\":\"A256CBC-HS512\",\"crit\":[]}",
                                          "{\"alg\":\"PBES2-HS512+A256KW\",\"enc\":\"A256CBC-HS512\"}"};
    arena *mem AUTO(arena_free) = fx_arena();
    view sealed, plain;
    cr_assert_eq(jwe_seal_wrapped(view_of(kek), V("plain"), mem, &sealed), E_OK);
    size_t dot = view_find_byte(sealed, '.');
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        view other = arena_printf(mem, "%.*s%.*s", VIEW_ARG(fx_b64url(mem, headers[i])),
                                  VIEW_ARG(view_sub(sealed, dot, sealed.n)));
        cr_expect_eq(jwe_open_wrapped(view_of(kek), other, mem, &plain, NULL), E_ALGORITHM, "%s", headers[i]);
    }
    cr_expect_eq(jwe_open_wrapped(view_of(kek), V("a.b.c"), mem, &plain, NULL), E_SIGNATURE_FORM);
}
