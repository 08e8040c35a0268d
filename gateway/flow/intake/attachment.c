#include "flow/intake/attachment.h"

#include "adapters/claimlink/photo.h"
#include "base/text.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/seal.h"

err
attachment_known(const struct gateway *g, struct reader *r, partner_id who, view sha256_hex, arena *mem,
                 bool *ret)
{
    digest id = BLIND(g->seal, "attachment", sha256_hex);
    struct row_attachment *known = NULL;
    TRY(query_attachment(r, ARGS(val_digest(&id), val_uid(&who.u)), mem, &known));
    *ret = known != NULL;
    return E_OK;
}

/* Of a picture others get a copy without what the camera wrote into it; of all else nothing. */
static err
add_photo(const struct gateway *g, struct unit *u, const struct row_attachment *of,
          const struct data_key *key, view body)
{
    view copy, sealed;
    bool left;
    if (!photo_copy(body, u->mem, &copy, &left))
        return E_OK;
    digest d = sha256(copy);
    struct row_photo *row = unit_add_photo(u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_photo){.id = of->id,
                              .partner = of->partner,
                              .photo = photo_id_new().u,
                              .picture = BLIND(g->seal, "picture", digest_view(&d)),
                              .bytes = (int64_t)copy.n,
                              .media = photo_media(copy),
                              .key = key->id,
                              .at = of->at};
    TRY(seal_box(key, V("photo"), row->photo, copy, u->mem, &sealed));
    unit_body(u, sealed, &row->body_at);
    return E_OK;
}

err
attachment_add(const struct gateway *g, struct unit *u, partner_id who, view sha256_hex, view body,
               view media, instant now)
{
    struct data_key key;
    uid place;
    view sealed;
    struct row_attachment *row = unit_add_attachment(u);
    if (!row)
        return E_TOO_LARGE;
    digest id = BLIND(g->seal, "attachment", sha256_hex);
    memcpy(place.b, id.b, sizeof place.b);
    TRY(seal_new_key(g->seal, u, "attachment", &key));
    row->id = id;
    row->partner = who.u;
    row->at = now;
    err e = seal_box(&key, V("attachment"), place, body, u->mem, &sealed);
    if (e == E_OK)
        e = add_photo(g, u, row, &key, body);
    data_key_forget(&key);
    TRY(e);
    row->seal_check = sha256(sealed);
    row->bytes = (int64_t)body.n;
    row->media = media;
    row->key = key.id;
    unit_body(u, sealed, &row->body_at);
    return E_OK;
}

err
attachment_put(struct gateway *g, partner_id who, view sha256_hex, view body, const digest *body_digest,
               view media, instant now, arena *mem, bool *ret_created, struct fault *f)
{
    if (!view_eq(text_hex(mem, digest_view(body_digest)), sha256_hex))
        return fault_set(f, E_ATTACHMENT_DIGEST, "sha256", "the SHA-256 of the body in lower-case hex",
                         "another");
    AUTO(reader_done) struct reader *r = NULL;
    bool is_known;
    TRY(store_reader(g->store, &r));
    TRY(attachment_known(g, r, who, sha256_hex, mem, &is_known));
    reader_done(TAKE(r));
    *ret_created = !is_known;
    if (is_known)
        return E_OK;
    struct unit u;
    unit_init(&u, mem);
    TRY(attachment_add(g, &u, who, sha256_hex, body, media, now));
    err e = store_commit(g->store, &u);
    *ret_created = e == E_OK;
    return e == E_STALE ? E_OK : e; /* another request brought the same bytes first */
}
