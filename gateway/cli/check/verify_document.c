#include "cli/check/verify.h"

#include "adapters/police/police.h"
#include "base/text.h"
#include "fhir/fhir.h"
#include "relay/relay.h"
#include "signing/trust/trust.h"
#include "signing/verify.h"
#include "signing/xml/xmldsig.h"

#include <stdio.h>

/* A header line of the file, by name; NULL view when absent. */
static view
header_of(view lines, view name)
{
    while (lines.n) {
        view line = view_cut(&lines, '\n', NULL);
        if (view_eq_nocase(view_trim(view_cut(&line, ':', NULL)), name))
            return view_trim(line);
    }
    return VIEW_NONE;
}

err
verify_at(const struct args *a, instant *ret, struct fault *f)
{
    const char *text = args_value(a, "at");
    *ret = clock_now();
    if (text && instant_parse(view_of(text), ret, NULL) != E_OK)
        return fault_set(f, E_USAGE, "--at", "a time as RFC 3339 has it", "another form");
    return E_OK;
}

/* -- bundle -- */

static bool
no_key(void *self, view kid, struct known_key *ret)
{
    (void)self;
    (void)kid;
    (void)ret;
    return false;
}

static view
no_partner(void *self, const digest *fingerprint)
{
    (void)self;
    (void)fingerprint;
    return VIEW_NONE;
}

/* Which reader an XML document needs shows in its namespace; JSON is read by one. */
static bool
is_police(view body)
{
    return view_starts(view_trim(body), V("<")) && view_find(body, V("http://hl7.org/fhir")) >= body.n;
}

static err
read_tree(view body, arena *mem, struct tree *ret, struct fault *f)
{
    bool is_xml = view_starts(view_trim(body), V("<"));
    enum fhir_media media = is_xml ? FHIR_XML : FHIR_JSON;
    return is_police(body) ? police_read(media, body, mem, ret, f) : fhir_read(media, body, mem, ret, f);
}

static void
print_signer(const struct report *r, const struct signature_out *s)
{
    char when[32], until[32];
    bool zh = r->a->lang == LANG_ZH;
    if (r->a->json || s->signer.use >= USE_COUNT)
        return;
    printf(zh ? "      %s %s，簽署人：%s %.*s %.*s，憑證有效期 %.*s 至 %.*s，證據等級 %s\n"
              : "      %s %s, signer: %s %.*s %.*s, certificate valid %.*s to %.*s, level %s\n",
           sig_format_word(s->format), jose_alg_word(s->alg), subject_word(s->signer.subject),
           VIEW_ARG(s->signer.organisation), VIEW_ARG(s->signer.common_name),
           VIEW_ARG(instant_print(s->signer.not_before, when)),
           VIEW_ARG(instant_print(s->signer.not_after, until)), evidence_level_word(s->level));
}

static void
report_verdict(struct report *r, const struct verdict *v, arena *mem)
{
    view text = VIEW_NONE;
    struct fault none;
    fault_init(&none);
    for (size_t i = 0; i < verdict_signatures(v); i++) {
        const struct signature_out *s = verdict_signature(v, i);
        (void)report_check(r, STEP_SIGNATURE, s->code, &s->fault, "%s", sig_format_word(s->format));
        if (s->code == E_OK)
            print_signer(r, s);
    }
    (void)report_check(r, STEP_DOCUMENT_SIGNATURES, verdict_code(v), &none, "%s",
                       evidence_level_word(verdict_level(v)));
    if (r->a->json && verdict_print(v, mem, &text) == E_OK)
        printf("{\"verdict\":%.*s}\n", VIEW_ARG(text));
}

static err
check_bundle(struct args *a, struct report *r, const struct trust *trust, struct fault *f)
{
    struct signature_in signatures[3];
    struct tree tree;
    struct verdict *verdict = NULL;
    view body = VIEW_NONE, headers = V("");
    size_t n = 0;
    instant at;
    TRY(verify_at(a, &at, f));
    TRY(file_read(a->positional[0], a->mem, &body, f));
    if (args_value(a, "headers"))
        TRY(file_read(args_value(a, "headers"), a->mem, &headers, f));
    view cms = header_of(headers, V("AUTH")), jws = header_of(headers, V("X-JWS-Signature"));
    if (cms.p)
        signatures[n++] = (struct signature_in){SIG_CMS, cms, header_of(headers, V("KeyId"))};
    if (jws.p)
        signatures[n++] = (struct signature_in){SIG_JWS, jws, VIEW_NONE};
    bool is_xml = view_starts(view_trim(body), V("<"));
    if (is_xml && xmldsig_present(body))
        signatures[n++] = (struct signature_in){SIG_XMLDSIG, VIEW_NONE, VIEW_NONE};
    TRY(read_tree(body, a->mem, &tree, f));
    const struct key_source keys = {NULL, no_key, no_partner};
    const struct verify_request rq = {.body = body,
                                      .tree = &tree,
                                      .read_signed = is_police(body) ? police_read_signed : fhir_read_signed,
                                      .signatures = signatures,
                                      .n_signatures = n,
                                      .trust = trust,
                                      .keys = &keys,
                                      .now = at,
                                      .mem = a->mem};
    TRY(verify_document(&rq, &verdict));
    report_verdict(r, verdict, a->mem);
    return E_OK;
}

/* One file judged with a trust list. */
static int
with_trust(struct args *a, const char *usage,
           err (*check)(struct args *a, struct report *r, const struct trust *trust, struct fault *f))
{
    AUTO(trust_unref) struct trust *trust = NULL;
    struct report r = {.a = a};
    struct fault f;
    fault_init(&f);
    digest_start();
    if (a->n_positional != 1 || !args_value(a, "trust"))
        return command_usage(a, usage);
    err e = trust_load(args_value(a, "trust"), args_flag(a, "sandbox"), &trust, &f);
    if (e == E_OK)
        e = check(a, &r, trust, &f);
    return e == E_OK ? report_end(&r) : command_fail(a, e, &f);
}

int
run_verify_bundle(struct args *a)
{
    return with_trust(a, "needs a document and --trust FILE", check_bundle);
}

/* -- chain -- */

static err
check_chain(struct args *a, struct report *r, const struct trust *trust, struct fault *f)
{
    struct signer shown, signer;
    enum evidence_level level = LEVEL_REFUSED;
    struct revocation_used used;
    view leaf = VIEW_NONE, rest[1] = {VIEW_NONE}, text = VIEW_NONE;
    size_t n = 0;
    void *pkey = NULL;
    instant at;
    char when[32];
    TRY(verify_at(a, &at, f));
    TRY(file_read(a->positional[0], a->mem, &text, f));
    TRY(certificate_read(text, a->mem, &shown, &leaf, f));
    if (args_value(a, "intermediate")) {
        TRY(file_read(args_value(a, "intermediate"), a->mem, &text, f));
        TRY(certificate_read(text, a->mem, &shown, &rest[n++], f));
    }
    err e = trust_judge_copy(trust, leaf, rest, n, at, a->mem, &signer, &level, &used, &pkey, f);
    (void)report_check(r, STEP_CHAIN, e, f, "%.*s, %s", VIEW_ARG(instant_print(at, when)),
                       e == E_OK ? evidence_level_word(level) : "");
    return E_OK;
}

int
run_verify_chain(struct args *a)
{
    return with_trust(a, "needs a certificate and --trust FILE", check_chain);
}

/* -- webhook -- */

static err
verify_with_any(const struct key_list *keys, view id, int64_t time, view body, view signature, arena *mem,
                struct fault *f)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (pkey_default_alg(keys->pkeys[i]) == ALG_ED25519 &&
            webhook_verify(keys->pkeys[i], id, time, body, signature, mem) == E_OK)
            return E_OK;
    }
    return fault_set(f, E_SIGNATURE_MISMATCH, "webhook-signature", "a signature of the gateway's webhook key",
                     "another");
}

static err
check_webhook(struct args *a, struct report *r, const struct key_list *keys, struct fault *f)
{
    view body = VIEW_NONE, headers = VIEW_NONE;
    int64_t time = 0;
    instant at;
    TRY(verify_at(a, &at, f));
    TRY(file_read(a->positional[0], a->mem, &body, f));
    TRY(file_read(args_value(a, "headers"), a->mem, &headers, f));
    view id = header_of(headers, V("webhook-id")), said = header_of(headers, V("webhook-timestamp"));
    err e = text_to_i64(said, &time) == E_OK && id.n
                ? verify_with_any(keys, id, time, body, header_of(headers, V("webhook-signature")), a->mem, f)
                : fault_set(f, E_SIGNATURE_FORM, "webhook-timestamp", "id, time in seconds and signature",
                            "something else");
    if (report_check(r, STEP_WEBHOOK_SIGNATURE, e, f, "%.*s", VIEW_ARG(id)) != E_OK ||
        !args_value(a, "tolerance"))
        return E_OK;
    int64_t apart = instant_unix(at) - time, most = args_number(a, "tolerance", 300);
    e = apart <= most && apart >= -most
            ? E_OK
            : fault_set(f, E_PARAMETER, "webhook-timestamp", "a time near now", "another");
    (void)report_check(r, STEP_WEBHOOK_TIME, e, f, "%lld s", (long long)apart);
    return E_OK;
}

int
run_verify_webhook(struct args *a)
{
    struct key_list keys AUTO_DONE(keys_done) = {0};
    struct report r = {.a = a};
    struct fault f;
    fault_init(&f);
    digest_start();
    if (a->n_positional != 1 || !args_value(a, "keys") || !args_value(a, "headers"))
        return command_usage(a, "needs a body, --headers FILE and --keys FILE");
    err e = keys_read(args_value(a, "keys"), a->mem, &keys, &f);
    if (e == E_OK)
        e = check_webhook(a, &r, &keys, &f);
    return e == E_OK ? report_end(&r) : command_fail(a, e, &f);
}
