#include "base/digest.h"
#include "base/text.h"

#include <criterion/criterion.h>

#include <pthread.h>

static bool
is_hex(const digest *d, const char *hex)
{
    AUTO(arena_free) arena *mem = arena_new(1024);
    return view_eq(text_hex(mem, digest_view(d)), view_of(hex));
}

/* FIPS 180-4 examples. */
static const struct {
    const char *text, *hex;
} SHA[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

Test(digest, hashes_without_a_start)
{
    for (size_t i = 0; i < COUNT_OF(SHA); i++) {
        digest d = sha256(view_of(SHA[i].text));
        cr_assert(is_hex(&d, SHA[i].hex), "case %zu", i);
    }
    digest none = sha256(VIEW_NONE);
    cr_assert(is_hex(&none, SHA[0].hex));
}

Test(digest, hashes_parts_as_one)
{
    digest_start();
    digest_start();
    view text = view_of(SHA[2].text);
    for (size_t at = 0; at <= text.n; at++) {
        digest d = sha256_parts((view[]){view_sub(text, 0, at), VIEW_NONE, view_sub(text, at, text.n)}, 3);
        cr_assert(is_hex(&d, SHA[2].hex), "cut at %zu", at);
    }
    digest empty = sha256_parts(NULL, 0);
    cr_assert(is_hex(&empty, SHA[0].hex));
}

Test(digest, streams_a_million_and_begins_again)
{
    AUTO(sha256_free) struct sha256 *s = sha256_new();
    char thousand[1000];
    memset(thousand, 'a', sizeof thousand);
    for (int i = 0; i < 1000; i++) {
        sha256_add(s, view_make(thousand, sizeof thousand));
        (void)sha256(V("others may hash meanwhile"));
    }
    digest d = sha256_end(s);
    cr_assert(is_hex(&d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    sha256_add(s, V("abc"));
    d = sha256_end(s);
    cr_assert(is_hex(&d, SHA[1].hex));
    d = sha256_end(s);
    cr_assert(is_hex(&d, SHA[0].hex));
    sha256_free(NULL);
}

/* RFC 4231. */
Test(digest, hmac_vectors)
{
    char aa[131], dd[50], cd[50], count[25], b20[20];
    memset(aa, 0xAA, sizeof aa);
    memset(dd, 0xDD, sizeof dd);
    memset(cd, 0xCD, sizeof cd);
    memset(b20, 0x0B, sizeof b20);
    for (size_t i = 0; i < sizeof count; i++)
        count[i] = (char)(i + 1);
    const struct {
        view key, text;
        const char *hex;
    } CASES[] = {
        {{b20, 20}, V("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {V("Jefe"), V("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{aa, 20}, {dd, 50}, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {{count, 25}, {cd, 50}, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {{aa, 131},
         V("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {{aa, 131},
         V("This is a test using a larger than block-size key and a larger than block-size data. The key "
           "needs to be "
           "hashed before being used by the HMAC algorithm."),
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        digest d = hmac_sha256(CASES[i].key, CASES[i].text);
        cr_assert(is_hex(&d, CASES[i].hex), "case %zu", i);
        view head = view_sub(CASES[i].text, 0, 3), tail = view_sub(CASES[i].text, 3, 999);
        digest parts = hmac_sha256_parts(CASES[i].key, (view[]){head, tail}, 2);
        cr_assert(digest_eq(&d, &parts), "case %zu", i);
    }
    digest empty = hmac_sha256(VIEW_NONE, VIEW_NONE);
    cr_assert(is_hex(&empty, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

Test(digest, compares)
{
    digest a = sha256(V("a")), b = a;
    cr_assert(digest_eq(&a, &b));
    b.b[31] ^= 1;
    cr_assert_not(digest_eq(&a, &b));
    cr_assert(bytes_eq_secret(V("same"), V("same")));
    cr_assert(bytes_eq_secret(VIEW_NONE, V("")));
    cr_assert_not(bytes_eq_secret(V("same"), V("sama")));
    cr_assert_not(bytes_eq_secret(V("same"), V("same!")));
}

static void *
hash_many(void *arg)
{
    digest *d = arg;
    for (int i = 0; i < 2000; i++)
        *d = hmac_sha256(V("key"), digest_view(d));
    return NULL;
}

/* Threads come and go with a context each: AddressSanitizer tells when one is left. */
Test(digest, threads_have_their_own_context)
{
    digest results[16] = {{{0}}};
    pthread_t threads[16];
    for (size_t i = 0; i < 16; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hash_many, &results[i]), 0);
    for (size_t i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        cr_assert(digest_eq(&results[0], &results[i]), "thread %zu", i);
    }
}
