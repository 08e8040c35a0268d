#include "http/conn.h"

#include "base/text.h"

/* X-Request-Id: 8 to 64 characters that are safe in a log and a header. */
static bool
is_request_text(view text)
{
    if (text.n < 8 || text.n > REQUEST_TEXT_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_safe = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       (c != '\0' && strchr("-._:", c) != NULL);
        if (!is_safe)
            return false;
    }
    return true;
}

static void
read_request_id(struct connection *c, view text)
{
    if (!is_request_text(text))
        return;
    memcpy(c->request_text, text.p, text.n);
    c->request_text[text.n] = '\0';
    request_id own;
    if (request_id_parse(text, &own) == E_OK)
        c->rq.id = own;
}

static bool
is_lower_hex(view text)
{
    bool is_zero = true;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        is_zero = is_zero && c == '0';
    }
    return !is_zero;
}

/* W3C Trace Context: version-trace-parent-flags; an invalid one is as if absent. */
static bool
is_trace_parent(view text)
{
    if (text.n < 55 || text.p[2] != '-' || text.p[35] != '-' || text.p[52] != '-')
        return false;
    view version = view_sub(text, 0, 2);
    bool is_first = view_eq(version, V("00"));
    if (is_first ? text.n != 55 : !is_lower_hex(version) || view_eq(version, V("ff")))
        return false;
    if (text.n > 55 && text.p[55] != '-')
        return false;
    view flags = view_sub(text, 53, 2);
    return is_lower_hex(view_sub(text, 3, 32)) && is_lower_hex(view_sub(text, 36, 16)) &&
           (is_lower_hex(flags) || view_eq(flags, V("00")));
}

/* Quality in thousandths; 1000 when it is absent or unreadable. */
static int
quality(view parameters)
{
    view rest = view_trim(parameters);
    if (!view_starts(rest, V("q=")) && !view_starts(rest, V("Q=")))
        return 1000;
    rest = view_sub(rest, 2, rest.n);
    int value = 0, scale = 1000;
    for (size_t i = 0; i < rest.n && scale > 0; i++) {
        char c = rest.p[i];
        if (c == '.' && i == 1)
            continue;
        if (c < '0' || c > '9')
            return 1000;
        value += (c - '0') * scale;
        scale /= 10;
    }
    return value;
}

/* English unless Chinese is asked for; of equal wishes the first counts. */
static enum lang
read_language(view accept)
{
    enum lang lang = LANG_EN;
    int best = 0;
    bool more = accept.n > 0;
    while (more) {
        bool has_quality = false;
        view rest = view_cut(&accept, ',', &more);
        view tag = view_trim(view_cut(&rest, ';', &has_quality));
        int q = has_quality ? quality(rest) : 1000;
        view name = view_sub(tag, 0, view_find_byte(tag, '-'));
        bool is_zh = view_eq_nocase(name, V("zh"));
        if (q > best && (is_zh || view_eq_nocase(name, V("en")))) {
            best = q;
            lang = is_zh ? LANG_ZH : LANG_EN;
        }
    }
    return lang;
}

void
request_read_head(struct connection *c)
{
    const view *known = c->guard.known;
    c->rq.lang = read_language(known[HEADER_ACCEPT_LANGUAGE]);
    read_request_id(c, known[HEADER_REQUEST_ID]);
    if (is_trace_parent(known[HEADER_TRACEPARENT]))
        c->rq.trace_parent = known[HEADER_TRACEPARENT];
}

view
request_header(const struct request *rq, const char *name)
{
    const struct connection *c = rq->connection;
    const char *value = NULL;
    size_t n = 0;
    if (!c || !c->mhd)
        return VIEW_NONE;
    if (MHD_lookup_connection_value_n(c->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &n) != MHD_YES ||
        !value)
        return VIEW_NONE;
    return view_trim((view){value, n});
}

view
request_idempotency_key(const struct request *rq)
{
    view key = request_header(rq, "Idempotency-Key");
    if (key.n >= 2 && key.p[0] == '"' && key.p[key.n - 1] == '"')
        key = view_sub(key, 1, key.n - 2);
    return key;
}

/* Cuts the next name=value; false at the end. */
static bool
next_pair(view *rest, bool *more, view *ret_name, view *ret_value)
{
    while (*more) {
        view value = view_cut(rest, '&', more);
        if (value.n == 0)
            continue;
        *ret_name = view_cut(&value, '=', NULL);
        *ret_value = value;
        return true;
    }
    return false;
}

view
request_query(struct request *rq, const char *name)
{
    view rest = rq->query, found_name, value;
    bool more = rest.n > 0;
    while (next_pair(&rest, &more, &found_name, &value)) {
        if (view_eq(query_decode(found_name, rq->mem), view_of(name)))
            return query_decode(value, rq->mem);
    }
    return VIEW_NONE;
}

/* Index in the list, -1 when it is not there. */
static int
name_index(view name, const char *const *names)
{
    for (int i = 0; names[i]; i++) {
        if (view_eq(name, view_of(names[i])))
            return i;
    }
    return -1;
}

err
request_query_only(struct request *rq, const char *const *names)
{
    view rest = rq->query, name, value;
    bool more = rest.n > 0;
    uint64_t seen = 0;
    while (next_pair(&rest, &more, &name, &value)) {
        view decoded = query_decode(name, rq->mem);
        if (!decoded.p || !query_decode(value, rq->mem).p)
            return fault_set(&rq->fault, E_PARAMETER, "query", "percent-encoded UTF-8", "another form");
        int index = name_index(decoded, names);
        if (index < 0)
            return fault_set(&rq->fault, E_PARAMETER, "query", "the parameters of this operation",
                             "another name");
        uint64_t bit = UINT64_C(1) << (index & 63);
        if (seen & bit)
            return fault_set(&rq->fault, E_PARAMETER, names[index], "the parameter once",
                             "the parameter twice");
        seen |= bit;
    }
    return E_OK;
}
