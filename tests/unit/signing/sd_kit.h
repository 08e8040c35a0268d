/* SD-JWTs made while a test runs: an issuer, a holder, and disclosures by their JSON. */
#ifndef TESTS_SIGNING_SD_KIT_H
#define TESTS_SIGNING_SD_KIT_H

#include "fixture.h"
#include "signing/jose/sd_jwt.h"

#define KIT_NOW 1781000000
#define KIT_AUDIENCE "x509_san_dns:gateway.example.tw"
#define KIT_NONCE "n-0S6_WzA2Mj-0123456789"

static inline view
kit_digest(arena *mem, view disclosure)
{
    digest d = sha256(disclosure);
    return text_base64url(mem, digest_view(&d));
}

static inline view
kit_jwt(const struct key *k, const char *typ, view payload, arena *mem)
{
    view compact = VIEW_NONE;
    view members = typ ? arena_printf(mem, "\"typ\":\"%s\"", typ) : VIEW_NONE;
    cr_assert_eq(jws_sign(k, members, payload, false, mem, &compact), E_OK);
    return compact;
}

/* {"cnf":{"jwk":…}} of the holder, without braces */
static inline view
kit_cnf(const struct key *holder, arena *mem)
{
    view jwk;
    cr_assert_eq(jwk_print(holder, mem, &jwk), E_OK);
    return arena_printf(mem, "\"cnf\":{\"jwk\":%.*s}", VIEW_ARG(jwk));
}

/* presented (ends in a tilde) with the holder's JWT behind it; extra members begin with a comma. */
static inline view
kit_bind(const struct key *holder, view presented, const char *typ, const char *nonce, const char *audience,
         int64_t iat, const char *extra, arena *mem)
{
    view hash = kit_digest(mem, presented);
    view payload = arena_printf(mem, "{\"nonce\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"sd_hash\":\"%.*s\"%s}",
                                nonce, audience, (long long)iat, VIEW_ARG(hash), extra);
    return arena_printf(mem, "%.*s%.*s", VIEW_ARG(presented), VIEW_ARG(kit_jwt(holder, typ, payload, mem)));
}

#endif
