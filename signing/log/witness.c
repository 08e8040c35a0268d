#include "signing/log/witness.h"

#include "base/text.h"
#include "signing/log/note.h"

#include <openssl/evp.h>

#define COSIGNATURE_TYPE 0x04 /* Ed25519 cosignature/v1 */
#define TIME_SIZE 8
#define SIGNATURE_SIZE 64
#define REQUEST_MAX 32768

/* The first bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
static bool
key_id(view name, void *pkey, uint8_t ret[NOTE_KEY_ID])
{
    char raw[1 + 32] = {COSIGNATURE_TYPE};
    size_t n = 32;
    if (EVP_PKEY_get_raw_public_key(pkey, (unsigned char *)raw + 1, &n) != 1 || n != 32)
        return false;
    const view parts[] = {name, V("\n"), view_make(raw, sizeof raw)};
    digest d = sha256_parts(parts, COUNT_OF(parts));
    memcpy(ret, d.b, NOTE_KEY_ID);
    return true;
}

static view
signed_text(view body, uint64_t time, arena *mem)
{
    return arena_printf(mem, "cosignature/v1\ntime %llu\n%.*s", (unsigned long long)time, VIEW_ARG(body));
}

static void
time_write(uint64_t time, uint8_t out[TIME_SIZE])
{
    for (int i = 0; i < TIME_SIZE; i++)
        out[i] = (uint8_t)(time >> (56 - 8 * i));
}

static uint64_t
time_read(const uint8_t *in)
{
    uint64_t time = 0;
    for (int i = 0; i < TIME_SIZE; i++)
        time = time << 8 | in[i];
    return time;
}

err
cosignature_make(view checkpoint, view name, const struct key *k, instant now, arena *mem, view *ret_line,
                 struct fault *f)
{
    view body = VIEW_NONE, lines = VIEW_NONE, signature = VIEW_NONE;
    uint8_t bytes[NOTE_KEY_ID + TIME_SIZE + SIGNATURE_SIZE];
    uint64_t time = (uint64_t)instant_unix(now);
    if (k->alg != ALG_ED25519 || !note_name_is_good(name) || !key_id(name, k->pkey, bytes))
        return fault_set(f, E_ALGORITHM, "key", "an Ed25519 key and a name without spaces", "another");
    TRY(note_split(checkpoint, &body, &lines, f));
    TRY(key_sign(k, signed_text(body, time, mem), mem, &signature));
    if (signature.n != SIGNATURE_SIZE)
        return E_INTERNAL;
    time_write(time, bytes + NOTE_KEY_ID);
    memcpy(bytes + NOTE_KEY_ID + TIME_SIZE, signature.p, SIGNATURE_SIZE);
    view line = arena_printf(mem, NOTE_DASH "%.*s %.*s\n", VIEW_ARG(name),
                             VIEW_ARG(text_base64(mem, view_make(bytes, sizeof bytes))));
    if (!line.p)
        return E_TOO_LARGE;
    *ret_line = line;
    return E_OK;
}

/* *ret_good is set when the line is by this witness and holds. */
static err
line_of_witness(view name, view bytes, view body, const struct witness_key *w, arena *mem, bool *ret_good,
                instant *ret_last, struct fault *f)
{
    uint8_t id[NOTE_KEY_ID];
    if (!view_eq(name, w->name) || !key_id(w->name, w->pkey, id) || memcmp(bytes.p, id, sizeof id) != 0)
        return E_OK;
    if (bytes.n != NOTE_KEY_ID + TIME_SIZE + SIGNATURE_SIZE)
        return fault_set(f, E_SIGNATURE_FORM, "cosignature", "a time and 64 bytes", "another length");
    uint64_t time = time_read((const uint8_t *)bytes.p + NOTE_KEY_ID);
    view signature = view_sub(bytes, NOTE_KEY_ID + TIME_SIZE, bytes.n);
    if (pkey_verify(w->pkey, ALG_ED25519, signed_text(body, time, mem), signature) != E_OK)
        return fault_set(f, E_SIGNATURE_MISMATCH, "cosignature", "a signature by the witness", "another one");
    *ret_good = true;
    if (time <= INT64_MAX / 1000000 && instant_unix(*ret_last) < (int64_t)time)
        *ret_last = instant_of_unix((int64_t)time);
    return E_OK;
}

err
cosignatures_count(view checkpoint, const struct witness_key *keys, size_t n, size_t *ret_good,
                   instant *ret_last, struct fault *f)
{
    arena *mem AUTO(arena_free) = arena_new(16 * NOTE_MAX);
    view body = VIEW_NONE, lines = VIEW_NONE;
    bool good[NOTE_SIGNATURES_MAX] = {false};
    size_t count = 0;
    *ret_last = INSTANT_NONE;
    TRY(note_split(checkpoint, &body, &lines, f));
    for (size_t i = 0; lines.n && i < NOTE_SIGNATURES_MAX; i++) {
        view name = VIEW_NONE, bytes = VIEW_NONE;
        TRY(note_line_read(view_cut(&lines, '\n', NULL), mem, &name, &bytes, f));
        for (size_t w = 0; w < n && w < NOTE_SIGNATURES_MAX; w++)
            TRY(line_of_witness(name, bytes, body, &keys[w], mem, &good[w], ret_last, f));
    }
    for (size_t w = 0; w < n && w < NOTE_SIGNATURES_MAX; w++)
        count += good[w];
    *ret_good = count;
    return E_OK;
}

/* -- the request -- */

static err
malformed(struct fault *f, const char *expected)
{
    return fault_set(f, E_SYNTAX, "request", expected, "something else");
}

err
witness_request_read(view body, arena *mem, struct witness_request *ret, struct fault *f)
{
    view rest = body, line = view_cut(&rest, '\n', NULL);
    *ret = (struct witness_request){0};
    if (body.n > REQUEST_MAX || !view_starts(line, V("old ")) ||
        text_to_u64(view_sub(line, 4, line.n), &ret->old) != E_OK)
        return malformed(f, "a line \"old\" and a size");
    while ((line = view_cut(&rest, '\n', NULL)).n) {
        view bytes = VIEW_NONE;
        if (ret->n == MERKLE_PATH_MAX || text_base64_decode(line, mem, &bytes) != E_OK ||
            bytes.n != sizeof(digest))
            return malformed(f, "at most 64 lines of a hash in base64, then an empty line");
        memcpy(ret->path[ret->n++].b, bytes.p, sizeof(digest));
    }
    ret->checkpoint = rest;
    return rest.n ? E_OK : malformed(f, "a checkpoint behind the empty line");
}

err
witness_request_print(const struct witness_request *rq, arena *mem, view *ret_body)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, REQUEST_MAX);
    buf_printf(&out, "old %llu\n", (unsigned long long)rq->old);
    for (size_t i = 0; i < rq->n; i++) {
        buf_add_base64(&out, digest_view(&rq->path[i]));
        BUF_LIT(&out, "\n");
    }
    BUF_LIT(&out, "\n");
    buf_add_view(&out, rq->checkpoint);
    view text = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    if (!text.p)
        return E_TOO_LARGE;
    *ret_body = text;
    return E_OK;
}

int
witness_judge(const struct witness_request *rq, view origin, void *log_key, const struct witnessed *known,
              struct witnessed *ret_new, struct fault *f)
{
    struct witnessed new = {0};
    err e = checkpoint_check(rq->checkpoint, origin, log_key, &new.n, &new.root, f);
    if (e != E_OK)
        return e == E_SIGNATURE_FORM ? 400 : 403;
    if (rq->old > new.n)
        return 400;
    if (rq->old != known->n)
        return 409;
    if (rq->old == new.n)
        return rq->n == 0 && digest_eq(&known->root, &new.root) ? (*ret_new = new, 200) : 409;
    /* Every log continues the empty one. */
    digest empty = sha256(V(""));
    const digest *root = known->n ? &known->root : &empty;
    if (merkle_check_consistency(known->n, root, new.n, &new.root, rq->path, rq->n) != E_OK)
        return 422;
    *ret_new = new;
    return 200;
}
