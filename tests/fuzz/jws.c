/* room: signing
 *
 * A compact JWS in any state of disrepair.  The private halves of the keys are not kept anywhere, so
 * whatever verifies must be one of the corpus' own signatures over the one body. */
#include "signing/jose/jws.h"
#include "base/digest.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char body[] = "{\"resourceType\":\"Bundle\",\"total\":12.50}";
static const struct {
    enum jose_alg alg;
    const char *jwk;
} keys[] = {
    {ALG_ES256, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"HQfRSWY68VsHFEafXdwmu3YZFrzDJIOPH6pp_0HNzu"
                "U\",\"y\":\"D2Vig05GXseB2ubSke6Rc8nnDOqInx-pRBOsFXc0Tn0\",\"kid\":\"UmrmE0ygUJZ3oXWi"
                "1fs0wmpe4qJMhNHhn8d0MSwIQ-0\",\"alg\":\"ES256\",\"use\":\"sig\"}"},
    {ALG_RS256, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"l12SvnUa5ND8kzzGmrFIZ94tUaZULuCKnw-ZG0oOG5Lg"
                "S89naq_7Mdgpav3Ml1jqPuq4rpvZMS655Kfj5M0-p_5yYz1LW-UH1WKBqP3rC8ampWE9EHVPe8mibOe2JOdk"
                "kNzUO6pv223UmJvh8hc30fb03e6M5kKrLSwwriylNLS2Lcf-LarEl6wbsLRQ6ODKIk5nJGQGHnaHq5Hi7GYJ"
                "dyJHz9jgKrgijE9LCD4wMmoqEo6XL1GYYANceluF9MclB2tsldXe7Zus3nHqKeHLfxg9_I7UVs79V91tSAI7"
                "CuXKDLBM0pGDUBWqOaVeqhivEfxR1OKIVom0an0emtSKvaOEGXL1cbQ1cXh3TgrLoxduXRJHpFuRcWVkOP5m"
                "xFpBhg7O0iVj5U_eqgqE-tdcF6qGyeItKeOFqVmkz5HBjAuvKplDCVx9SMTmQq5ZN3T0njFctuu5KVsRczPX"
                "pbIUiHaIagRGlOYurD7NEpq9mu2UVLOjly7nQ9x2jNApuFcX\",\"kid\":\"xXonG0_wZdUDxvaEiNFgynE"
                "5m4BsOT3Im0LcbY5c1GQ\",\"alg\":\"RS256\",\"use\":\"sig\"}"},
    {ALG_PS256, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"tUJ4pm2j_IeCYQbk-Ccn8LGo-umiUVZzfaGB4rHbTXfG"
                "LDbAOEQ5AGigYDYurljKJh-jqo8CqX_NdynMDBSCBKMDlEDq-u3YW48VwAoxXx9G2CSIVrHibRW6rYY4mLdl"
                "E0dfYcSBujuFOFCwAQhVNWTsWe8aK2Kp9ZijPkH0w6bvj0GWyZY3kAsbJMZ1nNA070Rgh4LJK_ZPpJ3muXEn"
                "2rEeXPHxFbu2l06YsLbvUjXQQJfcgmKJIGvskAd7oYVIgj0OUx3PATA8XUsoFCR_FNOjTz8-ACLcVCMT9yKK"
                "b-ADqhPSszIIeTbmNi-8GEyRc6SjZULrKIVVxzoLLp79PabNwfyT1U10elUYssK5blug7krGez9dU-D_k_Tq"
                "VeVyvpor5dGciUgder7b44cFBJaQY-_sLFsgSRP03GaFMm1AeDzi6OIXsOE_2kXRig_8jL0PYlBVsxtEg-wZ"
                "xLjdxTCo0IJ-fCOaTgt6hryixPL1_EB-1GyQOnk78S4pDrfj\",\"kid\":\"YkKV9pQwHBlVk2TmNmP_sr5"
                "khJGnctiI8bqHfodGgnc\",\"alg\":\"PS256\",\"use\":\"sig\"}"},
    {ALG_ED25519, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"K8QtZw9KYEj4WzTi1rXhnqDY5pC4dUf5FvW9pjP"
                  "dmko\",\"kid\":\"QTe9tp3OsF172LllpUQguU1rteK2smfGm4Pz7MTo430\",\"alg\":\"Ed25519\","
                  "\"use\":\"sig\"}"},
};

static void *
key_of(size_t i)
{
    arena *mem AUTO(arena_free) = arena_new(1 << 20);
    json_t *jwk;
    void *pkey = NULL;
    enum jose_alg alg;
    view kid;
    if (json_load(view_of(keys[i].jwk), mem, &jwk, NULL) != E_OK ||
        jwk_read(jwk, &pkey, &alg, &kid, mem, NULL) != E_OK)
        abort();
    return pkey;
}

/* Reading the same header again, which then comes from the thread's kept ones, must say the same. */
static void
split_again(view compact, const struct jws_parts *first, arena *mem)
{
    struct jws_parts again;
    if (jws_split(compact, mem, &again, NULL) != E_OK)
        abort();
    const struct jws_header *a = &first->header, *b = &again.header;
    if (a->alg != b->alg || a->b64 != b->b64 || a->n_rest != b->n_rest || a->signed_at.us != b->signed_at.us)
        abort();
    if (!view_eq(a->kid, b->kid) || !view_eq(a->typ, b->typ) || !view_eq(a->x5c_leaf, b->x5c_leaf))
        abort();
}

static void
verify(const struct jws_parts *parts, size_t i, void *pkey, arena *mem)
{
    view payload = view_of(body), got;
    bool detached = jws_verify(parts, payload, keys[i].alg, pkey, mem, NULL) == E_OK;
    if (detached && (parts->payload_b64.n || parts->header.alg != keys[i].alg))
        abort();
    if (jws_verify(parts, VIEW_NONE, keys[i].alg, pkey, mem, NULL) != E_OK)
        return;
    if (jws_payload(parts, mem, &got, NULL) != E_OK || !view_eq(got, payload))
        abort();
}

/* A JWK that reads must print to one that reads as the same key. */
static void
jwk_turn(view text, arena *mem)
{
    json_t *jwk;
    void *pkey = NULL, *again = NULL;
    enum jose_alg alg;
    view kid, printed, before, after;
    if (json_load(text, mem, &jwk, NULL) != E_OK || jwk_read(jwk, &pkey, &alg, &kid, mem, NULL) != E_OK)
        return;
    if (!pkey_fits(pkey, alg) || jwk_of_pkey(pkey, mem, &printed) != E_OK ||
        jwk_thumbprint(pkey, mem, &before) != E_OK)
        abort();
    if (json_load(printed, mem, &jwk, NULL) != E_OK || jwk_read(jwk, &again, &alg, &kid, mem, NULL) != E_OK)
        abort();
    if (jwk_thumbprint(again, mem, &after) != E_OK || !view_eq(before, after) || !view_eq(kid, after))
        abort();
    pkey_free(pkey);
    pkey_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *pkeys[COUNT_OF(keys)];
    for (size_t i = 0; !pkeys[COUNT_OF(keys) - 1] && i < COUNT_OF(keys); i++) {
        digest_start();
        pkeys[i] = key_of(i);
    }
    arena *mem AUTO(arena_free) = arena_new(4 << 20);
    view text = view_make(data, size);
    struct jws_parts parts;
    if (jws_split(text, mem, &parts, NULL) == E_OK) {
        split_again(text, &parts, mem);
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            verify(&parts, i, pkeys[i], mem);
    }
    jwk_turn(text, mem);
    return 0;
}
