/* room: signing */
/* SD-JWTs and status lists of any bytes: nothing is accepted under a key that signed nothing, and what is taken apart lies inside the input. */
#include "signing/jose/sd_jwt.h"
#include "signing/jose/status_list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds)
        abort();
}

static void
unpack(view text, arena *mem)
{
    struct status_list l;
    unsigned value;
    for (unsigned bits = 1; bits <= 8; bits *= 2)
        if (status_list_unpack(text, bits, mem, &l, NULL) == E_OK)
            must(status_list_get(&l, l.bytes.n * 8 / bits, &value, NULL) == E_STATUS_INDEX);
    if (status_list2021_unpack(text, mem, &l, NULL) == E_OK)
        must(l.bytes.n == 0 || (status_list_get(&l, 0, &value, NULL) == E_OK && value <= 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char jwk[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ\","
        "\"y\":\"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8\"}";
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    view text = view_make(data, size), kid;
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    struct sd_jwt_policy p = {.now = instant_of_unix(1781000000)};
    json_t *key = NULL, *claims = NULL;
    digest_start();
    must(s && json_load(view_of(jwk), mem, &key, NULL) == E_OK);
    must(jwk_read(key, &p.pkey, &p.alg, &kid, mem, NULL) == E_OK && arena_defer(mem, pkey_free, p.pkey));
    unpack(text, mem);
    if (sd_jwt_split(text, mem, s, NULL) != E_OK)
        return 0;
    must(s->n_disclosures <= SD_JWT_DISCLOSURES_MAX && s->presented.n <= SD_JWT_SIZE_MAX &&
         json_is_object(s->unchecked));
    err e = sd_jwt_verify(s, &p, mem, &claims, NULL);
    if (e == E_OK)
        must(json_is_object(claims) && !json_member(claims, "_sd"));
    return 0;
}
