#include "cli/check/keys.h"

#include "base/json.h"
#include "flow/evidence/keyring.h"
#include "signing/jose/jws.h"

#include <stdio.h>

void
keys_done(struct key_list *k)
{
    for (size_t i = 0; i < k->n; i++)
        pkey_free(k->pkeys[i]);
    k->n = 0;
}

static err
read_jwk(json_t *jwk, arena *mem, struct key_list *ret, struct fault *f)
{
    enum jose_alg alg;
    view kid;
    if (ret->n == KEY_LIST_MAX)
        return fault_set(f, E_TOO_LARGE, "keys", "at most 64 keys", "more");
    TRY(jwk_read(jwk, &ret->pkeys[ret->n], &alg, &kid, mem, f));
    view said = json_text(jwk, "kid");
    ret->kids[ret->n++] = said.n ? said : kid;
    return E_OK;
}

static err
read_jwks(view text, arena *mem, struct key_list *ret, struct fault *f)
{
    size_t i;
    json_t *json = NULL, *jwk;
    TRY(json_load(text, mem, &json, f));
    json_t *list = json_object_get(json, "keys");
    if (!list)
        return read_jwk(json, mem, ret, f);
    json_array_foreach(list, i, jwk)
    {
        TRY(read_jwk(jwk, mem, ret, f));
    }
    return E_OK;
}

err
keys_read(const char *file, arena *mem, struct key_list *ret, struct fault *f)
{
    view text = VIEW_NONE;
    TRY(file_read(file, mem, &text, f));
    if (view_starts(view_trim(text), V("{")))
        return read_jwks(text, mem, ret, f);
    if (ret->n == KEY_LIST_MAX)
        return E_TOO_LARGE;
    TRY(pkey_read(text, &ret->pkeys[ret->n], f));
    err e = jwk_thumbprint(ret->pkeys[ret->n], mem, &ret->kids[ret->n]);
    ret->n++; /* the key is the list's now, whatever became of its name */
    return e;
}

err
keys_of_args(const struct args *a, const struct config *c, struct key_list *ret, struct fault *f)
{
    AUTO(keyring_unref) struct keyring *own = NULL;
    if (args_value(a, "keys"))
        return keys_read(args_value(a, "keys"), a->mem, ret, f);
    TRY(keyring_load(c, &own, f));
    view jwks = keyring_jwks(own, (instant){0}, a->mem);
    return jwks.p ? read_jwks(jwks, a->mem, ret, f) : E_TOO_LARGE;
}

err
keys_find(const struct key_list *k, view kid, void **ret_pkey, struct fault *f)
{
    for (size_t i = 0; i < k->n; i++) {
        if (view_eq(k->kids[i], kid)) {
            *ret_pkey = k->pkeys[i];
            return E_OK;
        }
    }
    return fault_set(f, E_SIGNER_UNKNOWN, "kid", "a key of the gateway's list", "another");
}
