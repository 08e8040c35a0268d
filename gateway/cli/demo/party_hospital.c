#include "cli/demo/party.h"

#include "base/text.h"
#include "cli/sample/sample.h"
#include "cli/sample/sign.h"

#include <iconv.h>
#include <stdio.h>

/* -- sending -- */

/* "AUTH: …" as sample_sign writes it. */
static struct net_header
header_of(view line)
{
    bool cms = view_starts(line, V("AUTH: "));
    view value = view_trim(view_sub(line, cms ? 6 : sizeof "X-JWS-Signature: " - 1, line.n));
    return (struct net_header){cms ? "AUTH" : "X-JWS-Signature", value};
}

static err
send_document(struct party *p, const struct sample_document *d, view header, const char *media,
              struct client_reply *ret, struct fault *f)
{
    const struct net_header signature = header_of(header);
    const struct client_request rq = {
        .method = "POST",
        .path = "/fhir/r4/Bundle",
        .body = d->body,
        .media = media       ? media
                 : d->is_xml ? "application/fhir+xml"
                             : "application/fhir+json",
        .headers = &signature,
        .n_headers = header.n ? 1 : 0,
    };
    return client_call(p->client, &rq, p->mem, ret, f);
}

/* "waiting-permission", "accepted", … of a Parameters answer. */
static view
outcome_of(const struct client_reply *reply)
{
    view code = json_text(json_array_get(json_member(reply->json, "parameter"), 0), "valueCode");
    return code.n ? code : client_code(reply);
}

static bool
submit(struct party *p, const struct sample_document *d, struct client_reply *ret)
{
    struct fault f;
    view header;
    fault_init(&f);
    err e = sample_sign(p->pki, d, p->mem, &header, &f);
    if (e == E_OK)
        e = send_document(p, d, header, NULL, ret, &f);
    if (e != E_OK) {
        party_fault(p, d->name, e, &f);
        return false;
    }
    bool ok = ret->status == 201 || ret->status == 200;
    party_say("{\"document\":\"%s\",\"ok\":%s,\"us\":%lld}", d->name, ok ? "true" : "false",
              (long long)ret->took.us);
    if (!ok)
        party_step(p, false, "%s: %d %.*s at %.*s", d->name, ret->status, VIEW_ARG(client_code(ret)),
                   VIEW_ARG(client_place(ret)));
    return ok;
}

static err
play(struct party *p, enum play which)
{
    struct sample_stay stay;
    struct sample_document documents[SAMPLE_DOCUMENTS_MAX];
    size_t n;
    TRY(party_stay(which, p->mem, &stay));
    TRY(sample_documents(&stay, p->mem, documents, &n));
    for (size_t i = 0; i < n; i++) {
        struct client_reply reply;
        if (submit(p, &documents[i], &reply))
            party_step(p, true, "%s sends %s, signed by %s (%s): %.*s, %.1f ms", stay.hospital->name,
                       documents[i].name, documents[i].signer, documents[i].cms ? "CMS" : "JWS",
                       VIEW_ARG(outcome_of(&reply)), (double)reply.took.us / 1000);
    }
    return E_OK;
}

static err
mixed(struct party *p, int64_t wanted)
{
    struct mixed m = {.wanted = wanted};
    struct mixed_stay s;
    err e = E_OK;
    while (mixed_next(&m, p->mem, &s, &e)) {
        struct client_reply reply;
        for (size_t i = 0; i < s.n && strcmp(s.stay.hospital->signer, p->name) == 0; i++)
            submit(p, &s.documents[i], &reply);
        arena_reset(p->mem);
    }
    return e;
}

/* -- hostile submissions: each differs from a good one in one thing -- */

enum tamper { AS_IS, LETTER, DIGIT, CODE_PAGE, OTHER_CONTENT, NO_SIGNATURE };

struct attack {
    const char *what, *expected, *by, *document, *signer;
    const char *digest; /* NULL: JWS, else CMS with this digest */
    const char *media;
    enum tamper tamper;
};

static const struct attack attacks[] = {
    {"one letter changed after signing", "digest-mismatch", "h1", "receipt", "h1", "sha256", NULL, LETTER},
    {"receipt with one digit changed", "signature-mismatch", "h1", "receipt", "h1", NULL, NULL, DIGIT},
    {"rogue CA with H1's code", "chain-untrusted", "h1", "receipt", "rogue-h1", NULL, NULL, AS_IS},
    {"H2 signs for H1", "signer-wrong-organisation", "h1", "receipt", "h2", NULL, NULL, AS_IS},
    {"doctor of H2 signs H1's certificate", "professional-not-listed", "h1", "certificate", "h2-dr-wu", NULL,
     NULL, AS_IS},
    {"H2 sends a document of H1", "sender-not-allowed", "h2", "receipt", "h1", "sha256", NULL, AS_IS},
    {"text was signed as code page 950", "signed-bytes-transcoded", "h1", "receipt", "h1", "sha256", NULL,
     CODE_PAGE},
    {"CMS with SHA-1", "weak-digest", "h1", "receipt", "h1", "sha1", NULL, AS_IS},
    {"expired certificate", "certificate-time", "h1", "receipt", "h1-expired", NULL, NULL, AS_IS},
    {"revoked certificate (key compromise)", "certificate-revoked", "h1", "receipt", "h1-revoked", NULL, NULL,
     AS_IS},
    {"no signature", "signature-missing", "h1", "receipt", "h1", NULL, NULL, NO_SIGNATURE},
    {"unknown content type", "media-type", "h1", "receipt", "h1", NULL, "text/plain", AS_IS},
    {"identifier used again, other content", "duplicate-document", "h1", "receipt", "h1", NULL, NULL,
     OTHER_CONTENT},
};

static const struct sample_line fee[] = {{"consult", NULL, "診察費", "self", NULL, 650, 0}},
                                other_fee[] = {{"consult", NULL, "診察費", "self", NULL, 950, 0}};

static err
to_code_page_950(view text, arena *mem, view *ret)
{
    size_t room = text.n, left = text.n;
    char *out = arena_alloc(mem, room), *to = out, *from = (char *)(uintptr_t)text.p;
    iconv_t cd = iconv_open("CP950", "UTF-8");
    if (!out || cd == (iconv_t)-1)
        return E_INTERNAL;
    size_t done = iconv(cd, &from, &left, &to, &room);
    iconv_close(cd);
    *ret = view_make(out, (size_t)(to - out));
    return done == (size_t)-1 ? E_INTERNAL : E_OK;
}

/* Changes one byte where `mark` stands; the length stays. */
static err
change(view text, view mark, size_t at, char to, arena *mem, view *ret)
{
    size_t place = view_find(text, mark);
    char *copy = arena_cstr(mem, text);
    if (!copy || place == text.n)
        return E_INTERNAL;
    copy[place + at] = to;
    *ret = view_make(copy, text.n);
    return E_OK;
}

/* body: what is sent; returns what is signed in ret_signed. */
static err
tamper(const struct attack *a, arena *mem, view *body, view *ret_signed)
{
    *ret_signed = *body;
    switch (a->tamper) {
    case LETTER:
        return change(*body, V("\"MR9"), 1, 'N', mem, body);
    case DIGIT:
        return change(*body, V("\"value\":650"), 8, '9', mem, body);
    case CODE_PAGE:
        return to_code_page_950(*body, mem, ret_signed);
    default:
        return E_OK;
    }
}

static err
make_hostile(struct party *p, const struct attack *a, size_t number, struct sample_document *ret,
             view *ret_header, struct fault *f)
{
    struct sample_stay stay;
    char suffix[24];
    bool again = a->tamper == OTHER_CONTENT;
    snprintf(suffix, sizeof suffix, again ? "good" : "bad%zu", number);
    TRY(party_stay(PLAY_ATTACK, p->mem, &stay));
    *ret = (struct sample_document){.name = a->document, .signer = a->signer, .cms = a->digest != NULL};
    if (strcmp(a->document, "certificate") == 0)
        TRY(sample_certificate(&stay, suffix, p->mem, &ret->body));
    else
        TRY(sample_receipt(&stay, again ? other_fee : fee, 1, 0, suffix, NULL, p->mem, &ret->body));
    struct sample_document to_sign = *ret;
    TRY(tamper(a, p->mem, &ret->body, &to_sign.body));
    if (a->tamper == NO_SIGNATURE) {
        *ret_header = V("");
        return E_OK;
    }
    if (!a->digest || strcmp(a->digest, "sha256") == 0)
        return sample_sign(p->pki, &to_sign, p->mem, ret_header, f);
    const char *key, *certificate;
    view text;
    TRY(party_pem(p, a->signer, "key", &key));
    TRY(party_pem(p, a->signer, "crt", &certificate));
    TRY(sign_cms(key, certificate, to_sign.body, a->digest, p->mem, &text, f));
    *ret_header = arena_printf(p->mem, "AUTH: %.*s\n", VIEW_ARG(text));
    return E_OK;
}

/* The good receipt first, so that the identifier is known. */
static err
send_good(struct party *p)
{
    struct sample_stay stay;
    struct client_reply reply;
    struct sample_document d = {.name = "receipt", .signer = "h1", .cms = true};
    if (strcmp(p->name, "h1") != 0)
        return E_OK;
    TRY(party_stay(PLAY_ATTACK, p->mem, &stay));
    TRY(sample_receipt(&stay, fee, 1, 0, "good", NULL, p->mem, &d.body));
    return submit(p, &d, &reply) ? E_OK : E_INTERNAL;
}

static err
attack(struct party *p)
{
    TRY(send_good(p));
    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        struct sample_document d;
        struct client_reply reply;
        struct fault f;
        view header;
        fault_init(&f);
        if (strcmp(attacks[i].by, p->name) != 0)
            continue;
        err e = make_hostile(p, &attacks[i], i, &d, &header, &f);
        if (e == E_OK)
            e = send_document(p, &d, header, attacks[i].media, &reply, &f);
        if (e == E_OK)
            party_refused(p, attacks[i].what, attacks[i].expected, &reply);
        else
            party_fault(p, attacks[i].what, e, &f);
    }
    return E_OK;
}

static bool
job(struct party *p, view word, view rest)
{
    int64_t n = 0;
    err e = E_NOT_FOUND;
    struct fault f;
    fault_init(&f);
    if (view_eq(word, V("appendix")))
        e = play(p, PLAY_APPENDIX);
    else if (view_eq(word, V("minor")))
        e = play(p, PLAY_MINOR);
    else if (view_eq(word, V("attack")))
        e = attack(p);
    else if (view_eq(word, V("mixed")) && text_to_i64(rest, &n) == E_OK)
        e = mixed(p, n);
    if (e != E_OK && e != E_NOT_FOUND)
        party_fault(p, "job", e, &f);
    return e != E_NOT_FOUND;
}

int
run_party_hospital(struct args *a)
{
    return party_main(a, job);
}
