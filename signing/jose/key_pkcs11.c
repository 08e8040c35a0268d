/* Our signing keys in a token (PKCS#11): the second maker of the key_ops seam.  The private key never leaves the token; sessions are opened
 * ahead and shared out, and one that the token lost is opened anew, once a signature. */
#include "signing/jose/jose.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 8
#define SLOTS_MAX 64
#define PIN_MAX 256
#define POINT_MAX 160
#define ATTRIBUTES_MAX 8

struct token {
    CK_FUNCTION_LIST *module;
    P11KitUri *uri;
    char pin_file[1024];
    CK_MECHANISM_TYPE mechanism;
    atomic_uint next;
    struct session {
        pthread_mutex_t lock;
        CK_SESSION_HANDLE handle;
        CK_OBJECT_HANDLE key;
        bool is_open;
    } sessions[SESSIONS];
};

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    return fault_set(f, E_CONFIG, "pkcs11", expected, found);
}

/* -- finding -- */

static err
find_slot(struct token *t, CK_SLOT_ID *ret, struct fault *f)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    CK_TOKEN_INFO info;
    if (t->module->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
        return refuse(f, "a module with tokens, at most 64", "none, or an error");
    for (CK_ULONG i = 0; i < n; i++) {
        if (t->module->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
            !p11_kit_uri_match_token_info(t->uri, &info))
            continue;
        *ret = slots[i];
        return E_OK;
    }
    return refuse(f, "the token that the URI names", "no such token");
}

static err
log_in(struct token *t, CK_SESSION_HANDLE session, struct fault *f)
{
    char pin[PIN_MAX + 2] = "";
    FILE *in = t->pin_file[0] ? fopen(t->pin_file, "re") : NULL;
    if (t->pin_file[0] && (!in || !fgets(pin, sizeof pin, in))) {
        if (in)
            fclose(in);
        return fault_set(f, E_FILE, t->pin_file, "a file with the PIN", "none that can be read");
    }
    if (in)
        fclose(in);
    size_t n = strcspn(pin, "\r\n");
    CK_RV rv = t->pin_file[0] ? t->module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, n) : CKR_OK;
    OPENSSL_cleanse(pin, sizeof pin);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN
               ? E_OK
               : refuse(f, "a PIN that opens the token", "another");
}

static err
find_object(struct token *t, CK_SESSION_HANDLE session, CK_OBJECT_CLASS wanted, CK_OBJECT_HANDLE *ret,
            struct fault *f)
{
    CK_ATTRIBUTE all[ATTRIBUTES_MAX] = {{CKA_CLASS, &wanted, sizeof wanted}};
    CK_OBJECT_HANDLE found[2];
    CK_ULONG n_all = 1, n_said = 0, n = 0;
    CK_ATTRIBUTE *said = p11_kit_uri_get_attributes(t->uri, &n_said);
    for (CK_ULONG i = 0; i < n_said && n_all < ATTRIBUTES_MAX; i++)
        if (said[i].type != CKA_CLASS)
            all[n_all++] = said[i];
    if (t->module->C_FindObjectsInit(session, all, n_all) != CKR_OK)
        return refuse(f, "a token that finds objects", "an error");
    CK_RV rv = t->module->C_FindObjects(session, found, 2, &n);
    t->module->C_FindObjectsFinal(session);
    if (rv != CKR_OK || n != 1)
        return refuse(
            f, wanted == CKO_PRIVATE_KEY ? "one private key by this name" : "its public key by the same name",
            n == 0 ? "none" : "several");
    *ret = found[0];
    return E_OK;
}

static err
session_open(struct token *t, struct session *s, struct fault *f)
{
    CK_SLOT_ID slot;
    TRY(find_slot(t, &slot, f));
    if (t->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &s->handle) != CKR_OK)
        return refuse(f, "a session with the token", "none");
    err e = log_in(t, s->handle, f);
    if (e == E_OK)
        e = find_object(t, s->handle, CKO_PRIVATE_KEY, &s->key, f);
    if (e != E_OK)
        t->module->C_CloseSession(s->handle);
    s->is_open = e == E_OK;
    return e;
}

/* -- the public half -- */

static EVP_PKEY *
p256_of_point(view point)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"P-256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n),
        OSSL_PARAM_construct_end()};
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* CKA_EC_POINT is the point as an OCTET STRING in DER, of some tokens the bare point; its length says which key it is. */
static EVP_PKEY *
pkey_of_point(view point, CK_MECHANISM_TYPE *ret)
{
    if (point.n > 2 && point.p[0] == 0x04 && (size_t)(uint8_t)point.p[1] == point.n - 2)
        point = view_sub(point, 2, point.n);
    *ret = point.n == 32 ? CKM_EDDSA : CKM_ECDSA;
    if (point.n == 32)
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)point.p, 32);
    return point.n == 65 ? p256_of_point(point) : NULL;
}

static err
read_public(struct token *t, EVP_PKEY **ret, struct fault *f)
{
    uint8_t bytes[POINT_MAX];
    CK_OBJECT_HANDLE object;
    CK_SESSION_HANDLE session = t->sessions[0].handle;
    CK_ATTRIBUTE point = {CKA_EC_POINT, bytes, sizeof bytes};
    TRY(find_object(t, session, CKO_PUBLIC_KEY, &object, f));
    if (t->module->C_GetAttributeValue(session, object, &point, 1) == CKR_OK &&
        point.ulValueLen <= sizeof bytes)
        *ret = pkey_of_point(view_make(bytes, point.ulValueLen), &t->mechanism);
    ERR_clear_error();
    return *ret ? E_OK : refuse(f, "a P-256 or Ed25519 key", "another kind");
}

/* -- signing -- */

static CK_RV
sign_once(struct token *t, struct session *s, view data, uint8_t out[64])
{
    CK_MECHANISM mechanism = {t->mechanism, NULL, 0};
    CK_ULONG n = 64;
    if (!s->is_open)
        return CKR_SESSION_HANDLE_INVALID;
    CK_RV rv = t->module->C_SignInit(s->handle, &mechanism, s->key);
    if (rv == CKR_OK)
        rv = t->module->C_Sign(s->handle, (CK_BYTE *)(uintptr_t)data.p, data.n, out, &n);
    return rv == CKR_OK && n != 64 ? CKR_GENERAL_ERROR : rv;
}

/* A token that was restarted or pulled forgets sessions and logins. */
static CK_RV
sign_or_reopen(struct token *t, struct session *s, view data, uint8_t out[64])
{
    struct fault unused;
    fault_init(&unused);
    CK_RV rv = sign_once(t, s, data, out);
    if (rv == CKR_OK || rv == CKR_ARGUMENTS_BAD || rv == CKR_DATA_LEN_RANGE)
        return rv;
    if (s->is_open)
        t->module->C_CloseSession(s->handle);
    s->is_open = false;
    return session_open(t, s, &unused) == E_OK ? sign_once(t, s, data, out) : rv;
}

static err
token_sign(void *self, enum jose_alg alg, view data, arena *mem, view *ret_signature)
{
    struct token *t = self;
    uint8_t signature[64], hash[JOSE_HASH_MAX];
    const struct jose_row *row = jose_row_of(alg);
    bool fits = row && ((t->mechanism == CKM_ECDSA && row->key == JOSE_EC_P256) ||
                        (t->mechanism == CKM_EDDSA && row->key == JOSE_OKP_ED25519));
    if (!fits)
        return E_ALGORITHM;
    if (row->md != JOSE_MD_NONE) {
        jose_hash_start(row->md);
        jose_hash_add(data);
        data = view_make(hash, jose_hash_end(hash));
    }
    struct session *s = &t->sessions[atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed) % SESSIONS];
    pthread_mutex_lock(&s->lock);
    CK_RV rv = sign_or_reopen(t, s, data, signature);
    pthread_mutex_unlock(&s->lock);
    if (rv != CKR_OK)
        return E_INTERNAL;
    view copy = arena_dup(mem, view_make(signature, sizeof signature));
    if (!copy.p)
        return E_TOO_LARGE;
    *ret_signature = copy;
    return E_OK;
}

static void
token_free(void *self)
{
    struct token *t = self;
    for (size_t i = 0; i < SESSIONS; i++) {
        if (t->sessions[i].is_open)
            t->module->C_CloseSession(t->sessions[i].handle);
        pthread_mutex_destroy(&t->sessions[i].lock);
    }
    if (t->module) {
        p11_kit_module_finalize(t->module);
        p11_kit_module_release(t->module);
    }
    p11_kit_uri_free(t->uri);
    free(t);
}

static const struct key_ops token_ops = {"pkcs11", token_sign, token_free};

/* -- loading -- */

/* RFC 7512: module-path and pin-source are wanted, a PIN in the URI itself is refused: settings are no place for secrets. */
static err
read_uri(struct token *t, const char *text, struct fault *f)
{
    t->uri = p11_kit_uri_new();
    if (!t->uri || p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, t->uri) != P11_KIT_URI_OK)
        return refuse(f, "a PKCS#11 URI (RFC 7512)", "another form");
    const char *pin = p11_kit_uri_get_pin_source(t->uri), *module = p11_kit_uri_get_module_path(t->uri);
    if (p11_kit_uri_get_pin_value(t->uri))
        return refuse(f, "pin-source=file:…", "a PIN in the URI");
    if (!module)
        return refuse(f, "module-path=… of the token's library", "none");
    if (pin && snprintf(t->pin_file, sizeof t->pin_file, "%s",
                        strncmp(pin, "file:", 5) == 0 ? pin + 5 : pin) >= (int)sizeof t->pin_file)
        return refuse(f, "a path below 1 KiB", "longer");
    t->module = p11_kit_module_load(module, 0);
    if (!t->module)
        return refuse(f, "a PKCS#11 library at module-path", "none that loads");
    if (p11_kit_module_initialize(t->module) != CKR_OK) {
        p11_kit_module_release(t->module);
        t->module = NULL;
        return refuse(f, "a PKCS#11 library that starts", "an error");
    }
    return E_OK;
}

err
key_load_pkcs11(const char *uri, struct key **ret, struct fault *f)
{
    struct token *t = calloc(1, sizeof *t);
    EVP_PKEY *public = NULL;
    if (!t)
        abort();
    for (size_t i = 0; i < SESSIONS; i++)
        pthread_mutex_init(&t->sessions[i].lock, NULL);
    err e = read_uri(t, uri, f);
    for (size_t i = 0; i < SESSIONS && e == E_OK; i++)
        e = session_open(t, &t->sessions[i], f);
    if (e == E_OK)
        e = read_public(t, &public, f);
    if (e == E_OK)
        return key_make(&token_ops, t, public, ret, f);
    token_free(t);
    return e;
}
