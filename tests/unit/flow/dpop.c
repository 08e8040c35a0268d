#include "flow/login/dpop.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/jose/jws.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define AT(s) ((instant){(int64_t)(s)*1000000})
#define URL V("https://gateway.example.tw/v1/person")

struct kit {
    arena *mem;
    struct key *key;
    view jwk;
    struct dpop *d;
};

static struct kit
kit_new(void)
{
    struct kit k = {.mem = arena_new(8u << 20), .d = dpop_new()};
    view pem;
    digest_start();
    cr_assert_eq(key_create_pem(ALG_ES256, k.mem, &pem), E_OK);
    cr_assert_eq(key_of_pem(pem, &k.key, NULL), E_OK);
    cr_assert_eq(jwk_of_pkey(k.key->pkey, k.mem, &k.jwk), E_OK);
    return k;
}

static void
kit_done(struct kit *k)
{
    key_free(k->key);
    dpop_free(k->d);
    arena_free(k->mem);
}

static view
proof_of(struct kit *k, const char *jti, view nonce, int64_t iat)
{
    view proof, header = arena_printf(k->mem, "\"typ\":\"dpop+jwt\",\"jwk\":%.*s", VIEW_ARG(k->jwk));
    view payload = arena_printf(
        k->mem, "{\"htm\":\"GET\",\"htu\":\"%.*s\",\"jti\":\"%s\",\"iat\":%lld,\"nonce\":\"%.*s\"}",
        VIEW_ARG(URL), jti, (long long)iat, VIEW_ARG(nonce));
    cr_assert_eq(jws_sign(k->key, header, payload, false, k->mem, &proof), E_OK);
    return proof;
}

static err
check(struct kit *k, struct dpop *d, view proof, instant now, digest *ret)
{
    const struct proof p = {.dpop = proof, .method = V("GET"), .url = URL};
    struct fault f;
    fault_init(&f);
    return dpop_check(d, &p, NULL, now, k->mem, ret, &f);
}

Test(dpop, a_proof_counts_once_and_names_its_key)
{
    struct kit k = kit_new();
    digest key = {{0}}, again = {{0}};
    view nonce = dpop_nonce(k.d, AT(1000), k.mem), kid, raw;
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0001", nonce, 1000), AT(1001), &key), E_OK);
    cr_assert_eq(jwk_thumbprint(k.key->pkey, k.mem, &kid), E_OK);
    cr_assert_eq(text_base64url_decode(kid, k.mem, &raw), E_OK);
    cr_assert(view_eq(raw, digest_view(&key)));
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0001", nonce, 1001), AT(1002), &again), E_DPOP,
                 "the same jti");
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0002", nonce, 1001), AT(1002), &again), E_OK);
    kit_done(&k);
}

Test(dpop, nonces_end_and_do_not_outlive_the_process)
{
    struct kit k = kit_new();
    struct dpop *restarted = dpop_new();
    digest key;
    view nonce = dpop_nonce(k.d, AT(1000), k.mem);
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0001", nonce, 1300), AT(1300), &key), E_OK);
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0002", nonce, 1301), AT(1301), &key), E_DPOP_NONCE,
                 "of five minutes ago");
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0003", nonce, 900), AT(999), &key), E_DPOP_NONCE,
                 "of later than now");
    cr_assert_eq(check(&k, restarted, proof_of(&k, "jti-0004", nonce, 1000), AT(1000), &key), E_DPOP_NONCE,
                 "of the process before");
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0005", V("AAAA"), 1000), AT(1000), &key), E_DPOP_NONCE);
    cr_assert_eq(check(&k, k.d, proof_of(&k, "jti-0006", nonce, 500), AT(1000), &key), E_DPOP,
                 "an old iat under a fresh nonce");
    dpop_free(restarted);
    kit_done(&k);
}
