#include "base/err.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

static const struct err_row ROWS[ERR_COUNT] = {
    [E_OK] = {"E_OK", "", 200, "informational", false, {"Done.", "完成。"}, {"", ""}},
#define ERR(name, code, status, issue, retry, en, zh, fix_en, fix_zh)                                        \
    [name] = {#name, code, status, issue, retry, {en, zh}, {fix_en, fix_zh}},
#include "base/err.def"
#undef ERR
};

const struct err_row *
err_info(err e)
{
    return &ROWS[(unsigned)e < ERR_COUNT ? e : E_INTERNAL];
}

err
err_by_code(view code)
{
    for (unsigned e = E_OK + 1; e < ERR_COUNT; e++) {
        if (view_eq(code, view_of(ROWS[e].code)))
            return (err)e;
    }
    return E_OK;
}

void
fault_init(struct fault *f)
{
    *f = (struct fault){.from = FAULT_NOWHERE, .length = FAULT_NOWHERE};
}

/* Cuts between two characters: half a character would make the reply's JSON invalid. */
static void
copy_text(char *to, size_t size, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    if (n)
        memcpy(to, text, n);
    to[n] = '\0';
}

err
fault_set(struct fault *f, err e, const char *where, const char *expected, const char *found)
{
    if (!f || f->code != E_OK)
        return e;
    fault_init(f);
    f->code = e;
    copy_text(f->where, sizeof f->where, where);
    copy_text(f->expected, sizeof f->expected, expected);
    copy_text(f->found, sizeof f->found, found);
    return e;
}

err
fault_setf(struct fault *f, err e, const char *expected, const char *found, const char *where_format, ...)
{
    char where[512];
    va_list args;
    va_start(args, where_format);
    int n = vsnprintf(where, sizeof where, where_format, args);
    va_end(args);
    return fault_set(f, e, n < 0 ? "" : where, expected, found);
}

void
fault_range(struct fault *f, size_t from, size_t length)
{
    if (!f || f->from != FAULT_NOWHERE || from > LONG_MAX || length > LONG_MAX)
        return;
    f->from = (long)from;
    f->length = (long)length;
}

/* A column counts characters, as editors do: continuation bytes are passed over. */
void
fault_locate(struct fault *f, view text)
{
    if (!f || f->from < 0 || (size_t)f->from > text.n)
        return;
    long line = 1, column = 1;
    for (size_t i = 0; i < (size_t)f->from; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    f->line = line;
    f->column = column;
}
