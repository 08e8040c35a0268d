/* CMS: SignedData detached or enveloping, as DER or inside S/MIME. */
#include "conformance/judge.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/cms/cms.h"

/* The base64 of the one part that is encoded so, up to the next boundary. */
static err
mime_read(view mail, arena *mem, view *ret_der)
{
    size_t type = view_find(mail, V("Content-Transfer-Encoding: base64"));
    view part = view_sub(mail, type, mail.n);
    size_t blank = view_find(part, V("\r\n\r\n"));
    size_t skip = blank < part.n ? 4 : 2;
    if (blank == part.n)
        blank = view_find(part, V("\n\n"));
    part = view_sub(part, blank + skip, part.n);
    part = view_sub(part, 0, view_find(part, V("\n--")));
    char *packed = arena_alloc(mem, part.n + 1);
    size_t n = 0;
    for (size_t i = 0; packed && i < part.n; i++)
        if (!memchr(" \t\r\n", part.p[i], 4))
            packed[n++] = part.p[i];

    return packed && n ? text_base64_decode(view_make(packed, n), mem, ret_der) : E_SIGNATURE_FORM;
}

/* Detached: the first part, between the first two boundaries, with CR LF line ends. */
static view
mime_body(view mail, arena *mem)
{
    size_t at = view_find(mail, V("boundary=\""));
    view rest = view_sub(mail, at + strlen("boundary=\""), mail.n);
    view mark = arena_printf(mem, "--%.*s", VIEW_ARG(view_cut(&rest, '"', NULL)));
    view first = view_sub(rest, view_find(rest, mark), rest.n);
    view_cut(&first, '\n', NULL);
    view_cut(&first, '\n', NULL); /* the empty line of a part without header */
    first = view_sub(first, 0, view_find(first, mark));
    char *out = arena_alloc(mem, 2 * first.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < first.n; i++) {
        if (first.p[i] == '\n' && (n == 0 || out[n - 1] != '\r'))
            out[n++] = '\r';
        out[n++] = first.p[i];
    }
    return view_make(out, n >= 2 ? n - 2 : n); /* the last line end belongs to the boundary */
}

static err
verify_message(view file, view body, bool mail, arena *mem, struct fault *f)
{
    struct cms_signer signers[SIGNATURES_MAX];
    view der = file, content = VIEW_NONE;
    size_t n = 0;
    if (mail)
        TRY(mime_read(file, mem, &der));
    if (mail && view_find(file, V("boundary=\"")) < file.n)
        return cms_verify_detached(der, mime_body(file, mem), NULL, NULL, mem, signers, &n, f);
    if (body.p)
        return cms_verify_detached(der, body, NULL, NULL, mem, signers, &n, f);
    return cms_verify_enveloping(der, mem, &content, signers, &n, f);
}

/* "content" is the file that a detached signature is over.  "parse": the set's note of what another verifier said decides. */
static err
judge_message(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view file, body = VIEW_NONE, name = judge_file(one, 0), expect = json_text(one, "expect");
    TRY(conformance_file(r, name, &file, f));
    if (json_text(one, "content").n > 0)
        TRY(conformance_file(r, json_text(one, "content"), &body, f));
    bool accept = view_eq(expect, V("accept")) ||
                  (view_eq(expect, V("parse")) && view_starts(json_text(one, "openssl_result"), V("ok")));
    struct fault why;
    fault_init(&why);
    err e = verify_message(file, body, view_ends(name, V(".eml")), r->mem, &why);
    judge_case(r, judge_id(one), accept, e, &why);
    return E_OK;
}

err
conformance_cms(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_message, f);
}
