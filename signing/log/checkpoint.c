/* Signed tree heads: C2SP tlog-checkpoint inside a C2SP signed-note, signature type 0x02 (ECDSA P-256,
 * SHA-256).
 *
 * The key id is the first four bytes of the SHA-256 of the SubjectPublicKeyInfo (type 0x02 does not hash
 * the name), the signature is DER over the note's text with its last newline.  The key's name is the
 * origin.  docs/signing-formats.md states it with an example. */
#include "signing/log/note.h"

#include "base/text.h"
#include "signing/jose/jose.h"
#include "signing/log/merkle.h"

#define ORIGIN_MAX 256
#define CHECKPOINT_MAX NOTE_MAX
#define KEY_ID_SIZE NOTE_KEY_ID

bool
note_name_is_good(view origin)
{
    if (origin.n == 0 || origin.n > ORIGIN_MAX)
        return false;
    for (size_t i = 0; i < origin.n; i++)
        if (origin.p[i] <= 0x20 || origin.p[i] >= 0x7f || origin.p[i] == '+')
            return false;
    return true;
}

static void
signature_line_print(struct buf *out, view origin, void *pkey, const uint8_t *raw)
{
    uint8_t bytes[KEY_ID_SIZE + JOSE_ECDSA_DER_MAX];
    digest spki = pkey_spki_digest(pkey);
    memcpy(bytes, spki.b, KEY_ID_SIZE);
    size_t n = KEY_ID_SIZE + jose_der_of_raw(raw, 32, bytes + KEY_ID_SIZE);
    BUF_LIT(out, "\n" NOTE_DASH);
    buf_add_view(out, origin);
    BUF_LIT(out, " ");
    buf_add_base64(out, view_make(bytes, n));
    BUF_LIT(out, "\n");
}

err
checkpoint_print(view origin, uint64_t n, const digest *root, const struct key *k, arena *mem, view *ret)
{
    if (!note_name_is_good(origin))
        return E_SYNTAX;
    if (k->alg != ALG_ES256)
        return E_ALGORITHM;
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, CHECKPOINT_MAX);
    buf_add_view(&text, origin);
    buf_printf(&text, "\n%llu\n", (unsigned long long)n);
    buf_add_base64(&text, digest_view(root));
    BUF_LIT(&text, "\n");
    view signature;
    if (text.failed)
        return E_TOO_LARGE;
    TRY(key_sign(k, buf_view(&text), mem, &signature));
    if (signature.n != 64)
        return E_INTERNAL;
    signature_line_print(&text, origin, k->pkey, (const uint8_t *)signature.p);
    view kept = text.failed ? VIEW_NONE : arena_dup(mem, buf_view(&text));
    if (!kept.p)
        return E_TOO_LARGE;
    *ret = kept;
    return E_OK;
}

static err
malformed(struct fault *f, const char *expected, const char *found)
{
    return fault_set(f, E_SIGNATURE_FORM, "checkpoint", expected, found);
}

err
note_split(view text, view *ret_body, view *ret_lines, struct fault *f)
{
    if (text.n > CHECKPOINT_MAX || !text_is_utf8(text, NULL))
        return malformed(f, "UTF-8 text of at most 16 KiB", "something else");
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n')
            return malformed(f, "no control characters", "one");
    size_t at = text.n;
    for (size_t i = 0; i + 1 < text.n; i++)
        if (text.p[i] == '\n' && text.p[i + 1] == '\n')
            at = i;
    if (at == text.n || !view_ends(text, V("\n")) || at + 2 >= text.n)
        return malformed(f, "a text, an empty line and signature lines", "something else");
    *ret_body = view_sub(text, 0, at + 1);
    *ret_lines = view_sub(text, at + 2, text.n);
    return E_OK;
}

static err
body_read(view body, view origin, arena *mem, uint64_t *ret_n, digest *ret_root, struct fault *f)
{
    view rest = body, said = view_cut(&rest, '\n', NULL), size = view_cut(&rest, '\n', NULL),
         hash = view_cut(&rest, '\n', NULL);
    view bytes;
    uint64_t n;
    if (!view_eq(said, origin))
        return fault_set(f, E_SIGNATURE_MISMATCH, "checkpoint", "the origin of this log", "another origin");
    if (text_to_u64(size, &n) != E_OK || (size.n > 1 && size.p[0] == '0'))
        return malformed(f, "a tree size", "something else");
    if (text_base64_decode(hash, mem, &bytes) != E_OK || bytes.n != sizeof ret_root->b)
        return malformed(f, "a root hash in base64", "something else");
    while (rest.n)
        if (view_cut(&rest, '\n', NULL).n == 0)
            return malformed(f, "extension lines that are not empty", "an empty line");
    *ret_n = n;
    memcpy(ret_root->b, bytes.p, sizeof ret_root->b);
    return E_OK;
}

err
note_line_read(view line, arena *mem, view *ret_name, view *ret_bytes, struct fault *f)
{
    view bytes = VIEW_NONE;
    if (!view_starts(line, V(NOTE_DASH)))
        return malformed(f, "a signature line", "something else");
    line = view_sub(line, sizeof NOTE_DASH - 1, line.n);
    view name = view_cut(&line, ' ', NULL);
    if (!name.n || text_base64_decode(line, mem, &bytes) != E_OK || bytes.n <= KEY_ID_SIZE)
        return malformed(f, "a key name and a signature in base64", "something else");
    *ret_name = name;
    *ret_bytes = bytes;
    return E_OK;
}

/* One signature line.  Lines of other keys are witnesses' or an older key's: not ours to judge. */
static err
line_check(view line, view body, view origin, void *pkey, arena *mem, bool *ret_good, struct fault *f)
{
    view name = VIEW_NONE, bytes = VIEW_NONE;
    TRY(note_line_read(line, mem, &name, &bytes, f));
    digest spki = pkey_spki_digest(pkey);
    if (!view_eq(name, origin) || memcmp(bytes.p, spki.b, KEY_ID_SIZE) != 0)
        return E_OK;
    uint8_t raw[64];
    if (!jose_raw_of_der(view_sub(bytes, KEY_ID_SIZE, bytes.n), 32, raw))
        return malformed(f, "an ECDSA signature in DER", "something else");
    err e = pkey_verify(pkey, ALG_ES256, body, view_make(raw, sizeof raw));
    if (e != E_OK)
        return fault_set(f, e, "checkpoint", "a signature by the log's key", "another one");
    *ret_good = true;
    return E_OK;
}

err
checkpoint_check(view text, view origin, void *pkey, uint64_t *ret_n, digest *ret_root, struct fault *f)
{
    arena *mem AUTO(arena_free) = arena_new(4 * CHECKPOINT_MAX);
    view body, lines;
    uint64_t n = 0;
    digest root = {{0}};
    bool good = false;
    TRY(note_split(text, &body, &lines, f));
    TRY(body_read(body, origin, mem, &n, &root, f));
    for (int i = 0; lines.n; i++) {
        if (i == NOTE_SIGNATURES_MAX)
            return malformed(f, "at most 16 signatures", "more");
        TRY(line_check(view_cut(&lines, '\n', NULL), body, origin, pkey, mem, &good, f));
    }
    if (!good)
        return fault_set(f, E_SIGNATURE_MISMATCH, "checkpoint", "a signature by the log's key", "none");
    *ret_n = n;
    *ret_root = root;
    return E_OK;
}
