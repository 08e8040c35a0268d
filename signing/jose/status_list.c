#include "signing/jose/status_list.h"

#include "base/text.h"
#include "signing/inflate.h"
#include "signing/jose/sd_jwt.h"

#define CLOCK_SKEW SPAN_SECONDS(30)

static err
bad_list(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_STATUS_LIST, where, expected, "something else");
}

static err
unpack(view packed, enum inflate_form form, arena *mem, view *ret, struct fault *f)
{
    err e = inflate_bytes(packed, form, STATUS_LIST_BYTES_MAX, mem, ret, NULL);
    return e == E_OK ? E_OK : bad_list(f, "list", "a compressed list of at most 16 MiB");
}

err
status_list_unpack(view packed, unsigned bits, arena *mem, struct status_list *ret, struct fault *f)
{
    struct status_list l = {.bits = bits, .order = STATUS_LSB_FIRST};
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8)
        return bad_list(f, "bits", "1, 2, 4 or 8");
    TRY(unpack(packed, INFLATE_ZLIB, mem, &l.bytes, f));
    *ret = l;
    return E_OK;
}

err
status_list2021_unpack(view packed, arena *mem, struct status_list *ret, struct fault *f)
{
    struct status_list l = {.bits = 1, .order = STATUS_MSB_FIRST};
    TRY(unpack(packed, INFLATE_GZIP, mem, &l.bytes, f));
    *ret = l;
    return E_OK;
}

err
status_list_get(const struct status_list *l, uint64_t index, unsigned *ret, struct fault *f)
{
    uint64_t in_byte = 8 / l->bits;
    if (index / in_byte >= l->bytes.n)
        return fault_set(f, E_STATUS_INDEX, "status", "an index inside the list", "one beyond its end");
    unsigned place = (unsigned)(index % in_byte) * l->bits;
    unsigned shift = l->order == STATUS_LSB_FIRST ? place : 8 - l->bits - place;
    *ret = ((unsigned)(uint8_t)l->bytes.p[index / in_byte] >> shift) & ((1u << l->bits) - 1);
    return E_OK;
}

err
status_judge(unsigned value, struct fault *f)
{
    switch (value) {
    case STATUS_VALID:
        return E_OK;
    case STATUS_INVALID:
        return fault_set(f, E_CREDENTIAL_REVOKED, "status", "valid", "revoked");
    case STATUS_SUSPENDED:
        return fault_set(f, E_CREDENTIAL_SUSPENDED, "status", "valid", "suspended");
    }
    return fault_set(f, E_STATUS_VALUE, "status", "0, 1 or 2", "another value");
}

/* ---- signed lists ---- */

static err
token_open(view compact, const struct status_signer *s, const char *typ, arena *mem, json_t **ret,
           struct fault *f)
{
    struct jws_parts jwt;
    view text;
    json_t *payload = NULL;
    if (compact.n > STATUS_TOKEN_MAX)
        return bad_list(f, "status list", "at most 10 MiB");
    TRY(jws_split(compact, mem, &jwt, f));
    if (!view_eq(jwt.header.typ, view_of(typ)))
        return fault_set(f, E_CREDENTIAL_TYP, "typ", typ, "another type");
    TRY(jws_verify(&jwt, VIEW_NONE, s->alg, s->pkey, mem, f));
    TRY(jws_payload(&jwt, mem, &text, f));
    TRY(json_load(text, mem, &payload, f));
    TRY(jwt_check_times(payload, s->now, CLOCK_SKEW, false, f));
    *ret = payload;
    return E_OK;
}

static void
times_get(const json_t *payload, struct status_token *ret)
{
    int64_t exp = json_int(payload, "exp", -1);
    ret->expires = exp < 0 ? INSTANT_NONE : instant_of_unix(exp);
    ret->ttl = json_int(payload, "ttl", -1);
}

err
status_token_read(view compact, const struct status_signer *s, arena *mem, struct status_token *ret,
                  struct fault *f)
{
    struct status_token t;
    json_t *payload = NULL;
    view packed;
    TRY(token_open(compact, s, "statuslist+jwt", mem, &payload, f));
    if (!s->uri.n || !view_eq(json_text(payload, "sub"), s->uri))
        return fault_set(f, E_STATUS_SUBJECT, "sub", "the address that the credential names", "another");
    const json_t *list = json_member(payload, "status_list");
    int64_t bits = json_int(list, "bits", 0);
    if (text_base64url_decode(json_text(list, "lst"), mem, &packed) != E_OK || bits < 1 || bits > 8)
        return bad_list(f, "status_list", "bits, and lst in base64url");
    TRY(status_list_unpack(packed, (unsigned)bits, mem, &t.list, f));
    times_get(payload, &t);
    *ret = t;
    return E_OK;
}

static bool
has_type(const json_t *vc, const char *type)
{
    const json_t *types = json_member(vc, "type");
    for (size_t i = 0; i < json_array_size(types); i++) {
        const char *one = json_string_value(json_array_get(types, i));
        if (one && strcmp(one, type) == 0)
            return true;
    }
    return false;
}

err
status_list2021_read(view compact, const struct status_signer *s, view purpose, arena *mem,
                     struct status_token *ret, struct fault *f)
{
    struct status_token t;
    json_t *payload = NULL;
    view packed;
    TRY(token_open(compact, s, "JWT", mem, &payload, f));
    const json_t *vc = json_member(payload, "vc"), *subject = json_member(vc, "credentialSubject");
    if (!has_type(vc, "StatusList2021Credential"))
        return bad_list(f, "vc.type", "StatusList2021Credential");
    if (!s->uri.n || !view_eq(json_text(payload, "jti"), s->uri))
        return fault_set(f, E_STATUS_SUBJECT, "jti", "the address that the credential names", "another");
    if (!view_eq(json_text(subject, "statusPurpose"), purpose))
        return fault_set(f, E_STATUS_SUBJECT, "statusPurpose", "the purpose asked for", "another");
    if (text_base64_decode(json_text(subject, "encodedList"), mem, &packed) != E_OK)
        return bad_list(f, "encodedList", "base64 with padding");
    TRY(status_list2021_unpack(packed, mem, &t.list, f));
    times_get(payload, &t);
    *ret = t;
    return E_OK;
}
