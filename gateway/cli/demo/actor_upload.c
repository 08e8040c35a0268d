#include "cli/demo/actor.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/demo/exchange.h"

#define PHOTO_MAX ((size_t)4 << 20)

/* -- a picture by its segments: EXIF with a place, which nobody else may learn, around data of the seed -- */

static void
add_segment(struct buf *b, uint8_t marker, view body)
{
    const uint8_t head[] = {0xFF, marker, (uint8_t)((body.n + 2) >> 8), (uint8_t)(body.n + 2)};
    buf_add(b, head, sizeof head);
    buf_add_view(b, body);
}

static err
make_picture(size_t size, uint64_t seed, arena *mem, view *ret)
{
    static const char table[65], frame[15], scan[10];
    struct buf out;
    uint64_t state = seed * 2862933555777941757u + 3037000493u;
    buf_init(&out, PHOTO_MAX);
    BUF_LIT(&out, "\xFF\xD8");
    add_segment(&out, 0xE0, V("JFIF\0\1\2\0\0\1\0\1\0\0"));
    add_segment(&out, 0xE1, V("Exif\0\0MM\0*\0\0\0\x08\0\0GPS 25.0330N 121.5654E"));
    add_segment(&out, 0xDB, view_make(table, sizeof table));
    add_segment(&out, 0xC0, view_make(frame, sizeof frame));
    add_segment(&out, 0xDA, view_make(scan, sizeof scan));
    while (out.n + 2 < size && !out.failed) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint8_t byte = (uint8_t)(state >> 56);
        buf_add_byte(&out, (char)(byte == 0xFF ? 0xFE : byte));
    }
    BUF_LIT(&out, "\xFF\xD9");
    *ret = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret->p ? E_OK : E_TOO_LARGE;
}

/* -- files -- */

static err
file_of(const json_t *file, arena *mem, view *ret, const char **ret_media)
{
    *ret_media = "image/jpeg";
    if (json_member(file, "jpeg"))
        return make_picture((size_t)json_int(file, "jpeg", 1000), (uint64_t)json_int(file, "seed", 1), mem,
                            ret);
    *ret_media = arena_cstr(mem, json_text(file, "media"));
    *ret = json_text(file, "text");
    return E_OK;
}

static err
call(struct actor *a, const char *method, view path, view body, const char *media, int64_t offset,
     struct client_reply *ret, struct fault *f)
{
    const struct net_header from = {"Upload-Offset",
                                    arena_printf(a->p.mem, "%lld", (long long)(offset < 0 ? 0 : offset))};
    const struct client_request rq = {.method = method,
                                      .path = path.p,
                                      .body = body,
                                      .media = media,
                                      .headers = &from,
                                      .n_headers = offset < 0 ? 0 : 1};
    return client_call(a->p.client, &rq, a->p.mem, ret, f);
}

/* The whole rest is announced, a part of it sent, and the connection broken off. */
static err
tear(struct actor *a, view path, view bytes, int64_t received, size_t n, const char *media, struct fault *f)
{
    struct exchange x = {.method = "PATCH",
                         .target = path,
                         .media = media,
                         .body = view_sub(bytes, (size_t)received, bytes.n),
                         .n_headers = 2};
    x.headers[0].name = "Authorization";
    TRY(client_bearer(a->p.client, a->p.mem, &x.headers[0].value, f));
    x.headers[1] = (struct net_header){"Upload-Offset", arena_printf(a->p.mem, "%lld", (long long)received)};
    return exchange_break(a->p.client, &x, n, a->p.mem, f);
}

struct upload {
    view bytes, path;
    const char *media;
    int64_t tears, torn, received;
};

/* What has arrived by now. */
static err
look(struct actor *a, struct upload *u, struct client_reply *ret, struct fault *f)
{
    TRY(call(a, "GET", u->path, VIEW_NONE, NULL, -1, ret, f));
    u->received = json_int(ret->json, "received", 0);
    return E_OK;
}

static err
upload_torn(struct actor *a, struct upload *u, view sha, struct client_reply *ret, struct fault *f)
{
    view wish = arena_printf(a->p.mem, "{\"sha256\":\"%.*s\",\"bytes\":%zu,\"media\":\"%s\"}", VIEW_ARG(sha),
                             u->bytes.n, u->media);
    TRY(call(a, "POST", V("/v1/uploads"), wish, NULL, -1, ret, f));
    u->path = arena_printf(a->p.mem, "/v1/uploads/%.*s", VIEW_ARG(json_text(ret->json, "id")));
    for (; u->torn < u->tears; u->torn++) {
        int64_t goal = (int64_t)u->bytes.n * (u->torn + 1) / (u->tears + 1);
        TRY(tear(a, u->path, u->bytes, u->received, (size_t)(goal - u->received), u->media, f));
        TRY(look(a, u, ret, f));
    }
    return call(a, "PATCH", u->path, view_sub(u->bytes, (size_t)u->received, u->bytes.n), u->media,
                u->received, ret, f);
}

static err
upload_one(struct actor *a, const json_t *file, json_t *list, struct client_reply *ret, struct fault *f)
{
    struct upload u = {.tears = json_int(file, "tears", 0)};
    TRY(file_of(file, a->p.mem, &u.bytes, &u.media));
    digest d = sha256(u.bytes);
    view sha = text_hex(a->p.mem, digest_view(&d));
    if (u.tears)
        TRY(upload_torn(a, &u, sha, ret, f));
    else
        TRY(call(a, "PUT", arena_printf(a->p.mem, "/v1/attachments/%.*s", VIEW_ARG(sha)), u.bytes, u.media,
                 -1, ret, f));
    json_t *one = json_object();
    json_object_set_new(one, "sha256", json_text_new(sha));
    json_object_set_new(one, "media", json_text_new(view_of(u.media)));
    json_object_set_new(one, "bytes", json_integer((json_int_t)u.bytes.n));
    json_object_set_new(one, "torn", json_integer(u.torn));
    json_array_append_new(list, one);
    return E_OK;
}

err
actor_upload(struct actor *a, struct client_reply *ret, struct fault *f)
{
    size_t i;
    json_t *file, *list = json_array();
    if (!arena_defer(a->p.mem, json_decref_fn, list))
        return E_TOO_LARGE;
    json_array_foreach(json_member(a->step, "files"), i, file)
    {
        TRY(upload_one(a, file, list, ret, f));
        if (ret->status != 200 && ret->status != 201)
            return E_OK; /* the refusal is what is told */
    }
    *ret = (struct client_reply){.status = 200, .json = list, .body = json_dump_arena(list, a->p.mem)};
    return E_OK;
}
