#include "cli/demo/party.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/sample/sign.h"
#include "flow/person/consent_text.h"

#include <stdio.h>

#define YEAR SPAN_DAYS(365)

enum { WANG, LEE, NGUYEN, BOY, GRANDMA };

/* What is applied for at one insurer. */
struct wish {
    const char *recipient, *line, *benefit;
    bool receipt; /* permit receipts too (and iClaim's form, which is both), not the certificate alone */
};

static const struct wish at_l1 = {"99000116", "health", "daily_hospital", false};
static const struct wish at_l2 = {"99000220", "health", "reimbursement_inpatient", true};
static const struct wish at_l3 = {"99000333", "health", "reimbursement_inpatient", true};
static const struct wish at_p1 = {"99000447", "health", "reimbursement_inpatient", true};
static const struct wish at_p2 = {"99000559", "health", "reimbursement_inpatient", true};
static const struct wish at_p3 = {"99000663", "health", "reimbursement_inpatient", true};

/* One application: who, about which stay, to whom, and what is wrong with it on purpose. */
struct filing_order {
    const struct sample_stay *stay;
    const struct sample_person *representative, *policyholder;
    const struct wish *wishes[4];
    size_t n_wishes;
    const char *signer, *co_signer;  /* file stems */
    const char *lang;                /* of the consent text */
    const char *purpose, *text_hash; /* NULL: claim, the right one */
    bool
        receipt_only; /* the person knows the receipt's number, not the visit's: certificate and receipt meet later */
};

/* -- the application's JSON -- */

static void
put_person(struct buf *out, const char *member, const struct sample_person *who)
{
    buf_printf(
        out,
        "%s{\"identifiers\":[{\"system\":\"%s\",\"value\":\"%s\"}],\"name\":\"%s\",\"birth_date\":\"%s\"}",
        member, who->id_system, who->id, who->name, who->birth);
}

static view
text_hash(const char *lang, arena *mem)
{
    for (size_t i = 0; i < consent_texts_count; i++) {
        const struct consent_text *t = &consent_texts[i];
        if (strcmp(t->id, "claim-consent") != 0 || strcmp(t->lang, lang) != 0)
            continue;
        digest d = sha256(t->text);
        return text_hex(mem, digest_view(&d));
    }
    return V("");
}

static void
put_wish(struct buf *out, const struct filing_order *o, const struct wish *w, arena *mem)
{
    char from[32], to[32];
    view hash = o->text_hash ? view_of(o->text_hash) : text_hash(o->lang, mem);
    instant now = clock_now();
    buf_printf(out,
               "{\"recipient\":\"%s\",\"line\":\"%s\",\"coverage\":{\"policy_no\":\"P-%s\"},\"benefits\":[{"
               "\"kind\":\"%s\"}],",
               w->recipient, w->line, w->recipient, w->benefit);
    buf_printf(out,
               "\"permission\":{\"purpose\":\"%s\",\"document_kinds\":[\"certificate\"%s],\"from\":\"%.*s\","
               "\"to\":\"%.*s\",",
               o->purpose ? o->purpose : "claim", w->receipt ? ",\"receipt\",\"claim-bundle\"" : "",
               VIEW_ARG(instant_print(instant_add(now, SPAN_SECONDS(-60)), from)),
               VIEW_ARG(instant_print(instant_add(now, YEAR), to)));
    buf_printf(out,
               "\"text\":{\"id\":\"claim-consent\",\"version\":\"1\",\"lang\":\"%s\",\"sha256\":\"%.*s\"}}}",
               o->lang, VIEW_ARG(hash));
}

static view
print_order(const struct filing_order *o, arena *mem)
{
    struct buf out;
    char day[16];
    const struct sample_stay *s = o->stay;
    buf_init(&out, 1u << 20);
    buf_printf(&out, "{\"id\":\"urn:claimgate:application:%.*s\",\"common\":{", VIEW_ARG(client_nonce(mem)));
    put_person(&out, "\"person\":", s->person);
    if (o->representative) {
        put_person(&out, ",\"representatives\":[", o->representative);
        BUF_LIT(&out, "]");
    }
    if (o->policyholder)
        put_person(&out, ",\"policyholder\":", o->policyholder);
    BUF_LIT(&out, ",\"references\":[");
    if (!o->receipt_only)
        buf_printf(&out, "{\"author\":\"%s\",\"kind\":\"visit_no\",\"value\":\"%s\"},", s->hospital->code,
                   s->visit_no);
    buf_printf(&out, "{\"author\":\"%s\",\"kind\":\"receipt_no\",\"value\":\"%s\"}],", s->hospital->code,
               s->receipt_no);
    buf_printf(&out, "\"event\":{\"kind\":\"%s\",\"occurred\":\"%.*s\"}},\"insurers\":[",
               s->kind == SAMPLE_TRAFFIC ? "injury" : "illness", VIEW_ARG(date_print(s->from, day)));
    for (size_t i = 0; i < o->n_wishes; i++) {
        if (i)
            BUF_LIT(&out, ",");
        put_wish(&out, o, o->wishes[i], mem);
    }
    BUF_LIT(&out, "]}");
    view text = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return text;
}

static err
file_order(struct party *p, const struct filing_order *o, struct client_reply *ret, struct fault *f)
{
    struct application_signers by = {.n_co = 0};
    view document, text = print_order(o, p->mem);
    if (!text.p)
        return E_TOO_LARGE;
    TRY(party_pem(p, o->signer, "key", &by.key));
    TRY(party_pem(p, o->signer, "crt", &by.certificate));
    if (o->co_signer) {
        TRY(party_pem(p, o->co_signer, "key", &by.co_keys[0]));
        TRY(party_pem(p, o->co_signer, "crt", &by.co_certificates[0]));
        by.n_co = 1;
    }
    TRY(application_sign(&by, text, p->mem, &document, f));
    return client_post(p->client, "/v1/applications", document, p->mem, ret, f);
}

static bool
file(struct party *p, const char *what, const struct filing_order *o, struct client_reply *ret)
{
    struct fault f;
    fault_init(&f);
    err e = file_order(p, o, ret, &f);
    if (e != E_OK) {
        party_fault(p, what, e, &f);
        return false;
    }
    bool ok = ret->status == 201;
    size_t claims = json_array_size(json_member(ret->json, "claims"));
    party_say("{\"application\":\"%s\",\"ok\":%s,\"claims\":%zu,\"signatures\":%d,\"us\":%lld}", what,
              ok ? "true" : "false", claims, o->co_signer ? 2 : 1, (long long)ret->took.us);
    if (!ok)
        party_step(p, false, "%s: %d %.*s at %.*s", what, ret->status, VIEW_ARG(client_code(ret)),
                   VIEW_ARG(client_place(ret)));
    return ok;
}

static void
refuse(struct party *p, const char *what, const char *expected, const struct filing_order *o)
{
    struct fault f;
    struct client_reply reply;
    fault_init(&f);
    err e = file_order(p, o, &reply, &f);
    if (e == E_OK)
        party_refused(p, what, expected, &reply);
    else
        party_fault(p, what, e, &f);
}

/* -- with a code from the application -- */

static view
code_for(const struct client_reply *filed, const char *role)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_member(filed->json, "track_codes"), i,
                       one) if (view_eq(json_text(one, "role"), view_of(role))) return json_text(one, "code");
    return VIEW_NONE;
}

static bool
track(struct party *p, const char *path, view code, struct client_reply *ret)
{
    struct fault f;
    const struct net_header header = {"X-Track-Token", code};
    const struct client_request rq = {.method = "GET", .path = path, .headers = &header, .n_headers = 1};
    fault_init(&f);
    err e = client_call(p->client, &rq, p->mem, ret, &f);
    if (e != E_OK)
        party_fault(p, path, e, &f);
    return e == E_OK;
}

/* -- plays -- */

static err
appendix(struct party *p)
{
    struct sample_stay stay;
    struct client_reply reply, view_reply;
    TRY(party_stay(PLAY_APPENDIX, p->mem, &stay));
    const struct filing_order o = {.stay = &stay,
                                   .wishes = {&at_l1, &at_l2, &at_l3, &at_p1},
                                   .n_wishes = 4,
                                   .signer = "person-wang",
                                   .lang = "zh-TW"};
    if (!file(p, "appendix", &o, &reply))
        return E_OK;
    party_step(p, true, "%s applies to L1, L2, L3 and P1 with four consents: %zu claims, %.1f ms",
               stay.person->name, json_array_size(json_member(reply.json, "claims")),
               (double)reply.took.us / 1000);
    if (!track(p, "/v1/track", code_for(&reply, "subject"), &view_reply))
        return E_OK;
    size_t documents = json_array_size(json_member(view_reply.json, "documents")),
           got = json_array_size(json_member(view_reply.json, "received_by"));
    party_step(p, view_reply.status == 200 && documents >= 3 && got >= 7,
               "the person's code shows %zu documents and %zu deliveries with their reason", documents, got);
    return E_OK;
}

/* The household office's extract says who the boy's mother is; without it his claims would wait. */
static err
prove_mother(struct party *p)
{
    struct buf paper AUTO_DONE(buf_done);
    struct client_reply reply;
    struct fault f;
    const char *key, *certificate;
    view jws;
    fault_init(&f);
    buf_init(&paper, 65536);
    TRY(party_pem(p, "o1", "key", &key));
    TRY(party_pem(p, "o1", "crt", &certificate));
    buf_printf(&paper,
               "{\"v\":1,\"id\":\"urn:claimgate:extract:%.*s\",\"kind\":\"parent\",\"no\":\"115-1\","
               "\"issued\":\"2026-01-05\",\"issuer\":{\"code\":\"A99510001H\"},",
               VIEW_ARG(client_nonce(p->mem)));
    put_person(&paper, "\"person\":", &sample_people[BOY]);
    put_person(&paper, ",\"holders\":[", &sample_people[NGUYEN]);
    BUF_LIT(&paper, "]}");
    TRY(sign_jws(key, certificate, NULL, "claimgate-representation+jwt", buf_view(&paper), false,
                 INSTANT_NONE, p->mem, &jws, &f));
    view body = arena_printf(p->mem, "{\"signature\":\"%.*s\"}", VIEW_ARG(jws));
    TRY(client_post(p->client, "/v1/representations", body, p->mem, &reply, &f));
    party_step(p, reply.status == 201, "the household office's extract: %s is the mother of %s",
               sample_people[NGUYEN].name, sample_people[BOY].name);
    return E_OK;
}

static err
minor(struct party *p)
{
    struct sample_stay stay;
    struct client_reply reply, grandma;
    TRY(party_stay(PLAY_MINOR, p->mem, &stay));
    TRY(prove_mother(p));
    struct filing_order o = {.stay = &stay,
                             .representative = &sample_people[NGUYEN],
                             .policyholder = &sample_people[GRANDMA],
                             .wishes = {&at_l1},
                             .n_wishes = 1,
                             .signer = "person-nguyen",
                             .lang = "vi"};
    refuse(p, "representative alone consents for a boy of 16", "permission-joint-needed", &o);
    o.signer = "person-boy";
    refuse(p, "boy of 16 consents alone", "permission-joint-needed", &o);
    o.co_signer = "person-nguyen";
    if (!file(p, "minor", &o, &reply))
        return E_OK;
    party_step(p, true, "%s (16) and his mother %s sign together, text in Vietnamese: accepted",
               stay.person->name, sample_people[NGUYEN].name);
    if (!track(p, "/v1/track", code_for(&reply, "policyholder"), &grandma))
        return E_OK;
    size_t claims = json_array_size(json_member(grandma.json, "claims"));
    bool shut = !json_member(grandma.json, "documents") && !json_member(grandma.json, "received_by");
    party_step(p, grandma.status == 200 && claims == 1 && shut,
               "%s (policyholder) sees %zu claim with its steps and %s", sample_people[GRANDMA].name, claims,
               shut ? "no document" : "documents");
    if (track(p, "/v1/permissions", code_for(&reply, "policyholder"), &grandma))
        party_refused(p, "policyholder asks for the boy's permissions", "login-required", &grandma);
    return E_OK;
}

static err
attack(struct party *p)
{
    static const char other_hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const struct wish nobody = {"12345675", "health", "daily_hospital", false};
    struct sample_stay stay;
    TRY(party_stay(PLAY_ATTACK, p->mem, &stay));
    const struct filing_order good = {
        .stay = &stay, .wishes = {&at_l1}, .n_wishes = 1, .signer = "person-wang", .lang = "zh-TW"};
    struct filing_order o = good;
    o.signer = "h1";
    refuse(p, "consent made by the hospital", "permission-evidence", &o);
    o.signer = "person-lee";
    refuse(p, "consent signed by another person", "permission-evidence", &o);
    o = good;
    o.text_hash = other_hash;
    refuse(p, "consent to a text that is not in force", "permission-text-unknown", &o);
    o = good;
    o.purpose = "underwriting";
    refuse(p, "consent for underwriting", "purpose-not-allowed", &o);
    o = good;
    o.wishes[0] = &nobody;
    refuse(p, "consent to an unregistered insurer", "recipient-unknown", &o);
    return E_OK;
}

/* Every other stay is applied for: at two insurers each; a few at P3, whose endpoint is slow. */
static void
choose(int64_t k, struct filing_order *o)
{
    static const struct wish *const all[] = {&at_l1, &at_l2, &at_l3, &at_p1, &at_p2};
    size_t first = (size_t)k % COUNT_OF(all);
    o->wishes[0] = all[first];
    o->wishes[1] = k % 12 == 0 && k < 48 ? &at_p3 : all[(first + 1 + (size_t)(k / 5) % 3) % COUNT_OF(all)];
    o->wishes[0] = k == 0 ? &at_p2 : o->wishes[0];
    o->n_wishes = 2;
}

static err
mixed(struct party *p, int64_t wanted)
{
    struct mixed m = {.wanted = wanted};
    struct mixed_stay s;
    int64_t k = 0;
    err e = E_OK;
    while (mixed_next(&m, p->mem, &s, &e)) {
        struct client_reply reply;
        struct filing_order o = {.stay = &s.stay, .signer = s.stay.person->key, .lang = "zh-TW"};
        bool is_minor = s.stay.person == &sample_people[BOY];
        if (is_minor) {
            o.representative = &sample_people[NGUYEN];
            o.co_signer = sample_people[NGUYEN].key;
        }
        /* half of them, and of each kind of stay (kinds follow the seed in turns of eight) */
        if ((s.number + s.number / 8) % 2 == 0) {
            o.receipt_only = k % 3 == 1;
            choose(k++, &o);
            file(p, "mixed", &o, &reply);
        }
        arena_reset(p->mem);
    }
    return e;
}

static bool
job(struct party *p, view word, view rest)
{
    int64_t n = 0;
    err e = E_NOT_FOUND;
    struct fault f;
    fault_init(&f);
    if (view_eq(word, V("appendix")))
        e = appendix(p);
    else if (view_eq(word, V("minor")))
        e = minor(p);
    else if (view_eq(word, V("attack")))
        e = attack(p);
    else if (view_eq(word, V("mixed")) && text_to_i64(rest, &n) == E_OK)
        e = mixed(p, n);
    if (e != E_OK && e != E_NOT_FOUND)
        party_fault(p, "job", e, &f);
    return e != E_NOT_FOUND;
}

int
run_party_person(struct args *a)
{
    return party_main(a, job);
}
