#include "base/config.h"

#include "base/config_names.h"
#include "base/config_values.h"
#include "base/text.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MOST ((size_t)1024 * 1024)
#define ORIGIN_SIZE 300

struct reading {
    const char *path;
    struct config *into;
    struct fault *f;
};

static const char *
place(const struct reading *r, long line, char out[ORIGIN_SIZE])
{
    snprintf(out, ORIGIN_SIZE, "file %s:%ld", r->path, line);
    return out;
}

static err
refuse_line(const struct reading *r, long line, const char *expected, const char *found)
{
    char origin[ORIGIN_SIZE];
    err e = fault_set(r->f, E_CONFIG, place(r, line, origin), expected, found);
    if (r->f)
        r->f->line = line;
    return e;
}

static void
close_file(FILE *file)
{
    if (file)
        fclose(file);
}
DEFINE_AUTO(FILE *, close_file)

static err
read_whole(const struct reading *r, struct buf *out)
{
    AUTO(close_file) FILE *file = fopen(r->path, "re");
    if (!file)
        return fault_set(r->f, E_FILE, r->path, "a readable file",
                         errno == ENOENT ? "no file" : "no permission");
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        buf_add(out, part, n);
    if (ferror(file))
        return fault_set(r->f, E_FILE, r->path, "a readable file", "a read error");
    if (out->failed)
        return fault_set(r->f, E_FILE, r->path, "at most 1 MiB", "more");
    return E_OK;
}

/* libconfig 1.5 cuts an integer above 32 bits that has no L behind it, without a word.  So the text goes
 * through this scanner first: it leaves strings and comments alone and adds the L. */
struct scan {
    view text;
    size_t at;
    long line;
    struct buf *out;
};

static bool
is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '*' || c == '.' || c == '+';
}

static void
copy_to(struct scan *s, size_t end)
{
    for (; s->at < end; s->at++) {
        s->line += s->text.p[s->at] == '\n';
        buf_add_byte(s->out, s->text.p[s->at]);
    }
}

static size_t
end_of_string(const struct scan *s)
{
    size_t i = s->at + 1;
    while (i < s->text.n && s->text.p[i] != '"')
        i += s->text.p[i] == '\\' ? 2 : 1;
    return i < s->text.n ? i + 1 : s->text.n;
}

/* s->at when no comment begins here; false for one without an end, which would swallow what follows. */
static bool
find_comment_end(const struct scan *s, size_t *ret_end)
{
    view rest = view_sub(s->text, s->at, s->text.n);
    size_t length = 0;
    if (view_starts(rest, V("/*"))) {
        view inside = view_sub(rest, 2, rest.n);
        size_t close = view_find(inside, V("*/"));
        if (close == inside.n)
            return false;
        length = close + 4;
    } else if (view_starts(rest, V("#")) || view_starts(rest, V("//"))) {
        length = view_find_byte(rest, '\n');
    }
    *ret_end = s->at + length;
    return true;
}

static err
copy_word(struct scan *s, const struct reading *r)
{
    size_t end = s->at;
    while (end < s->text.n && is_word(s->text.p[end]))
        end++;
    view word = view_sub(s->text, s->at, end - s->at);
    bool is_hex = view_starts(word, V("0x")) || view_starts(word, V("0X"));
    if (is_hex && word.n > 10)
        return refuse_line(r, s->line, "a decimal integer", "a hexadecimal number above 32 bits");
    view digits = view_starts(word, V("-")) || view_starts(word, V("+")) ? view_sub(word, 1, word.n) : word;
    int64_t number;
    bool is_decimal = text_is_digits(digits);
    if (is_decimal && text_to_i64(digits, &number) != E_OK)
        return refuse_line(r, s->line, "an integer of 64 bits", "a larger one");
    copy_to(s, end);
    if (is_decimal && number > INT32_MAX)
        buf_add_byte(s->out, 'L');
    return E_OK;
}

static err
scan_one(struct scan *s, const struct reading *r)
{
    char c = s->text.p[s->at];
    size_t comment;
    if (!find_comment_end(s, &comment))
        return refuse_line(r, s->line, "a comment that ends", "the end of the file");
    if (comment > s->at) {
        copy_to(s, comment);
        return E_OK;
    }
    if (c == '"') {
        copy_to(s, end_of_string(s));
        return E_OK;
    }
    /* One file: an included one would not go through this scanner. */
    if (c == '@')
        return refuse_line(r, s->line, "settings in one file", "@include");
    if (c == '\0')
        return refuse_line(r, s->line, "text", "a NUL byte");
    if (is_word(c))
        return copy_word(s, r);
    copy_to(s, s->at + 1);
    return E_OK;
}

static err
widen_integers(const struct reading *r, view text, struct buf *out)
{
    struct scan s = {text, 0, 1, out};
    while (s.at < text.n)
        TRY(scan_one(&s, r));
    /* libconfig wants a string even when there is nothing in it. */
    buf_add_byte(out, '\n');
    return out->failed ? fault_set(r->f, E_FILE, r->path, "at most 1 MiB", "more") : E_OK;
}

static err
put_node(const struct reading *r, view name, const config_setting_t *node)
{
    char origin[ORIGIN_SIZE], number[32];
    long line = config_setting_source_line(node);
    place(r, line, origin);
    enum setting s = setting_by_name(name);
    if (s == SETTING_COUNT)
        return config_unknown(name, origin, r->f);
    enum setting_type type = setting_info(s)->type;
    bool wants_text = type == SETTING_TEXT || type == SETTING_PATH;
    switch (config_setting_type(node)) {
    case CONFIG_TYPE_STRING:
        if (wants_text)
            return config_put(r->into, s, view_of(config_setting_get_string(node)), origin, r->f);
        return refuse_line(r, line, type == SETTING_BOOL ? "true or false" : "an integer", "text in quotes");
    case CONFIG_TYPE_BOOL:
        if (type == SETTING_BOOL)
            return config_put(r->into, s, config_setting_get_bool(node) ? V("true") : V("false"), origin,
                              r->f);
        return refuse_line(r, line, wants_text ? "text in quotes" : "an integer", "true or false");
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        if (wants_text || type == SETTING_BOOL)
            return refuse_line(r, line, wants_text ? "text in quotes" : "true or false", "a number");
        snprintf(number, sizeof number, "%lld", config_setting_get_int64(node));
        return config_put(r->into, s, view_of(number), origin, r->f);
    default:
        return refuse_line(r, line, wants_text ? "text in quotes" : "one value", "a group, list or fraction");
    }
}

/* Names have at most one dot, so there are two levels and no more to walk. */
static err
put_group(const struct reading *r, const config_setting_t *group)
{
    char name[128];
    int n = config_setting_length(group);
    for (int i = 0; i < n; i++) {
        const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
        snprintf(name, sizeof name, "%s.%s", config_setting_name(group), config_setting_name(node));
        TRY(put_node(r, view_of(name), node));
    }
    return E_OK;
}

static err
put_all(const struct reading *r, const config_t *parsed)
{
    const config_setting_t *root = config_root_setting(parsed);
    int n = config_setting_length(root);
    for (int i = 0; i < n; i++) {
        const config_setting_t *node = config_setting_get_elem(root, (unsigned)i);
        if (config_setting_type(node) == CONFIG_TYPE_GROUP)
            TRY(put_group(r, node));
        else
            TRY(put_node(r, view_of(config_setting_name(node)), node));
    }
    return E_OK;
}

static err
read_path(struct config *c, const char *path, struct fault *f)
{
    struct reading r = {path, c, f};
    AUTO_DONE(buf_done) struct buf text;
    AUTO_DONE(buf_done) struct buf widened;
    buf_init(&text, FILE_MOST);
    buf_init(&widened, 2 * FILE_MOST);
    TRY(read_whole(&r, &text));
    TRY(widen_integers(&r, buf_view(&text), &widened));
    AUTO_DONE(config_destroy) config_t parsed;
    config_init(&parsed);
    if (config_read_string(&parsed, widened.p) != CONFIG_TRUE)
        return refuse_line(&r, config_error_line(&parsed), "the form name = value;",
                           config_error_text(&parsed));
    return put_all(&r, &parsed);
}

static err
load(struct config *c, const char *file, const char *const *overrides, size_t n_overrides, struct fault *f)
{
    TRY(config_put_defaults(c, f));
    if (file)
        TRY(read_path(c, file, f));
    TRY(config_put_environment(c, f));
    for (size_t i = 0; i < n_overrides; i++)
        TRY(config_put_override(c, overrides[i], f));
    return E_OK;
}

err
config_load(const char *file, const char *const *overrides, size_t n_overrides, struct config **ret,
            struct fault *f)
{
    AUTO(config_free) struct config *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    TRY(load(c, file, overrides, n_overrides, f));
    *ret = TAKE(c);
    return E_OK;
}
