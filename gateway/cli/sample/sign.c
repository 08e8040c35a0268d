#include "cli/sample/sign.h"

#include "base/text.h"
#include "signing/cms/cms.h"

#include <stdio.h>
#include <string.h>

/* Base64 bodies of the certificates in a PEM file, as x5c members. */
static view
x5c_of(view pem, arena *mem)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "\"x5c\":[");
    size_t n = 0;
    for (;;) {
        size_t from = view_find(pem, V("-----BEGIN CERTIFICATE-----"));
        size_t to = view_find(pem, V("-----END CERTIFICATE-----"));
        if (from == pem.n || to == pem.n || to < from)
            break;
        buf_add_view(&out, n++ ? V(",\"") : V("\""));
        for (size_t i = from + 27; i < to; i++)
            if (pem.p[i] != '\n' && pem.p[i] != '\r')
                buf_add_byte(&out, pem.p[i]);
        BUF_LIT(&out, "\"");
        pem = view_sub(pem, to + 25, pem.n);
    }
    BUF_LIT(&out, "]");
    view text = n && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return text;
}

err
sign_jws(const char *key_file, const char *certificate_file, const char *chain_file, const char *typ,
         view body, bool detach, instant when, arena *mem, view *ret, struct fault *f)
{
    AUTO(key_free) struct key *k = NULL;
    view pem = VIEW_NONE, chain = VIEW_NONE, members = V("");
    char at[32];
    TRY(key_load_pem(key_file, &k, f));
    if (certificate_file) {
        TRY(file_read(certificate_file, mem, &pem, f));
        if (chain_file && file_read(chain_file, mem, &chain, NULL) == E_OK && view_find(chain, pem) < chain.n)
            pem = chain; /* the chain file holds the leaf too */
        else if (chain.n)
            pem = arena_printf(mem, "%.*s%.*s", VIEW_ARG(pem), VIEW_ARG(chain));
        members = x5c_of(pem, mem);
    }
    if (typ)
        members = arena_printf(mem, "\"typ\":\"%s\"%s%.*s", typ, members.n ? "," : "", VIEW_ARG(members));
    if (when.us)
        members = arena_printf(mem, "%.*s%s\"sigT\":\"%.*s\"", VIEW_ARG(members), members.n ? "," : "",
                               VIEW_ARG(instant_print(when, at)));
    if (!members.p)
        return fault_set(f, E_SIGNATURE_FORM, certificate_file ? certificate_file : "", "a PEM certificate",
                         "none");
    return jws_sign(k, members, body, detach, mem, ret);
}

err
sign_cms(const char *key_file, const char *certificate_file, view body, const char *digest_name, arena *mem,
         view *ret, struct fault *f)
{
    view der;
    TRY(cms_sign_detached(body, key_file, certificate_file, true, digest_name, mem, &der, f));
    *ret = text_base64(mem, der);
    return ret->p ? E_OK : E_TOO_LARGE;
}

int
run_sign_bundle(struct args *a)
{
    const char *key = args_value(a, "key"), *certificate = args_value(a, "certificate"),
               *digest_name = args_value(a, "digest");
    struct fault f;
    view body, text;
    fault_init(&f);
    if (a->n_positional != 1 || !key)
        return command_usage(a, "needs a document and --key FILE");
    bool cms = args_flag(a, "cms");
    err e = file_read(a->positional[0], a->mem, &body, &f);
    if (e == E_OK)
        e = cms ? sign_cms(key, certificate ? certificate : "", body, digest_name ? digest_name : "sha256",
                           a->mem, &text, &f)
                : sign_jws(key, certificate, NULL, NULL, body, true, INSTANT_NONE, a->mem, &text, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("%s: %.*s\n", cms ? "AUTH" : "X-JWS-Signature", VIEW_ARG(text));
    return EXIT_OK;
}
