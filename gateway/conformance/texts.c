#include "base/text.h"
#include "conformance/conformance.h"
#include "conformance/tree_same.h"
#include "fhir/fhir.h"

/* Sets of JSON texts, of UTF-8 and of texts that bite: canon/json-*, canon/utf8, canon/naughty-strings. */

/* Refusals by rules that are stricter than RFC 8259 (docs/json.md). */
static bool
is_policy(err e)
{
    return e == E_JSON_DUPLICATE_NAME || e == E_JSON_NUL || e == E_JSON_DEPTH || e == E_BOM ||
           e == E_OUT_OF_RANGE;
}

static void
count(struct conformance_run *r, view id, view expect, err e)
{
    if (view_eq(expect, V("either")))
        conformance_case(r, id, CONFORMANCE_EITHER, "%s", e == E_OK ? "accepted" : err_info(e)->code);
    else if (view_eq(expect, V("reject")))
        conformance_case(r, id, e != E_OK ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_ACCEPT, "accepted");
    else if (e == E_OK)
        conformance_case(r, id, CONFORMANCE_AGREE, "-");
    else
        conformance_case(r, id, is_policy(e) ? CONFORMANCE_POLICY_REJECT : CONFORMANCE_WRONG_REJECT, "%s",
                         err_info(e)->code);
}

/* With an arena of the size that docs/json.md promises, so that a text that asks for more is seen. */
static err
read_bounded(view bytes, struct tree *ret, arena **ret_mem)
{
    *ret_mem = arena_new(64 * bytes.n + 4096);
    return tree_read_json(bytes, NULL, *ret_mem, ret, NULL);
}

/* Written again, the text is what it was, but for white space around it. */
static err
check_round(struct conformance_run *r, view bytes, const struct tree *t)
{
    struct buf out AUTO_DONE(buf_done) = {0};
    (void)r;
    buf_init(&out, 64U << 20);
    TRY(fhir_write_json(t, tree_root(t), &out));
    return view_eq(buf_view(&out), view_trim(bytes)) ? E_OK : E_SYNTAX;
}

/* A line a literal; the file's name says what they are. */
static void
judge_numbers(struct conformance_run *r, view id, view lines)
{
    bool bad = view_find(id, V("(fail)")) < id.n || view_find(id, V("(ext)")) < id.n ||
               view_ends(id, V("literal.txt"));
    size_t wrong = 0, by_policy = 0, n = 0;
    while (lines.n > 0) {
        view line = view_trim(view_cut(&lines, '\n', NULL));
        struct tree t;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        AUTO(arena_free) arena *mem = arena_new(1U << 16);
        err e = tree_read_json(line, NULL, mem, &t, NULL);
        bool kept = e == E_OK && view_eq(node_text(&t, tree_root(&t)), line);
        n++;
        by_policy += !bad && is_policy(e);
        wrong += bad ? e == E_OK : !kept && !is_policy(e);
    }
    enum conformance_outcome bad_outcome = bad ? CONFORMANCE_WRONG_ACCEPT : CONFORMANCE_WRONG_REJECT;
    conformance_case(r, id,
                     wrong > 0       ? bad_outcome
                     : by_policy > 0 ? CONFORMANCE_POLICY_REJECT
                                     : CONFORMANCE_AGREE,
                     "%zu of %zu literals, %zu refused by our own rule", wrong, n, by_policy);
}

static err
judge_json(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), expect = json_text(one, "expect"), bytes;
    const char *file = json_string_value(json_array_get(json_member(one, "files"), 0));
    struct tree t;
    TRY(conformance_file(r, view_of(file), &bytes, f));
    if (view_ends(id, V(".ndjson"))) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "several texts in a row, which no door of ours takes");
        return E_OK;
    }
    if (view_eq(expect, V("table"))) {
        judge_numbers(r, id, bytes);
        return E_OK;
    }
    arena *mem = NULL;
    err e = read_bounded(bytes, &t, &mem);
    if (e == E_OK && view_find(id, V("test_roundtrip")) < id.n && check_round(r, bytes, &t) != E_OK)
        conformance_case(r, id, CONFORMANCE_WRONG_VALUE, "written again it is another text");
    else
        count(r, id, expect, e);
    arena_free(mem);
    return E_OK;
}

err
conformance_json(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_json, f);
}

/* ---- UTF-8 ---- */

/* "id:valid hex:AA BB", "id:valid:text", "id:invalid hex:AA:…" */
static err
bytes_of_line(view line, arena *mem, view *ret)
{
    (void)view_cut(&line, ':', NULL);
    view kind = view_cut(&line, ':', NULL);
    if (!view_ends(kind, V("hex"))) {
        *ret = line;
        return E_OK;
    }
    view hex = view_cut(&line, ':', NULL);
    struct buf digits AUTO_DONE(buf_done) = {0};
    buf_init(&digits, 1U << 16);
    for (size_t i = 0; i < hex.n; i++)
        if (hex.p[i] != ' ')
            buf_add_byte(&digits, hex.p[i]);
    return text_hex_decode(buf_view(&digits), mem, ret);
}

/* Inside a string; *ret_can: the bytes may stand there without an escape. */
static bool
reader_accepts(view bytes, arena *mem, bool *ret_can)
{
    struct buf text AUTO_DONE(buf_done) = {0};
    struct tree t;
    *ret_can = true;
    buf_init(&text, 1U << 16);
    buf_add_byte(&text, '"');
    for (size_t i = 0; i < bytes.n; i++)
        *ret_can = *ret_can && (unsigned char)bytes.p[i] >= 0x20 && bytes.p[i] != '"' && bytes.p[i] != '\\';
    buf_add_view(&text, bytes);
    buf_add_byte(&text, '"');
    return tree_read_json(buf_view(&text), NULL, mem, &t, NULL) == E_OK;
}

static err
judge_utf8(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), bytes;
    bool valid = view_eq(json_text(one, "expect"), V("valid")), can = false;
    if (bytes_of_line(json_text(one, "line"), r->mem, &bytes) != E_OK)
        return fault_set(f, E_SYNTAX, "line", "hexadecimal digits", "something else");
    bool text = text_is_utf8(bytes, NULL), reader = reader_accepts(bytes, r->mem, &can);
    bool agree = text == valid && (!can || reader == valid);
    conformance_case(r, id,
                     agree   ? CONFORMANCE_AGREE
                     : valid ? CONFORMANCE_WRONG_REJECT
                             : CONFORMANCE_WRONG_ACCEPT,
                     "text %d, reader %d", text, reader);
    return E_OK;
}

err
conformance_utf8(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_utf8, f);
}

/* ---- texts that bite ---- */

/* In a name: to JSON, to XML, back, and to JSON again. */
static err
round_text(struct conformance_run *r, view value, view *ret)
{
    struct buf json AUTO_DONE(buf_done) = {0}, xml AUTO_DONE(buf_done) = {0}, again AUTO_DONE(buf_done) = {0};
    struct tree first, second, third;
    buf_init(&json, 1U << 20);
    buf_init(&xml, 1U << 20);
    buf_init(&again, 1U << 20);
    BUF_LIT(&json, "{\"resourceType\":\"Patient\",\"name\":[{\"text\":");
    buf_add_json(&json, value);
    BUF_LIT(&json, "}]}");
    TRY(fhir_read(FHIR_JSON, buf_view(&json), r->mem, &first, NULL));
    TRY(fhir_write_xml(&first, tree_root(&first), &xml));
    TRY(fhir_read(FHIR_XML, arena_dup(r->mem, buf_view(&xml)), r->mem, &second, NULL));
    TRY(fhir_write_json(&second, tree_root(&second), &again));
    TRY(fhir_read(FHIR_JSON, arena_dup(r->mem, buf_view(&again)), r->mem, &third, NULL));
    *ret = node_text_at(&third, tree_root(&third), "name.text");
    return E_OK;
}

static err
judge_naughty(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), value = json_text(one, "value"), back = VIEW_NONE;
    (void)f;
    err e = round_text(r, value, &back);
    if (e != E_OK) /* refused with a clear outcome: a character that XML cannot hold */
        conformance_case(r, id, CONFORMANCE_POLICY_REJECT, "%s", err_info(e)->code);
    else
        conformance_case(r, id, view_eq(value, back) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE,
                         "%zu bytes became %zu", value.n, back.n);
    return E_OK;
}

err
conformance_naughty(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_naughty, f);
}
