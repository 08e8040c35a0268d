#include "flow/intake/upload.h"

#include "base/text.h"
#include "flow/evidence/seal.h"
#include "flow/intake/attachment.h"

static err
find(struct reader *r, partner_id who, upload_id id, arena *mem, struct row_upload **ret, struct fault *f)
{
    struct row_upload *row = NULL;
    TRY(query_upload(r, ARGS(val_uid(&id.u), val_uid(&who.u)), mem, &row));
    if (!row)
        return fault_set(f, E_NOT_FOUND, "", "an upload of your own that is not complete", "none");
    *ret = row;
    return E_OK;
}

static struct upload_state
state_of(const struct row_upload *row)
{
    return (struct upload_state){.id = {row->id}, .received = row->received, .bytes = row->bytes};
}

static err
check_wish(view sha256_hex, int64_t bytes, arena *mem, struct fault *f)
{
    view raw;
    if (sha256_hex.n != 64 || text_hex_decode(sha256_hex, mem, &raw) != E_OK ||
        !view_eq(text_hex(mem, raw), sha256_hex))
        return fault_set(f, E_PARAMETER, "/sha256", "64 lower-case hex digits", "another form");
    if (bytes < 1)
        return fault_set(f, E_PARAMETER, "/bytes", "the length of the whole, from 1", "another value");
    if (bytes > UPLOAD_BYTES_MAX)
        return fault_set(f, E_TOO_LARGE, "/bytes", "at most 26214400", "more");
    return E_OK;
}

err
upload_create(struct gateway *g, partner_id who, view sha256_hex, int64_t bytes, view media, instant now,
              arena *mem, struct upload_state *ret, struct fault *f)
{
    TRY(check_wish(sha256_hex, bytes, mem, f));
    AUTO(reader_done) struct reader *r = NULL;
    bool is_known;
    TRY(store_reader(g->store, &r));
    TRY(attachment_known(g, r, who, sha256_hex, mem, &is_known));
    reader_done(TAKE(r));
    *ret = (struct upload_state){.id = upload_id_new(), .bytes = bytes};
    if (is_known) {
        ret->received = bytes;
        ret->is_complete = true;
        return E_OK;
    }
    struct unit u;
    struct data_key key;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_uploads_few, ARGS(val_uid(&who.u), val_int(UPLOADS_OPEN)));
    struct row_upload *row = unit_add_upload(&u);
    if (!row)
        return E_TOO_LARGE;
    TRY(seal_new_key(g->seal, &u, "upload", &key));
    err e = seal_box(&key, V("upload"), ret->id.u, sha256_hex, mem, &row->sha256);
    data_key_forget(&key);
    TRY(e);
    row->id = ret->id.u;
    row->partner = who.u;
    row->bytes = bytes;
    row->media = media;
    row->key = key.id;
    row->at = now;
    return store_commit(g->store, &u);
}

err
upload_state(struct gateway *g, partner_id who, upload_id id, arena *mem, struct upload_state *ret,
             struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_upload *row;
    TRY(store_reader(g->store, &r));
    TRY(find(r, who, id, mem, &row, f));
    *ret = state_of(row);
    return E_OK;
}

static err
add_part(struct gateway *g, const struct row_upload *row, const struct data_key *key, view bytes, arena *mem)
{
    struct unit u;
    view sealed;
    unit_init(&u, mem);
    unit_guard(&u, GUARD_upload_offset, ARGS(val_uid(&row->id), val_int(row->received)));
    struct row_upload_part *part = unit_add_upload_part(&u);
    if (!part)
        return E_TOO_LARGE;
    TRY(seal_box(key, V("upload_part"), row->id, bytes, mem, &sealed));
    part->upload = row->id;
    part->offset = row->received;
    part->bytes = (int64_t)bytes.n;
    unit_body(&u, sealed, &part->body_at);
    unit_change(&u, CHANGE_upload_grow, ARGS(val_uid(&row->id), val_int((int64_t)bytes.n)));
    return store_commit(g->store, &u);
}

/* The parts and the last piece in one run of bytes.  A part at a time is in memory beside the whole. */
static err
join(struct gateway *g, struct reader *r, const struct row_upload *row, const struct data_key *key, view last,
     arena *mem, view *ret)
{
    struct row_upload_part *first = NULL;
    char *whole = arena_alloc(mem, (size_t)row->bytes);
    size_t n = 0;
    if (!whole)
        return E_TOO_LARGE;
    TRY(query_upload_parts(r, ARGS(val_uid(&row->id)), mem, &first));
    AUTO(arena_free) arena *scratch = arena_new(4 * (size_t)UPLOAD_BYTES_MAX);
    for (struct row_upload_part *part = first; part; part = part->next) {
        view sealed, bytes;
        TRY(store_body(g->store, &part->body_at, scratch, &sealed));
        TRY(seal_unbox(key, V("upload_part"), row->id, sealed, scratch, &bytes));
        if ((int64_t)n != part->offset || n + bytes.n + last.n > (size_t)row->bytes)
            return E_STORE_CORRUPT;
        memcpy(whole + n, bytes.p, bytes.n);
        n += bytes.n;
        arena_reset(scratch);
    }
    memcpy(whole + n, last.p, last.n);
    *ret = (view){whole, n + last.n};
    return E_OK;
}

static void
forget(struct unit *u, const uid *upload)
{
    unit_change(u, CHANGE_upload_parts_forget, ARGS(val_uid(upload)));
    unit_change(u, CHANGE_upload_forget, ARGS(val_uid(upload)));
}

static err
complete(struct gateway *g, const struct row_upload *row, view sha256_hex, view whole, instant now,
         arena *mem, struct fault *f)
{
    struct unit u;
    digest found = sha256(whole);
    bool is_right = view_eq(text_hex(mem, digest_view(&found)), sha256_hex);
    unit_init(&u, mem);
    unit_guard(&u, GUARD_upload_offset, ARGS(val_uid(&row->id), val_int(row->received)));
    forget(&u, &row->id);
    if (is_right)
        TRY(attachment_add(g, &u, (partner_id){row->partner}, sha256_hex, whole, row->media, now));
    err e = store_commit(g->store, &u);
    if (e == E_OK && !is_right)
        return fault_set(f, E_ATTACHMENT_DIGEST, "/sha256", "the SHA-256 that was declared", "another");
    return e;
}

static bool
is_last(const struct row_upload *row, view bytes)
{
    return row->received + (int64_t)bytes.n == row->bytes;
}

/* All that is read: whole and sha256_hex only when these bytes are the last. */
struct piece {
    struct row_upload *row;
    struct data_key key;
    view bytes, whole, sha256_hex;
};

static err
load(struct gateway *g, partner_id who, upload_id id, int64_t offset, arena *mem, struct piece *p,
     struct upload_state *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    TRY(store_reader(g->store, &r));
    TRY(find(r, who, id, mem, &p->row, f));
    *ret = state_of(p->row);
    if (offset != p->row->received)
        return fault_set(f, E_UPLOAD_OFFSET, "upload-offset", "the number in the answer's Upload-Offset",
                         "another");
    if (offset + (int64_t)p->bytes.n > p->row->bytes)
        return fault_set(f, E_TOO_LARGE, "content-length", "what the declared length leaves", "more");
    TRY(seal_load_key(g->seal, r, p->row->key, mem, &p->key));
    if (!is_last(p->row, p->bytes))
        return E_OK;
    TRY(seal_unbox(&p->key, V("upload"), p->row->id, p->row->sha256, mem, &p->sha256_hex));
    p->whole = p->bytes;
    return offset > 0 ? join(g, r, p->row, &p->key, p->bytes, mem, &p->whole) : E_OK;
}

static err
keep(struct gateway *g, const struct piece *p, instant now, arena *mem, struct fault *f)
{
    if (is_last(p->row, p->bytes))
        return complete(g, p->row, p->sha256_hex, p->whole, now, mem, f);
    return p->bytes.n > 0 ? add_part(g, p->row, &p->key, p->bytes, mem) : E_OK;
}

err
upload_append(struct gateway *g, partner_id who, upload_id id, int64_t offset, view bytes, instant now,
              arena *mem, struct upload_state *ret, struct fault *f)
{
    struct piece p = {.bytes = bytes};
    err e = load(g, who, id, offset, mem, &p, ret, f);
    if (e == E_OK)
        e = keep(g, &p, now, mem, f);
    data_key_forget(&p.key);
    if (e == E_OK) {
        ret->received += (int64_t)bytes.n;
        ret->is_complete = ret->received == ret->bytes;
    }
    if (f->code != E_OK || (e != E_UPLOAD_OFFSET && e != E_STALE))
        return e;
    TRY(upload_state(g, who, id, mem, ret, f)); /* another request was faster: say where it got to */
    return fault_set(f, E_UPLOAD_OFFSET, "upload-offset", "the number in the answer's Upload-Offset",
                     "another");
}

err
upload_cancel(struct gateway *g, partner_id who, upload_id id, arena *mem, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_upload *row;
    struct unit u;
    TRY(store_reader(g->store, &r));
    TRY(find(r, who, id, mem, &row, f));
    reader_done(TAKE(r));
    unit_init(&u, mem);
    forget(&u, &id.u);
    return store_commit(g->store, &u);
}
