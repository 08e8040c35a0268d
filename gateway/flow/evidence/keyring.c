#include "flow/evidence/keyring.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_MAX (64u << 10)
#define MEMORY_MAX (2u << 20)

struct keyring *
keyring_ref(struct keyring *k)
{
    atomic_fetch_add_explicit(&k->references, 1, memory_order_relaxed);
    return k;
}

void
keyring_unref(struct keyring *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->references, 1, memory_order_acq_rel) != 1)
        return;
    key_free(k->signing);
    key_free(k->webhook);
    arena_free(k->mem);
}

static err
load_key(const struct config *c, enum setting s, const char *name, enum jose_alg alg, struct key **ret,
         struct fault *f)
{
    char path[CONFIG_PATH_SIZE];
    config_path(c, s, name, path);
    TRY(key_load(path, ret, f));
    if ((*ret)->alg != alg)
        return fault_set(f, E_CONFIG, setting_info(s)->name,
                         alg == ALG_ES256 ? "a P-256 key" : "an Ed25519 key", "another kind");
    return E_OK;
}

static err
read_other(const json_t *jwk, size_t i, struct keyring *k, struct fault *f)
{
    static const char place[] = "signing.overlap_keys_file";
    struct key key = {.alg = ALG_NONE};
    enum jose_alg said;
    view kid;
    TRY(jwk_read(jwk, &key.pkey, &said, &kid, k->mem, f));
    key.alg = pkey_default_alg(key.pkey);
    struct keyring_other *o = &k->others[k->n];
    o->exp = json_int(jwk, "exp", INT64_MAX);
    err e = jwk_thumbprint(key.pkey, k->mem, &o->kid);
    key.kid = o->kid;
    if (e == E_OK && key.alg != ALG_ES256 && key.alg != ALG_ED25519)
        e = fault_setf(f, E_CONFIG, "a P-256 or Ed25519 key", "another kind", "%s: keys[%zu]", place, i);
    view name = json_text(jwk, "kid");
    if (e == E_OK && name.n && !view_eq(name, o->kid))
        e = fault_setf(f, E_CONFIG, "the key's thumbprint (RFC 7638)", "another name", "%s: keys[%zu].kid",
                       place, i);
    if (e == E_OK)
        e = jwk_print(&key, k->mem, &o->jwk);
    pkey_free(key.pkey);
    TRY(e);
    if (o->exp != INT64_MAX)
        o->jwk = arena_printf(k->mem, "%.*s,\"exp\":%lld}", (int)o->jwk.n - 1, o->jwk.p, (long long)o->exp);
    k->n += !keyring_knows(k, o->kid);
    return o->jwk.p ? E_OK : E_TOO_LARGE;
}

/* No file under the default name: there are no others. */
static err
read_others(const struct config *c, struct keyring *k, struct fault *f)
{
    char path[CONFIG_PATH_SIZE];
    size_t i;
    json_t *root, *jwk;
    config_path(c, SET_OVERLAP_KEYS, "overlap-keys.json", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && config_text(c, SET_OVERLAP_KEYS).n == 0)
        return E_OK;
    char *text = arena_alloc(k->mem, FILE_MAX);
    ssize_t n = fd < 0 || !text ? -1 : read(fd, text, FILE_MAX);
    if (fd >= 0)
        close(fd);
    if (n < 0 || n == FILE_MAX)
        return fault_setf(f, E_FILE, "a readable JWKS below 64 KiB", "another", "%s", path);
    TRY(json_load(view_make(text, (size_t)n), k->mem, &root, f));
    const json_t *keys = json_member(root, "keys");
    if (!json_is_array(keys) || json_array_size(keys) > KEYRING_OTHERS_MAX)
        return fault_setf(f, E_CONFIG, "a JWKS of at most 62 keys", "another", "%s: keys", path);
    json_array_foreach(keys, i, jwk)
    {
        TRY(read_other(jwk, i, k, f));
    }
    return E_OK;
}

err
keyring_load(const struct config *c, struct keyring **ret, struct fault *f)
{
    arena *mem = arena_new(MEMORY_MAX);
    AUTO(keyring_unref) struct keyring *k = arena_make(mem, struct keyring);
    if (!k) {
        arena_free(mem);
        return E_TOO_LARGE;
    }
    *k = (struct keyring){.references = 1, .mem = mem};
    TRY(load_key(c, SET_SIGNING_KEY, "gateway.key", ALG_ES256, &k->signing, f));
    TRY(load_key(c, SET_WEBHOOK_KEY, "webhook.key", ALG_ED25519, &k->webhook, f));
    TRY(read_others(c, k, f));
    *ret = TAKE(k);
    return E_OK;
}

bool
keyring_knows(const struct keyring *k, view kid)
{
    if (view_eq(kid, k->signing->kid) || view_eq(kid, k->webhook->kid))
        return true;
    for (size_t i = 0; i < k->n; i++)
        if (view_eq(kid, k->others[i].kid))
            return true;
    return false;
}

view
keyring_jwks(const struct keyring *k, instant at, arena *mem)
{
    view signing, webhook;
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, FILE_MAX);
    if (jwk_print(k->signing, mem, &signing) != E_OK || jwk_print(k->webhook, mem, &webhook) != E_OK)
        return VIEW_NONE;
    buf_printf(&out, "{\"keys\":[%.*s,%.*s", VIEW_ARG(signing), VIEW_ARG(webhook));
    for (size_t i = 0; i < k->n; i++)
        if (k->others[i].exp > instant_unix(at))
            buf_printf(&out, ",%.*s", VIEW_ARG(k->others[i].jwk));
    BUF_LIT(&out, "]}");
    return out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
}
