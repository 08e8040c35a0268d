/* Why does a digest not fit?  Tries the forms into which signing components are known to turn text before
 * they sign it: string calls of COM and .NET sign code page 950 or UTF-16, editors add a byte order mark,
 * file transfers change line ends.  The forms are digested as a stream: nothing is kept of them.
 */
#include "signing/cms_message.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum line_ends { LINES_AS_SENT, LINES_CRLF, LINES_LF };

static const struct form {
    const char *name;
    const char *charset; /* NULL: UTF-8, as sent */
    const char *mark;
    size_t mark_length;
    enum line_ends lines;
} forms[] = {
    {"code page 950", "CP950", "", 0, LINES_AS_SENT},
    {"code page 950 with CRLF line ends", "CP950", "", 0, LINES_CRLF},
    {"UTF-8 with a byte order mark", NULL, "\xef\xbb\xbf", 3, LINES_AS_SENT},
    {"UTF-8 with a byte order mark and CRLF line ends", NULL, "\xef\xbb\xbf", 3, LINES_CRLF},
    {"UTF-16LE", "UTF-16LE", "", 0, LINES_AS_SENT},
    {"UTF-16LE with a byte order mark", "UTF-16LE", "\xff\xfe", 2, LINES_AS_SENT},
    {"UTF-16LE with CRLF line ends", "UTF-16LE", "", 0, LINES_CRLF},
    {"UTF-16BE", "UTF-16BE", "", 0, LINES_AS_SENT},
    {"UTF-8 with CRLF line ends", NULL, "", 0, LINES_CRLF},
    {"UTF-8 with LF line ends", NULL, "", 0, LINES_LF},
};

/* Larger bodies are not diagnosed: ten digests of them would be work that a stranger can ask for. */
#define BODY_MAX (2 << 20)

#define STEP 4096

#define NO_CONVERTER ((iconv_t)-1)

DEFINE_AUTO(EVP_MD_CTX *, EVP_MD_CTX_free)

static void
converter_close(iconv_t *cd)
{
    if (*cd != NO_CONVERTER)
        iconv_close(*cd);
}

/* Feeds one converted run; a character that the charset does not have becomes '?', as Windows writes it. */
static bool
add_converted(EVP_MD_CTX *ctx, iconv_t cd, char *in, size_t n)
{
    char out[4 * STEP];
    while (n > 0) {
        char *to = out;
        size_t room = sizeof out;
        size_t done = iconv(cd, &in, &n, &to, &room);
        if (EVP_DigestUpdate(ctx, out, (size_t)(to - out)) != 1)
            return false;
        if (done != (size_t)-1 || errno == E2BIG)
            continue;
        if (errno != EILSEQ || EVP_DigestUpdate(ctx, "?", 1) != 1)
            return false;
        /* Runs are cut between characters and the body is UTF-8: skip one scalar. */
        do {
            in++;
            n--;
        } while (n > 0 && ((unsigned char)*in & 0xc0) == 0x80);
    }
    return true;
}

static size_t
with_line_ends(view run, enum line_ends lines, char out[2 * STEP])
{
    size_t n = 0;
    for (size_t i = 0; i < run.n; i++) {
        char c = run.p[i];
        if (lines == LINES_CRLF && c == '\n' && !(n > 0 && out[n - 1] == '\r'))
            out[n++] = '\r';
        if (lines == LINES_LF && c == '\r' && i + 1 < run.n && run.p[i + 1] == '\n')
            continue;
        out[n++] = c;
    }
    return n;
}

/* A run of at most STEP bytes that ends between characters and does not part CR from LF. */
static view
next_run(view *rest)
{
    size_t n = rest->n < STEP ? rest->n : STEP;
    while (n > 1 && n < rest->n && ((unsigned char)rest->p[n] & 0xc0) == 0x80)
        n--;
    if (n > 1 && n < rest->n && rest->p[n] == '\n' && rest->p[n - 1] == '\r')
        n--;
    view run = view_sub(*rest, 0, n);
    rest->p += n;
    rest->n -= n;
    return run;
}

static bool
add_form(EVP_MD_CTX *ctx, const struct form *form, iconv_t cd, view body)
{
    if (EVP_DigestUpdate(ctx, form->mark, form->mark_length) != 1)
        return false;
    while (body.n > 0) {
        char lines[2 * STEP];
        size_t n = with_line_ends(next_run(&body), form->lines, lines);
        bool ok = form->charset ? add_converted(ctx, cd, lines, n) : EVP_DigestUpdate(ctx, lines, n) == 1;
        if (!ok)
            return false;
    }
    return true;
}

static bool
form_fits(const struct form *form, view body, const EVP_MD *md, bool (*fits)(void *self, view hash),
          void *self)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    AUTO_DONE(converter_close) iconv_t cd = form->charset ? iconv_open(form->charset, "UTF-8") : NO_CONVERTER;
    if (form->charset && cd == NO_CONVERTER)
        return false;
    AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1 && add_form(ctx, form, cd, body) &&
              EVP_DigestFinal_ex(ctx, out, &n) == 1;
    return ok && fits(self, view_make(out, n));
}

const char *
transcoding_find(view body, const EVP_MD *md, bool (*fits)(void *self, view hash), void *self)
{
    static const view mark = {"\xef\xbb\xbf", 3};
    if (body.n > BODY_MAX)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (form_fits(&forms[i], body, md, fits, self))
            return forms[i].name;
    static const struct form plain = {"UTF-8 without the byte order mark", NULL, "", 0, LINES_AS_SENT};
    if (view_starts(body, mark) && form_fits(&plain, view_sub(body, mark.n, body.n), md, fits, self))
        return plain.name;
    static const struct form short_form = {"UTF-8 without the last line break", NULL, "", 0, LINES_AS_SENT};
    view trimmed = body;
    while (trimmed.n > 0 && (trimmed.p[trimmed.n - 1] == '\n' || trimmed.p[trimmed.n - 1] == '\r'))
        trimmed.n--;
    if (trimmed.n < body.n && form_fits(&short_form, trimmed, md, fits, self))
        return short_form.name;
    return NULL;
}
