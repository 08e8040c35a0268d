#include "cli/sample/sign.h"

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define DIGESTS_MAX 64
#define APPLICATION_TYPE "claimgate-application+jwt"

/* The list under signature: digests of the items, padded with decoys, in sorted order so that their places say nothing. */
struct listing {
    view items[DIGESTS_MAX], digests[DIGESTS_MAX];
    size_t n_items, n_digests;
};

static view
new_salt(arena *mem)
{
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    return text_base64url(mem, view_make(bytes, sizeof bytes));
}

static err
add_item(struct listing *l, const char *kind, const json_t *object, arena *mem)
{
    view text = arena_printf(mem, "[\"%.*s\",\"%s\",%.*s]", VIEW_ARG(new_salt(mem)), kind,
                             VIEW_ARG(json_dump_arena(object, mem)));
    view item = text_base64url(mem, text);
    if (!item.p || l->n_items == DIGESTS_MAX - 8)
        return E_TOO_LARGE;
    digest d = sha256(item);
    l->items[l->n_items++] = item;
    l->digests[l->n_digests++] = text_base64url(mem, digest_view(&d));
    return E_OK;
}

static void
add_decoys(struct listing *l, arena *mem)
{
    while (l->n_digests % 8) {
        uint8_t bytes[32];
        random_bytes(bytes, sizeof bytes);
        l->digests[l->n_digests++] = text_base64url(mem, view_make(bytes, sizeof bytes));
    }
    for (size_t i = 1; i < l->n_digests; i++) {
        view v = l->digests[i];
        size_t k = i;
        for (; k && view_cmp(v, l->digests[k - 1]) < 0; k--)
            l->digests[k] = l->digests[k - 1];
        l->digests[k] = v;
    }
}

static void
put_list(struct buf *out, const view *list, size_t n)
{
    BUF_LIT(out, "[");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s\"%.*s\"", i ? "," : "", VIEW_ARG(list[i]));
    BUF_LIT(out, "]");
}

static err
read_items(const json_t *json, struct listing *l, arena *mem, struct fault *f)
{
    const json_t *insurers = json_member(json, "insurers"), *mandates = json_member(json, "mandates");
    size_t i;
    json_t *item;
    if (!json_member(json, "common") || !json_is_array(insurers))
        return fault_set(f, E_SCHEMA, "", "members common and insurers", "less");
    TRY(add_item(l, "common", json_member(json, "common"), mem));
    json_array_foreach(insurers, i, item) TRY(add_item(l, "insurer", item, mem));
    json_array_foreach(mandates, i, item) TRY(add_item(l, "mandate", item, mem));
    add_decoys(l, mem);
    return E_OK;
}

/* The same list, signed by each of those who sign with the first. */
static err
put_co_signatures(const struct application_signers *by, view payload, arena *mem, struct buf *out,
                  struct fault *f)
{
    BUF_LIT(out, "[");
    for (size_t i = 0; i < by->n_co; i++) {
        view co;
        TRY(sign_jws(by->co_keys[i], by->co_certificates[i], NULL, APPLICATION_TYPE, payload, false,
                     INSTANT_NONE, mem, &co, f));
        buf_printf(out, "%s\"%.*s\"", i ? "," : "", VIEW_ARG(co));
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static err
put_application(const struct application_signers *by, const struct listing *l, view payload, arena *mem,
                struct buf *out, struct fault *f)
{
    view signature;
    TRY(sign_jws(by->key, by->certificate, NULL, APPLICATION_TYPE, payload, false, INSTANT_NONE, mem,
                 &signature, f));
    buf_printf(out, "{\"signature\":\"%.*s\",\"co_signatures\":", VIEW_ARG(signature));
    TRY(put_co_signatures(by, payload, mem, out, f));
    BUF_LIT(out, ",\"items\":");
    put_list(out, l->items, l->n_items);
    BUF_LIT(out, "}");
    return E_OK;
}

err
application_sign(const struct application_signers *by, view text, arena *mem, view *ret, struct fault *f)
{
    struct listing l = {.n_items = 0};
    json_t *json = NULL;
    struct buf payload, out;
    TRY(json_load(text, mem, &json, f));
    TRY(read_items(json, &l, mem, f));
    view id = json_text(json, "id");
    buf_init(&payload, 65536);
    buf_init(&out, 1u << 20);
    buf_printf(&payload,
               "{\"v\":1,\"id\":\"%.*s\",\"iat\":%lld,\"items\":", VIEW_ARG(id.n ? id : new_salt(mem)),
               (long long)instant_unix(clock_now()));
    put_list(&payload, l.digests, l.n_digests);
    BUF_LIT(&payload, "}");
    err e = payload.failed ? E_TOO_LARGE : put_application(by, &l, buf_view(&payload), mem, &out, f);
    *ret = e != E_OK || out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&payload);
    buf_done(&out);
    return e == E_OK && !ret->p ? E_TOO_LARGE : e;
}

int
run_application_sign(struct args *a)
{
    const struct application_signers by = {.key = args_value(a, "key"),
                                           .certificate = args_value(a, "certificate"),
                                           .co_keys = {args_value(a, "co-key")},
                                           .co_certificates = {args_value(a, "co-certificate")},
                                           .n_co = args_value(a, "co-key") != NULL};
    struct fault f;
    view text, document;
    const char *out = args_value(a, "out");
    fault_init(&f);
    if (a->n_positional != 1 || !by.key)
        return command_usage(a, "needs an application (JSON file) and --key FILE");
    err e = file_read(a->positional[0], a->mem, &text, &f);
    if (e == E_OK)
        e = application_sign(&by, text, a->mem, &document, &f);
    if (e == E_OK)
        e = file_write(out ? out : "-", document, false, &f);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}
