#include "base/text.h"

#include "base/buf.h"
#include "fhir/path/machine.h"
#include "fhir/path/regex.h"

/* Functions of texts.  Positions and lengths count characters (code points); upper() and lower() know ASCII alone. */

/* Bytes that a function may make; the arena is the real bound. */
#define TEXT_MOST ((size_t)16 << 20)

/* The receiver as a text; other outcomes are settled here: *ret_go is false then. */
static bool
receiver(struct machine *m, uint32_t n_args, view *ret, bool *ret_go)
{
    enum got got = one_text(m, machine_operand(m, n_args), ret);
    *ret_go = got == GOT_ONE;
    if (got == GOT_ONE)
        return machine_step(m, ret->n / 64);
    return got == GOT_NOTHING && machine_give_nothing(m, n_args + 1);
}

/* The receiver and n arguments as texts. */
static bool
texts(struct machine *m, uint32_t n_args, view *ret, bool *ret_go)
{
    *ret_go = true;
    for (uint32_t i = 0; i <= n_args; i++) {
        enum got got = one_text(m, machine_operand(m, n_args - i), &ret[i]);
        if (got == GOT_FAULT)
            return false;
        *ret_go = *ret_go && got == GOT_ONE;
    }
    if (!*ret_go)
        return machine_give_nothing(m, n_args + 1);
    return machine_step(m, ret[0].n / 64);
}

/* What a buf holds, as the result. */
static bool
give_buf(struct machine *m, uint32_t taken, const struct buf *b)
{
    char *copy = b->failed ? NULL : machine_alloc(m, b->n + 1);
    if (copy == NULL)
        return machine_full(m);
    if (b->n > 0)
        memcpy(copy, b->p, b->n);
    return machine_give_text(m, taken, view_make(copy, b->n));
}

/* Bytes in front of the character with this number; text.n when there are fewer. */
static size_t
offset_of(view text, int64_t character)
{
    size_t at = 0;
    while (at < text.n && character-- > 0)
        (void)text_next_scalar(text, &at);
    return at;
}

bool
fn_length(struct machine *m, uint32_t n_args)
{
    view text;
    bool go = false;
    if (!receiver(m, n_args, &text, &go) || !go)
        return !go && m->outcome == E_OK;
    return machine_give_integer(m, 1, (int64_t)text_length(text));
}

bool
fn_index_of(struct machine *m, uint32_t n_args)
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    size_t at = view_find(t[0], t[1]);
    bool found = at < t[0].n || t[1].n == 0;
    return machine_give_integer(m, 2, found ? (int64_t)text_length(view_sub(t[0], 0, at)) : -1);
}

bool
fn_substring(struct machine *m, uint32_t n_args)
{
    view text;
    int64_t from = 0, length = INT64_MAX;
    bool go = false;
    if (!receiver(m, n_args, &text, &go) || !go)
        return m->outcome == E_OK;
    enum got got = one_integer(m, machine_operand(m, n_args - 1), &from);
    enum got limit = n_args > 1 ? one_integer(m, machine_operand(m, 0), &length) : GOT_ONE;
    if (got == GOT_FAULT || limit == GOT_FAULT)
        return false;
    size_t at = from >= 0 ? offset_of(text, from) : text.n;
    if (got == GOT_NOTHING || at >= text.n)
        return machine_give_nothing(m, n_args + 1);
    view rest = view_sub(text, at, text.n);
    size_t n = length > 0 ? offset_of(rest, length) : 0;
    return machine_give_text(m, n_args + 1, view_make(rest.p, n));
}

/* A question about two texts. */
static bool
give_answer(struct machine *m, uint32_t n_args, bool (*holds)(view text, view part))
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    return machine_give_truth(m, 2, holds(t[0], t[1]));
}

bool
fn_starts_with(struct machine *m, uint32_t n_args)
{
    return give_answer(m, n_args, view_starts);
}

bool
fn_ends_with(struct machine *m, uint32_t n_args)
{
    return give_answer(m, n_args, view_ends);
}

static bool
has_part(view text, view part)
{
    return part.n == 0 || view_find(text, part) < text.n;
}

bool
fn_contains(struct machine *m, uint32_t n_args)
{
    return give_answer(m, n_args, has_part);
}

/* ---- other texts ---- */

static bool
give_case(struct machine *m, uint32_t n_args, char first, char last)
{
    view text;
    bool go = false;
    if (!receiver(m, n_args, &text, &go) || !go)
        return m->outcome == E_OK;
    char *out = machine_alloc(m, text.n + 1);
    if (out == NULL)
        return false;
    for (size_t i = 0; i < text.n; i++)
        out[i] = text.p[i] >= first && text.p[i] <= last ? (char)(text.p[i] ^ 0x20) : text.p[i];
    return machine_give_text(m, 1, view_make(out, text.n));
}

bool
fn_upper(struct machine *m, uint32_t n_args)
{
    return give_case(m, n_args, 'a', 'z');
}

bool
fn_lower(struct machine *m, uint32_t n_args)
{
    return give_case(m, n_args, 'A', 'Z');
}

bool
fn_trim(struct machine *m, uint32_t n_args)
{
    view text;
    bool go = false;
    if (!receiver(m, n_args, &text, &go) || !go)
        return m->outcome == E_OK;
    text = view_trim(text);
    return machine_give_text(m, 1, text.p != NULL ? text : V(""));
}

/* An empty part stands before each character and at the end. */
static void
replace_all(view text, view part, view by, struct buf *out)
{
    for (size_t at = 0; at <= text.n && !out->failed;) {
        view rest = view_sub(text, at, text.n);
        size_t next = part.n > 0 ? view_find(rest, part) : 0, step = 0;
        if (part.n > 0 && next >= rest.n) {
            buf_add_view(out, rest);
            return;
        }
        buf_add(out, rest.p, next);
        buf_add_view(out, by);
        at += next + part.n;
        if (part.n > 0)
            continue;
        (void)(rest.n > 0 && text_next_scalar(rest, &step));
        buf_add(out, rest.p, step);
        at += step > 0 ? step : 1;
    }
}

bool
fn_replace(struct machine *m, uint32_t n_args)
{
    view t[3];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, TEXT_MOST);
    replace_all(t[0], t[1], t[2], &out);
    return machine_step(m, out.n / 16) && give_buf(m, 3, &out);
}

bool
fn_to_chars(struct machine *m, uint32_t n_args)
{
    view text;
    bool go = false;
    if (!receiver(m, n_args, &text, &go) || !go)
        return m->outcome == E_OK;
    uint32_t from = m->n;
    for (size_t at = 0, begin = 0; at < text.n; begin = at) {
        (void)text_next_scalar(text, &at);
        struct fhirpath_value v = system_value(FHIRPATH_STRING);
        v.text = view_sub(text, begin, at - begin);
        if (!machine_step(m, 1) || !machine_push(m, v))
            return false;
    }
    return machine_give(m, 1, from);
}

bool
fn_split(struct machine *m, uint32_t n_args)
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    uint32_t from = m->n;
    for (size_t at = 0; at <= t[0].n;) {
        view rest = view_sub(t[0], at, t[0].n);
        size_t n = t[1].n > 0 ? view_find(rest, t[1]) : rest.n;
        struct fhirpath_value v = system_value(FHIRPATH_STRING);
        v.text = n > 0 ? view_sub(rest, 0, n) : V("");
        if (!machine_step(m, 1) || !machine_push(m, v))
            return false;
        at += n < rest.n ? n + t[1].n : rest.n + 1;
    }
    return machine_give(m, 2, from);
}

bool
fn_join(struct machine *m, uint32_t n_args)
{
    struct items s = machine_operand(m, n_args);
    view between = V("");
    enum got got = n_args > 0 ? one_text(m, machine_operand(m, 0), &between) : GOT_ONE;
    if (got == GOT_FAULT)
        return false;
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, TEXT_MOST);
    for (uint32_t i = s.from; i < s.to; i++) {
        if (i > s.from)
            buf_add_view(&out, between);
        buf_add_view(&out, value_text(m, &m->values[i]));
        if (!machine_step(m, 1 + between.n / 16))
            return false;
    }
    return s.from == s.to ? machine_give_nothing(m, n_args + 1) : give_buf(m, n_args + 1, &out);
}

/* ---- regular expressions ---- */

static bool
settle(struct machine *m, err e)
{
    if (e == E_TOO_LARGE)
        return machine_full(m);
    if (e == E_FHIRPATH_FAILED)
        return machine_fail(m, "a regular expression", "something else");
    if (e != E_OK && m->outcome == E_OK)
        m->outcome =
            fault_set(m->fault, e, "", "a regular expression that is judged in bounded time", "another");
    return e == E_OK;
}

static bool
give_match(struct machine *m, uint32_t n_args, bool whole)
{
    view t[2];
    bool go = false, is = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    /* One match counts for as much as a hundred instructions; a long text for more. */
    return machine_step(m, 100 + t[0].n / 16) &&
           settle(m, regex_matches(t[1], t[0], whole, m->focus->mem, &is)) && machine_give_truth(m, 2, is);
}

bool
fn_matches(struct machine *m, uint32_t n_args)
{
    return give_match(m, n_args, false);
}

bool
fn_matches_full(struct machine *m, uint32_t n_args)
{
    return give_match(m, n_args, true);
}

bool
fn_replace_matches(struct machine *m, uint32_t n_args)
{
    view t[3], out = VIEW_NONE;
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    return machine_step(m, 100 + t[0].n / 16) &&
           settle(m, regex_replace(t[1], t[0], t[2], TEXT_MOST, m->focus->mem, &out)) &&
           machine_give_text(m, 3, out);
}

/* ---- encodings ---- */

enum encoding { ENCODING_HEX, ENCODING_BASE64, ENCODING_URL, ENCODING_NONE };

static enum encoding
encoding_of(view name)
{
    static const char *const names[] = {"hex", "base64", "urlbase64"};
    unsigned i = 0;
    while (i < ENCODING_NONE && !view_eq(name, view_of(names[i])))
        i++;
    return (enum encoding)i;
}

bool
fn_encode(struct machine *m, uint32_t n_args)
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, TEXT_MOST);
    enum encoding how = encoding_of(t[1]);
    if (how == ENCODING_HEX)
        buf_add_hex(&out, t[0]);
    else if (how != ENCODING_NONE)
        buf_add_base64(&out, t[0]);
    for (size_t i = 0; how == ENCODING_URL && i < out.n; i++)
        out.p[i] = out.p[i] == '+' ? '-' : out.p[i] == '/' ? '_' : out.p[i];
    return how == ENCODING_NONE ? machine_give_nothing(m, 2) : give_buf(m, 2, &out);
}

bool
fn_decode(struct machine *m, uint32_t n_args)
{
    view t[2], bytes = VIEW_NONE;
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    enum encoding how = encoding_of(t[1]);
    while (how == ENCODING_URL && view_ends(t[0], V("=")))
        t[0].n--;
    err e = how == ENCODING_HEX      ? text_hex_decode(t[0], m->focus->mem, &bytes)
            : how == ENCODING_BASE64 ? text_base64_decode(t[0], m->focus->mem, &bytes)
            : how == ENCODING_URL    ? text_base64url_decode(t[0], m->focus->mem, &bytes)
                                     : E_SYNTAX;
    if (e != E_OK || !text_is_utf8(bytes, NULL))
        return machine_give_nothing(m, 2);
    return machine_give_text(m, 2, bytes.p != NULL ? bytes : V(""));
}

static const struct {
    char c;
    const char *name;
} html_names[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

static void
escape_html(view text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t j = 0;
        while (j < 4 && html_names[j].c != text.p[i])
            j++;
        if (j < 4)
            buf_add_view(out, view_of(html_names[j].name));
        else
            buf_add_byte(out, text.p[i]);
    }
}

static void
unescape_html(view text, struct buf *out)
{
    for (size_t i = 0; i < text.n;) {
        view rest = view_sub(text, i, text.n);
        size_t j = 0;
        while (j < 5 && !view_starts(rest, view_of(html_names[j].name)))
            j++;
        buf_add_byte(out, j < 5 ? html_names[j].c : text.p[i]);
        i += j < 5 ? view_of(html_names[j].name).n : 1;
    }
}

static void
unescape_json(view text, struct buf *out)
{
    static const char escaped[] = "\"\\/rntf", meaning[] = "\"\\/\r\n\t\f";
    for (size_t i = 0; i < text.n; i++) {
        const char *which = i + 1 < text.n && text.p[i] == '\\' ? memchr(escaped, text.p[i + 1], 7) : NULL;
        buf_add_byte(out, which != NULL ? meaning[which - escaped] : text.p[i]);
        i += which != NULL;
    }
}

bool
fn_escape(struct machine *m, uint32_t n_args)
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, TEXT_MOST);
    if (view_eq(t[1], V("html"))) {
        escape_html(t[0], &out);
    } else if (view_eq(t[1], V("json"))) {
        buf_add_json(&out, t[0]); /* without the quotes around it */
        memmove(out.p, out.p + 1, out.n - 1);
        out.n -= 2;
    } else {
        return machine_give_nothing(m, 2);
    }
    return give_buf(m, 2, &out);
}

bool
fn_unescape(struct machine *m, uint32_t n_args)
{
    view t[2];
    bool go = false;
    if (!texts(m, n_args, t, &go) || !go)
        return m->outcome == E_OK;
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, TEXT_MOST);
    if (view_eq(t[1], V("html")))
        unescape_html(t[0], &out);
    else if (view_eq(t[1], V("json")))
        unescape_json(t[0], &out);
    else
        return machine_give_nothing(m, 2);
    return give_buf(m, 2, &out);
}
