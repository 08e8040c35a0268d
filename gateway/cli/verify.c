#include "cli/command.h"

#include "base/json.h"
#include "base/text.h"
#include "signing/merkle.h"
#include "signing/receipt.h"

#include <stdio.h>

/* Offline: only public keys and what the sender holds. Each check is told in plain words. */
struct checking {
    struct args *a;
    struct fault *f;
    struct receipt receipt;
    void *pkey;
};

static err
find_key(struct checking *c, view jwks_text, view kid)
{
    json_t *jwks = NULL, *jwk;
    size_t i;
    enum jose_alg alg;
    view own;
    TRY(json_load(jwks_text, c->a->mem, &jwks, c->f));
    json_array_foreach(json_object_get(jwks, "keys"), i, jwk)
    {
        if (!view_eq(json_text(jwk, "kid"), kid))
            continue;
        return jwk_read(jwk, &c->pkey, &alg, &own, c->a->mem, c->f);
    }
    return fault_set(c->f, E_SIGNER_UNKNOWN, "kid", "a key of the gateway's JWKS", "another");
}

static err
check_document(struct checking *c, const char *file)
{
    view bytes;
    TRY(file_read(file, c->a->mem, &bytes, c->f));
    digest d = sha256(bytes);
    if (!digest_eq(&d, &c->receipt.document))
        return fault_set(c->f, E_DIGEST_MISMATCH, file, "the bytes that the receipt names", "others");
    printf("ok  the receipt is for exactly these %zu bytes\n", bytes.n);
    return E_OK;
}

static err
read_path(json_t *json, arena *mem, digest path[MERKLE_PATH_MAX], size_t *ret_n, struct fault *f)
{
    size_t i;
    json_t *item;
    *ret_n = 0;
    json_array_foreach(json_object_get(json, "path"), i, item)
    {
        view raw;
        if (i == MERKLE_PATH_MAX || text_base64_decode(view_of(json_string_value(item)), mem, &raw) != E_OK ||
            raw.n != 32)
            return fault_set(f, E_SYNTAX, "path", "base64 of 32 bytes each", "another form");
        memcpy(path[(*ret_n)++].b, raw.p, 32);
    }
    return E_OK;
}

static err
check_proof(struct checking *c, const char *file)
{
    view text;
    json_t *json = NULL;
    digest path[MERKLE_PATH_MAX], root;
    size_t n;
    uint64_t size;
    TRY(file_read(file, c->a->mem, &text, c->f));
    TRY(json_load(text, c->a->mem, &json, c->f));
    TRY(checkpoint_check(json_text(json, "checkpoint"), c->receipt.log_id, c->pkey, &size, &root, c->f));
    printf("ok  the log head is signed by the gateway (%llu entries)\n", (unsigned long long)size);
    TRY(read_path(json, c->a->mem, path, &n, c->f));
    if (merkle_check_inclusion(&c->receipt.leaf, (uint64_t)json_int(json, "leaf_index", 0), size, path, n,
                               &root) != E_OK)
        return fault_set(c->f, E_SIGNATURE_MISMATCH, "path", "a path from the receipt's leaf to the head",
                         "another");
    printf("ok  the receipt's entry stands in the log at position %lld\n",
           (long long)json_int(json, "leaf_index", 0));
    return E_OK;
}

static err
check_receipt(struct checking *c, view jws)
{
    struct jws_parts parts;
    view jwks;
    char when[32], id[ID_TEXT_SIZE];
    TRY(jws_split(jws, c->a->mem, &parts, c->f));
    TRY(file_read(args_value(c->a, "keys"), c->a->mem, &jwks, c->f));
    TRY(find_key(c, jwks, parts.header.kid));
    TRY(receipt_check(jws, c->pkey, c->a->mem, &c->receipt, c->f));
    printf("ok  the receipt is signed by %.*s\n", VIEW_ARG(c->receipt.issuer));
    printf("    submission %.*s, received %.*s, in the log by ",
           VIEW_ARG(submission_id_print(c->receipt.submission, id)),
           VIEW_ARG(instant_print(c->receipt.received_at, when)));
    printf("%.*s\n", VIEW_ARG(instant_print(c->receipt.include_by, when)));
    return E_OK;
}

int
run_verify_receipt(struct args *a)
{
    struct fault f;
    struct checking c = {.a = a, .f = &f};
    view jws;
    fault_init(&f);
    if (a->n_positional != 1 || !args_value(a, "keys"))
        return command_usage(a, "needs a receipt and --keys FILE");
    err e = file_read(a->positional[0], a->mem, &jws, &f);
    if (e == E_OK)
        e = check_receipt(&c, view_trim(jws));
    if (e == E_OK && args_value(a, "document"))
        e = check_document(&c, args_value(a, "document"));
    if (e == E_OK && args_value(a, "proof"))
        e = check_proof(&c, args_value(a, "proof"));
    pkey_free(c.pkey);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}
