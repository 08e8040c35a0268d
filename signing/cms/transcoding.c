/* Why does a digest not fit?  Tries the forms into which signing components are known to turn text before
 * they sign it: string calls of COM and .NET sign code page 950 or UTF-16, editors add a byte order mark,
 * file transfers change line ends.  The forms are digested as a stream: nothing is kept of them.
 */
#include "signing/cms/transcoding.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
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

/* Where the forms go: the digest, as they are or in base64url. */
struct sink {
    EVP_MD_CTX *ctx;
    bool encodes;
    unsigned char held[3];
    size_t n_held;
};

/* 1 to 3 held bytes as 2 to 4 letters. */
static bool
sink_encode(struct sink *s)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char out[4];
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < s->n_held ? s->held[i] : 0);
    for (size_t i = 0; i < 4; i++)
        out[i] = (unsigned char)letters[bits >> (18 - 6 * i) & 63];
    size_t n = s->n_held + 1;
    s->n_held = 0;
    return EVP_DigestUpdate(s->ctx, out, n) == 1;
}

static bool
sink_add(struct sink *s, const char *p, size_t n)
{
    if (!s->encodes)
        return EVP_DigestUpdate(s->ctx, p, n) == 1;
    for (size_t i = 0; i < n; i++) {
        s->held[s->n_held++] = (unsigned char)p[i];
        if (s->n_held == 3 && !sink_encode(s))
            return false;
    }
    return true;
}

/* Feeds one converted run; a character that the charset does not have becomes '?', as Windows writes it. */
static bool
add_converted(struct sink *s, iconv_t cd, char *in, size_t n)
{
    char out[4 * STEP];
    while (n > 0) {
        char *to = out;
        size_t room = sizeof out;
        size_t done = iconv(cd, &in, &n, &to, &room);
        if (!sink_add(s, out, (size_t)(to - out)))
            return false;
        if (done != (size_t)-1 || errno == E2BIG)
            continue;
        if (errno != EILSEQ || !sink_add(s, "?", 1))
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
add_form(struct sink *s, const struct form *form, iconv_t cd, view body)
{
    if (!sink_add(s, form->mark, form->mark_length))
        return false;
    while (body.n > 0) {
        char lines[2 * STEP];
        size_t n = with_line_ends(next_run(&body), form->lines, lines);
        bool ok = form->charset ? add_converted(s, cd, lines, n) : sink_add(s, lines, n);
        if (!ok)
            return false;
    }
    return s->n_held == 0 || sink_encode(s);
}

static bool
form_fits(const struct form *form, const struct transcoded *what, view body,
          bool (*fits)(void *self, view hash), void *self)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    AUTO_DONE(converter_close) iconv_t cd = form->charset ? iconv_open(form->charset, "UTF-8") : NO_CONVERTER;
    if (form->charset && cd == NO_CONVERTER)
        return false;
    AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct sink s = {.ctx = ctx, .encodes = what->base64url};
    bool ok = ctx && EVP_DigestInit_ex(ctx, what->md, NULL) == 1 &&
              EVP_DigestUpdate(ctx, what->prefix.p, what->prefix.n) == 1 && add_form(&s, form, cd, body) &&
              EVP_DigestFinal_ex(ctx, out, &n) == 1;
    return ok && fits(self, view_make(out, n));
}

/* The C library loads a converter's module with the first descriptor and unloads it with the last.  One of each kind stays
 * open, so that refusals at the same time neither load nor unload anything. */
static iconv_t kept[COUNT_OF(forms)];

static void
keep_converters(void)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (forms[i].charset)
            kept[i] = iconv_open(forms[i].charset, "UTF-8");
}

const char *
transcoding_find(const struct transcoded *what, bool (*fits)(void *self, view hash), void *self)
{
    view body = what->body;
    static const view mark = {"\xef\xbb\xbf", 3};
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (body.n > BODY_MAX)
        return NULL;
    pthread_once(&once, keep_converters);
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (form_fits(&forms[i], what, body, fits, self))
            return forms[i].name;
    static const struct form plain = {"UTF-8 without the byte order mark", NULL, "", 0, LINES_AS_SENT};
    if (view_starts(body, mark) && form_fits(&plain, what, view_sub(body, mark.n, body.n), fits, self))
        return plain.name;
    static const struct form short_form = {"UTF-8 without the last line break", NULL, "", 0, LINES_AS_SENT};
    view trimmed = body;
    while (trimmed.n > 0 && (trimmed.p[trimmed.n - 1] == '\n' || trimmed.p[trimmed.n - 1] == '\r'))
        trimmed.n--;
    if (trimmed.n < body.n && form_fits(&short_form, what, trimmed, fits, self))
        return short_form.name;
    return NULL;
}
