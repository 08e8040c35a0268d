#include "http/body.h"

#include "base/text.h"
#include "http/router.h"

static const struct {
    view name;
    unsigned bit;
} media_rows[] = {
    {{"application/fhir+json", 21}, MEDIA_JSON},
    {{"application/json", 16}, MEDIA_JSON},
    {{"application/fhir+xml", 20}, MEDIA_XML},
    {{"application/xml", 15}, MEDIA_XML},
    {{"text/xml", 8}, MEDIA_XML},
    {{"application/x-www-form-urlencoded", 33}, MEDIA_FORM},
};

static unsigned
media_bit(view name)
{
    for (size_t i = 0; i < COUNT_OF(media_rows); i++) {
        if (view_eq(name, media_rows[i].name))
            return media_rows[i].bit;
    }
    return MEDIA_ANY;
}

/* One parameter: name=token or name="quoted". */
static err
take_parameter(view parameter, struct media_type *media)
{
    bool has_value = false;
    view value = view_trim(parameter);
    if (value.n == 0) /* "text/xml;" is sloppy, not ambiguous */
        return E_OK;
    view name = view_cut(&value, '=', &has_value);
    if (!has_value || !guard_is_token(name))
        return E_MEDIA_TYPE;
    bool is_quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    if (is_quoted)
        value = view_sub(value, 1, value.n - 2);
    else if (!guard_is_token(value))
        return E_MEDIA_TYPE;
    if (view_eq_nocase(name, V("charset")))
        media->is_utf8 = view_eq_nocase(value, V("utf-8"));
    if (view_eq_nocase(name, V("fhirversion")))
        media->is_other_fhir = !(view_eq(value, V("4.0")) || view_eq(value, V("4.0.1")));
    return E_OK;
}

err
media_parse(view content_type, struct media_type *ret)
{
    struct media_type media = {.is_utf8 = true};
    bool more = false;
    view rest = content_type;
    view name = view_trim(view_cut(&rest, ';', &more));
    view subtype = name;
    view type = view_cut(&subtype, '/', NULL);
    if (!guard_is_token(type) || !guard_is_token(subtype) || name.n >= sizeof media.text)
        return E_MEDIA_TYPE;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        media.text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    media.n = name.n;
    media.bit = media_bit((view){media.text, media.n});
    while (more)
        TRY(take_parameter(view_cut(&rest, ';', &more), &media));
    *ret = media;
    return E_OK;
}

static err
check_media(const struct guard *g, const struct route *route, struct media_type *media, struct fault *f)
{
    const char *wanted = router_accepts(route->media);
    view text = g->known[HEADER_CONTENT_TYPE];
    if (!text.p)
        return fault_set(f, E_MEDIA_TYPE, "content-type", wanted, "no Content-Type");
    if (media_parse(text, media) != E_OK)
        return fault_set(f, E_MEDIA_TYPE, "content-type", wanted, "no media type");
    if (route->media & MEDIA_ANY)
        return E_OK;
    if (!(media->bit & route->media))
        return fault_set(f, E_MEDIA_TYPE, "content-type", wanted, "another media type");
    if (!media->is_utf8)
        return fault_set(f, E_MEDIA_TYPE, "content-type", "charset utf-8", "another charset");
    if (media->is_other_fhir)
        return fault_set(f, E_MEDIA_TYPE, "content-type", "fhirVersion 4.0", "another version");
    return E_OK;
}

err
body_check_head(const struct guard *g, const struct route *route, struct media_type *media,
                bool *ret_has_body, struct fault *f)
{
    bool has_body = g->is_chunked || g->length > 0;
    if (has_body && route->ceiling == 0)
        return fault_set(f, E_TOO_LARGE, "content-length", "no body on this route", "a body");
    if (g->known[HEADER_CONTENT_ENCODING].p)
        return fault_set(f, E_CONTENT_ENCODING, "content-encoding", "no Content-Encoding", "one");
    if (route->ceiling > 0 && !g->is_chunked && !g->has_length)
        return fault_set(f, E_LENGTH_REQUIRED, "content-length", "Content-Length or chunked", "neither");
    if (has_body)
        TRY(check_media(g, route, media, f));
    if (g->length > route->ceiling)
        return fault_setf(f, E_TOO_LARGE, "a body within the route's ceiling", "a longer one",
                          "content-length");
    *ret_has_body = has_body;
    return E_OK;
}

/* sha-256=:base64: — one member of an RFC 8941 dictionary. */
static err
check_member(view member, const digest *body, struct fault *f)
{
    bool has_value = false;
    view value = view_trim(member);
    view name = view_cut(&value, '=', &has_value);
    if (!has_value || !guard_is_token(name) || value.n < 2 || value.p[0] != ':' ||
        value.p[value.n - 1] != ':')
        return fault_set(f, E_CONTENT_DIGEST, "content-digest", "sha-256=:base64:", "another form");
    if (!view_eq(name, V("sha-256")))
        return E_OK;
    struct buf right;
    buf_init(&right, 64);
    buf_add_base64(&right, digest_view(body));
    bool is_same = view_eq(buf_view(&right), view_sub(value, 1, value.n - 2));
    buf_done(&right);
    if (!is_same)
        return fault_set(f, E_CONTENT_DIGEST, "content-digest", "the SHA-256 of the bytes received",
                         "another digest");
    return E_OK;
}

err
body_check_digest(view content_digest, const digest *body, struct fault *f)
{
    bool more = content_digest.p != NULL;
    view rest = content_digest;
    while (more)
        TRY(check_member(view_cut(&rest, ',', &more), body, f));
    return E_OK;
}

bool
budget_take(struct budget *b, int64_t n)
{
    int64_t used = atomic_fetch_add(&b->used, n) + n;
    if (used <= atomic_load(&b->ceiling))
        return true;
    atomic_fetch_sub(&b->used, n);
    return false;
}

void
budget_give(struct budget *b, int64_t n)
{
    atomic_fetch_sub(&b->used, n);
}
