/* The receipt's payload is flat JSON of fixed members; digests stand in hex, as sha256sum prints them. */
#include "signing/log/receipt.h"

#include "base/buf.h"
#include "base/json_tree.h"
#include "base/text.h"

#define RECEIPT_TYPE "claimgate-receipt+jwt"
#define RECEIPT_MAX 8192

static void
print_text(struct buf *out, const char *before, view value)
{
    buf_add(out, before, strlen(before));
    buf_add_json(out, value);
}

static void
print_digest(struct buf *out, const char *before, const digest *d)
{
    buf_add(out, before, strlen(before));
    BUF_LIT(out, "\"");
    buf_add_hex(out, digest_view(d));
    BUF_LIT(out, "\"");
}

err
receipt_sign(const struct receipt *r, const struct key *k, arena *mem, view *ret_jws)
{
    char id[ID_TEXT_SIZE], time[32];
    if (k->alg != ALG_ES256)
        return E_ALGORITHM;
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, RECEIPT_MAX);
    print_text(&text, "{\"iss\":", r->issuer);
    print_text(&text, ",\"sub\":", submission_id_print(r->submission, id));
    print_digest(&text, ",\"document_sha256\":", &r->document);
    print_digest(&text, ",\"verdict_sha256\":", &r->verdict);
    print_text(&text, ",\"sender\":", r->sender);
    print_text(&text, ",\"received_at\":", instant_print(r->received_at, time));
    print_digest(&text, ",\"leaf\":", &r->leaf);
    print_text(&text, ",\"log\":", r->log_id);
    print_text(&text, ",\"include_by\":", instant_print(r->include_by, time));
    BUF_LIT(&text, "}");
    if (text.failed)
        return E_TOO_LARGE;
    return jws_sign(k, V("\"typ\":\"" RECEIPT_TYPE "\""), buf_view(&text), false, mem, ret_jws);
}

struct reading {
    struct tree tree;
    arena *mem;
    struct fault *f;
};

static err
malformed(const struct reading *r, const char *where, const char *expected)
{
    return fault_set(r->f, E_SIGNATURE_FORM, where, expected, "something else");
}

static err
read_text(const struct reading *r, const char *name, view *ret)
{
    const struct node *n = node_member(&r->tree, tree_root(&r->tree), view_of(name));
    if (!n || n->kind != NODE_STRING)
        return malformed(r, name, "a string");
    *ret = node_text(&r->tree, n);
    return E_OK;
}

static err
read_digest(const struct reading *r, const char *name, digest *ret)
{
    view text = VIEW_NONE, bytes;
    TRY(read_text(r, name, &text));
    if (text_hex_decode(text, r->mem, &bytes) != E_OK || bytes.n != sizeof ret->b)
        return malformed(r, name, "a SHA-256 in hex");
    memcpy(ret->b, bytes.p, sizeof ret->b);
    return E_OK;
}

static err
read_time(const struct reading *r, const char *name, instant *ret)
{
    view text = VIEW_NONE;
    TRY(read_text(r, name, &text));
    return instant_parse(text, ret, NULL) == E_OK ? E_OK : malformed(r, name, "a time as RFC 3339 has it");
}

static err
payload_read(const struct reading *r, struct receipt *ret)
{
    view id = VIEW_NONE;
    if (tree_root(&r->tree)->kind != NODE_OBJECT)
        return malformed(r, "receipt", "a JSON object");
    TRY(read_text(r, "iss", &ret->issuer));
    TRY(read_text(r, "sub", &id));
    if (submission_id_parse(id, &ret->submission) != E_OK)
        return malformed(r, "sub", "a submission id");
    TRY(read_digest(r, "document_sha256", &ret->document));
    TRY(read_digest(r, "verdict_sha256", &ret->verdict));
    TRY(read_text(r, "sender", &ret->sender));
    TRY(read_time(r, "received_at", &ret->received_at));
    TRY(read_digest(r, "leaf", &ret->leaf));
    TRY(read_text(r, "log", &ret->log_id));
    return read_time(r, "include_by", &ret->include_by);
}

err
receipt_check(view jws, void *pkey, arena *mem, struct receipt *ret, struct fault *f)
{
    struct jws_parts parts;
    struct reading r = {.mem = mem, .f = f};
    struct receipt got;
    view payload;
    if (jws.n > 2 * RECEIPT_MAX)
        return malformed(&r, "receipt", "at most 16 KiB");
    TRY(jws_split(jws, mem, &parts, f));
    if (!view_eq(parts.header.typ, V(RECEIPT_TYPE)))
        return malformed(&r, "typ", RECEIPT_TYPE);
    if (!parts.payload_b64.n)
        return malformed(&r, "receipt", "an embedded payload");
    TRY(jws_verify(&parts, VIEW_NONE, ALG_ES256, pkey, mem, f));
    TRY(jws_payload(&parts, mem, &payload, f));
    const struct tree_limits limits = {RECEIPT_MAX, 256};
    TRY(tree_read_json(payload, &limits, mem, &r.tree, f));
    TRY(payload_read(&r, &got));
    *ret = got;
    return E_OK;
}
