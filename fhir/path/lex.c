#include "fhir/path/lex.h"

#include "base/buf.h"

#include <string.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char
peek(const struct lexer *x, size_t ahead)
{
    return x->at + ahead < x->text.n ? x->text.p[x->at + ahead] : '\0';
}

err
lex_refuse(const struct lexer *x, const struct token *t, const char *expected, const char *found)
{
    err e = fault_set(x->fault, E_FHIRPATH_SYNTAX, "", expected, found);
    if (x->fault != NULL)
        fault_range(x->fault, t->from, t->length);
    return e;
}

static err
refuse_here(const struct lexer *x, const char *expected, const char *found)
{
    struct token here = {.from = x->at, .length = x->at < x->text.n};
    return lex_refuse(x, &here, expected, found);
}

/* White space and comments. */
static err
skip_blank(struct lexer *x)
{
    for (;;) {
        view rest = view_sub(x->text, x->at, x->text.n);
        if (rest.n > 0 && strchr(" \t\r\n", rest.p[0]) != NULL && rest.p[0] != '\0') {
            x->at++;
        } else if (view_starts(rest, V("//"))) {
            x->at += view_find_byte(rest, '\n');
        } else if (view_starts(rest, V("/*"))) {
            size_t end = view_find(view_sub(rest, 2, rest.n), V("*/"));
            if (end + 2 >= rest.n)
                return refuse_here(x, "the end of a comment", "the end of the text");
            x->at += end + 4;
        } else {
            return E_OK;
        }
    }
}

static size_t
count_digits(const struct lexer *x, size_t from)
{
    size_t n = 0;
    while (is_digit(peek(x, from + n)))
        n++;
    return n;
}

static void
take(struct lexer *x, struct token *t, enum token_kind kind, size_t n)
{
    t->kind = (uint8_t)kind;
    t->text = view_sub(x->text, x->at, n);
    x->at += n;
}

static void
lex_number(struct lexer *x, struct token *t)
{
    size_t n = count_digits(x, 0);
    size_t places = peek(x, n) == '.' ? count_digits(x, n + 1) : 0;
    if (places > 0)
        take(x, t, TOKEN_DECIMAL, n + 1 + places);
    else
        take(x, t, TOKEN_INTEGER, n);
}

/* hh(:mm(:ss(.f+)?)?)? from a place on; its length, 0 when there is none. */
static size_t
time_length(const struct lexer *x, size_t from)
{
    size_t n = from;
    if (count_digits(x, n) != 2)
        return 0;
    n += 2;
    for (int part = 0; part < 2 && peek(x, n) == ':' && count_digits(x, n + 1) == 2; part++)
        n += 3;
    if (n - from == 8 && peek(x, n) == '.' && is_digit(peek(x, n + 1)))
        n += 1 + count_digits(x, n + 1);
    return n - from;
}

static size_t
offset_length(const struct lexer *x, size_t from)
{
    if (peek(x, from) == 'Z')
        return 1;
    bool is_offset = (peek(x, from) == '+' || peek(x, from) == '-') && count_digits(x, from + 1) == 2 &&
                     peek(x, from + 3) == ':' && count_digits(x, from + 4) == 2;
    return is_offset ? 6 : 0;
}

/* Behind the @. */
static err
lex_moment(struct lexer *x, struct token *t)
{
    size_t n = 4;
    if (peek(x, 0) == 'T') {
        x->at++;
        n = time_length(x, 0);
        if (n == 0)
            return refuse_here(x, "a time behind @T", "something else");
        take(x, t, TOKEN_TIME, n);
        return E_OK;
    }
    if (count_digits(x, 0) != 4)
        return refuse_here(x, "a date or T behind @", "something else");
    for (int part = 0; part < 2 && peek(x, n) == '-' && count_digits(x, n + 1) == 2; part++)
        n += 3;
    if (peek(x, n) != 'T') {
        take(x, t, TOKEN_DATE, n);
        return E_OK;
    }
    n++;
    size_t time = time_length(x, n);
    n += time;
    n += time > 0 ? offset_length(x, n) : 0;
    take(x, t, TOKEN_DATETIME, n);
    return E_OK;
}

static int
hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* \uXXXX, p at the u: surrogates stay apart and are refused. */
static bool
decode_unicode(struct lexer *x, struct buf *out)
{
    uint32_t c = 0;
    for (size_t i = 1; i <= 4; i++) {
        int digit = hex_value(peek(x, i));
        if (digit < 0)
            return false;
        c = c << 4 | (uint32_t)digit;
    }
    if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
        return false;
    x->at += 4;
    if (c >= 0x800)
        buf_add_byte(out, (char)(0xE0 | c >> 12));
    if (c >= 0x80)
        buf_add_byte(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6));
    buf_add_byte(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c));
    return true;
}

/* x->at behind the opening quote. */
static err
lex_quoted(struct lexer *x, struct token *t, char quote)
{
    static const char escaped[] = "'\"`\\/rntf", meaning[] = "'\"`\\/\r\n\t\f";
    struct buf out AUTO_DONE(buf_done) = {0};
    buf_init(&out, FHIRPATH_LITERAL_MOST);
    for (; x->at < x->text.n && x->text.p[x->at] != quote; x->at++) {
        const char *which = NULL;
        if (x->text.p[x->at] != '\\') {
            buf_add_byte(&out, x->text.p[x->at]);
            continue;
        }
        x->at++;
        which = peek(x, 0) != '\0' ? strchr(escaped, peek(x, 0)) : NULL;
        if (which != NULL)
            buf_add_byte(&out, meaning[which - escaped]);
        else if (peek(x, 0) != 'u' || !decode_unicode(x, &out))
            return refuse_here(x, "one of '\"`\\/rntfu behind a backslash", "something else");
    }
    if (x->at >= x->text.n)
        return refuse_here(x, "the closing quote", "the end of the text");
    x->at++;
    t->text = out.n > 0 ? arena_dup(x->mem, buf_view(&out)) : V("");
    return out.failed || t->text.p == NULL ? fault_set(x->fault, E_TOO_LARGE, "", "", "") : E_OK;
}

static void
lex_name(struct lexer *x, struct token *t, enum token_kind kind, bool hyphen)
{
    size_t n = 0;
    while (is_name_start(peek(x, n)) || is_digit(peek(x, n)) || (hyphen && n > 0 && peek(x, n) == '-'))
        n++;
    take(x, t, kind, n);
}

static err
lex_sign(struct lexer *x, struct token *t)
{
    static const char *const signs[] = {"<=", ">=", "!=", "!~", "<", ">", "=", "~", "+", "-", "*",
                                        "/",  "&",  "|",  "(",  ")", "[", "]", "{", "}", ".", ","};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        view sign = view_of(signs[i]);
        if (view_starts(view_sub(x->text, x->at, x->text.n), sign)) {
            take(x, t, TOKEN_SIGN, sign.n);
            return E_OK;
        }
    }
    return refuse_here(x, "an operator, a name or a literal", "another character");
}

static err
lex_token(struct lexer *x, struct token *t)
{
    char c = peek(x, 0);
    if (is_digit(c)) {
        lex_number(x, t);
        return E_OK;
    }
    if (is_name_start(c)) {
        lex_name(x, t, TOKEN_NAME, false);
        return E_OK;
    }
    if (c == '\'' || c == '`' || c == '"') {
        t->kind = c == '`' ? TOKEN_NAME : TOKEN_STRING;
        t->quoted = true;
        x->at++;
        return lex_quoted(x, t, c);
    }
    if (c == '@') {
        x->at++;
        return lex_moment(x, t);
    }
    if (c == '%' && (peek(x, 1) == '`' || peek(x, 1) == '\'')) {
        t->kind = TOKEN_EXTERNAL;
        x->at += 2;
        return lex_quoted(x, t, x->text.p[x->at - 1]);
    }
    if ((c == '%' || c == '$') && is_name_start(peek(x, 1))) {
        x->at++;
        lex_name(x, t, c == '%' ? TOKEN_EXTERNAL : TOKEN_DOLLAR, c == '%');
        return E_OK;
    }
    return lex_sign(x, t);
}

err
lex_next(struct lexer *x, struct token *ret)
{
    TRY(skip_blank(x));
    struct token t = {.kind = TOKEN_END, .text = V(""), .from = x->at};
    if (x->at < x->text.n)
        TRY(lex_token(x, &t));
    t.length = x->at - t.from;
    *ret = t;
    return E_OK;
}
