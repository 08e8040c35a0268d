#include "flow/attachment.h"

#include "base/text.h"
#include "flow/evidence.h"
#include "flow/seal.h"

err
attachment_put(struct gateway *g, partner_id who, view sha256_hex, view body, const digest *body_digest,
               view media, instant now, arena *mem, bool *ret_created, struct fault *f)
{
    view want = text_hex(mem, digest_view(body_digest)), sealed;
    if (!view_eq(want, sha256_hex))
        return fault_set(f, E_ATTACHMENT_DIGEST, "sha256", "the SHA-256 of the body in lower-case hex",
                         "another");
    digest id = BLIND(g->seal, "attachment", sha256_hex);
    AUTO(reader_done) struct reader *r = NULL;
    struct row_attachment *known = NULL;
    TRY(store_reader(g->store, &r));
    TRY(query_attachment(r, ARGS(val_digest(&id), val_uid(&who.u)), mem, &known));
    reader_done(TAKE(r));
    *ret_created = !known;
    if (known)
        return E_OK;
    struct unit u;
    struct data_key key;
    uid place;
    unit_init(&u, mem);
    struct row_attachment *row = unit_add_attachment(&u);
    if (!row)
        return E_TOO_LARGE;
    memcpy(place.b, id.b, sizeof place.b);
    TRY(seal_new_key(g->seal, &u, "attachment", &key));
    err e = seal_box(&key, V("attachment"), place, body, mem, &sealed);
    data_key_forget(&key);
    TRY(e);
    row->id = id;
    row->partner = who.u;
    row->seal_check = sha256(sealed);
    row->bytes = (int64_t)body.n;
    row->media = media;
    row->key = key.id;
    row->at = now;
    unit_body(&u, sealed, &row->body_at);
    e = store_commit(g->store, &u);
    *ret_created = e == E_OK;
    return e == E_STALE ? E_OK : e; /* another request brought the same bytes first */
}
