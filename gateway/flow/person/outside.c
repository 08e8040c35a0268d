#include "flow/person/outside.h"

#include "base/json.h"
#include "flow/person/status_cache.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)
#define MEMORY ((size_t)16 << 20)

static err
file_read(const char *path, arena *mem, view *ret, struct fault *f)
{
    FILE *in = fopen(path, "re");
    char *bytes = in ? arena_alloc(mem, FILE_MAX) : NULL;
    size_t n = bytes ? fread(bytes, 1, FILE_MAX, in) : 0;
    if (in)
        fclose(in);
    if (n == 0 || n == FILE_MAX)
        return fault_set(f, E_FILE, path, "a readable file of less than 1 MiB", "none, or a larger one");
    *ret = view_make(bytes, n);
    return E_OK;
}

/* A path inside the file is relative to it. */
static const char *
beside(const char *file, view name, arena *mem)
{
    const char *slash = strrchr(file, '/');
    view folder = slash ? view_make(file, (size_t)(slash - file) + 1) : V("");
    view path =
        view_starts(name, V("/")) ? name : arena_printf(mem, "%.*s%.*s", VIEW_ARG(folder), VIEW_ARG(name));
    return arena_cstr(mem, path);
}

static err
wallet_read(const char *file, struct outside *o, struct fault *f)
{
    view text, pem;
    json_t *json = NULL;
    struct signer ignored;
    TRY(file_read(file, o->mem, &text, f));
    TRY(json_load(text, o->mem, &json, f));
    const json_t *module = json_member(json, "module");
    const json_t *number = json_member(json, "number");
    o->client_id = json_text(json, "client_id");
    o->login_profile = json_text(json_member(json, "login"), "profile");
    o->login_type = json_text(json_member(json, "login"), "type");
    o->number_claim = number ? json_text(number, "claim") : V("id_number");
    o->number_system = number ? json_text(number, "system") : V("http://www.moi.gov.tw");
    o->module = (struct wallet_module){json_text(module, "url"), json_text(module, "token"),
                                       json_text(module, "ref")};
    TRY(wallet_issuers_read(text, o->mem, &o->issuers, f));
    o->has_wallet = true;
    if (!json_text(json, "key").n)
        return E_OK;
    const char *key = beside(file, json_text(json, "key"), o->mem);
    const char *certificate = beside(file, json_text(json, "certificate"), o->mem);
    if (!key || !certificate || !o->client_id.n)
        return fault_set(f, E_CONFIG, file, "client_id, key and certificate", "one missing");
    TRY(key_load_pem(key, &o->key, f));
    TRY(file_read(certificate, o->mem, &pem, f));
    return certificate_read(pem, o->mem, &ignored, &o->certificate_der, f);
}

static err
mydata_read(const char *file, struct outside *o, struct fault *f)
{
    view text;
    json_t *json = NULL;
    TRY(file_read(file, o->mem, &text, f));
    TRY(json_load(text, o->mem, &json, f));
    const json_t *list = json_member(json, "resources");
    o->mydata = (struct mydata_client){json_text(json, "platform"), json_text(json, "client_id"),
                                       json_text(json, "client_secret"), json_text(json, "cbc_iv")};
    if (!o->mydata.platform.n || !o->mydata.client_id.n || o->mydata.secret.n != 16 || o->mydata.iv.n != 16 ||
        json_array_size(list) == 0 || json_array_size(list) > MYDATA_RESOURCES_MAX)
        return fault_set(f, E_CONFIG, file,
                         "platform, client_id, client_secret, cbc_iv, one to eight resources",
                         "something else");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        o->resources[o->n_resources++] =
            (struct mydata_resource){json_text(one, "id"), json_text(one, "organisation")};
    }
    o->has_mydata = true;
    return E_OK;
}

void
outside_free(struct outside *o)
{
    if (!o)
        return;
    key_free(o->key);
    status_cache_free(o->lists);
    arena_free(o->mem); /* o lies in it */
}

err
outside_read(const struct config *c, struct outside **ret, struct fault *f)
{
    arena *mem = arena_new(MEMORY);
    struct outside *o = arena_make(mem, struct outside);
    err e = E_OK;
    if (!o)
        abort();
    o->mem = mem;
    o->lists = status_cache_new();
    if (!o->lists)
        abort();
    if (config_text(c, SET_WALLET_FILE).n)
        e = wallet_read(config_cstr(c, SET_WALLET_FILE), o, f);
    if (e == E_OK && config_text(c, SET_MYDATA_FILE).n)
        e = mydata_read(config_cstr(c, SET_MYDATA_FILE), o, f);
    if (e != E_OK) {
        outside_free(o);
        return e;
    }
    *ret = o;
    return E_OK;
}
