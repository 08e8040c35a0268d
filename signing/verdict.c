#include "signing/verdict.h"

#include "base/buf.h"

/* Eight signatures of some 900 bytes. */
#define VERDICT_JSON_MAX (16 * 1024)

err
verdict_code(const struct verdict *v)
{
    return v->code;
}

enum evidence_level
verdict_level(const struct verdict *v)
{
    return v->level;
}

size_t
verdict_signatures(const struct verdict *v)
{
    return v->n;
}

const struct signature_out *
verdict_signature(const struct verdict *v, size_t i)
{
    return i < v->n ? &v->out[i] : NULL;
}

const struct tree *
verdict_tree(const struct verdict *v)
{
    return v->code == E_OK ? v->tree : NULL;
}

view
verdict_body(const struct verdict *v)
{
    return v->body;
}

const digest *
verdict_body_digest(const struct verdict *v)
{
    return &v->body_digest;
}

void
verdict_note_authority(struct verdict *v, size_t i, err code)
{
    if (i < v->n)
        v->out[i].check[CHECK_AUTHORITY] = (struct check_out){true, code};
}

/* One member; comma says whether another stands before it. */
static void
add_text(struct buf *b, bool comma, const char *name, view text)
{
    if (comma)
        BUF_LIT(b, ",");
    buf_add_json(b, view_of(name));
    BUF_LIT(b, ":");
    buf_add_json(b, text);
}

static void
add_digest(struct buf *b, const char *name, const digest *d)
{
    BUF_LIT(b, ",");
    buf_add_json(b, view_of(name));
    BUF_LIT(b, ":\"");
    buf_add_hex(b, digest_view(d));
    BUF_LIT(b, "\"");
}

static void
add_instant(struct buf *b, const char *name, instant t)
{
    char text[32];
    add_text(b, true, name, instant_print(t, text));
}

static view
code_text(err e)
{
    return e == E_OK ? V("ok") : view_of(err_info(e)->code);
}

static bool
is_zero(const digest *d)
{
    static const digest zero;
    return memcmp(d, &zero, sizeof zero) == 0;
}

/* Each check by its own word, in the order of RFC 8785; one that was not asked says so. */
static void
add_checks(struct buf *b, const struct signature_out *s)
{
    static const enum check_kind sorted[CHECK_COUNT] = {CHECK_AUTHORITY, CHECK_CHAIN, CHECK_SIGNATURE,
                                                        CHECK_TIME};
    BUF_LIT(b, ",\"checks\":{");
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct check_out *c = &s->check[sorted[i]];
        add_text(b, i > 0, check_word(sorted[i]), c->asked ? code_text(c->code) : V("not-asked"));
    }
    BUF_LIT(b, "}");
}

/* The list or response that the level rests on, and its time. */
static void
add_revocation(struct buf *b, const struct revocation_used *used)
{
    if (used->source == REVOCATION_NONE)
        return;
    BUF_LIT(b, ",\"revocation\":{");
    char text[32];
    add_text(b, false, "at", instant_print(used->this_update, text));
    add_digest(b, "id", &used->id);
    add_text(b, true, "source", view_of(revocation_source_word(used->source)));
    BUF_LIT(b, "}");
}

/* Members stand in the order of RFC 8785.  No name, no licence, no part of a person's number: who a
 * professional or person is, the certificate tells to those who may hold it. */
static void
add_signature(struct buf *b, const struct signature_out *s)
{
    const struct signer *signer = &s->signer;
    BUF_LIT(b, "{");
    add_text(b, false, "alg", view_of(jose_alg_word(s->alg)));
    add_checks(b, s);
    if (s->claimed_at.us != 0)
        add_instant(b, "claimed_at", s->claimed_at);
    add_text(b, true, "code", code_text(s->code));
    if (!is_zero(&signer->fingerprint))
        add_digest(b, "fingerprint", &signer->fingerprint);
    add_text(b, true, "format", view_of(sig_format_word(s->format)));
    add_text(b, true, "level", view_of(evidence_level_word(s->level)));
    if (s->code == E_OK) {
        if (signer->not_after.us != 0)
            add_instant(b, "not_after", signer->not_after);
        if (signer->not_before.us != 0)
            add_instant(b, "not_before", signer->not_before);
        if (signer->organisation.n > 0 && signer->subject != SUBJECT_PERSON)
            add_text(b, true, "organisation", signer->organisation);
        if (signer->registered_partner.n > 0)
            add_text(b, true, "partner", signer->registered_partner);
        add_revocation(b, &s->revocation);
        add_digest(b, "spki", &signer->spki);
        add_text(b, true, "subject", view_of(subject_word(signer->subject)));
        add_text(b, true, "use", view_of(trust_use_word(signer->use)));
    }
    if (s->value_der.n > 0) {
        digest value = sha256(s->value_der);
        add_digest(b, "value", &value);
    }
    BUF_LIT(b, "}");
}

err
verdict_print(const struct verdict *v, arena *mem, view *ret_json)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, VERDICT_JSON_MAX);
    BUF_LIT(&b, "{\"body\":\"");
    buf_add_hex(&b, digest_view(&v->body_digest));
    BUF_LIT(&b, "\"");
    add_text(&b, true, "code", code_text(v->code));
    add_instant(&b, "judged_at", v->judged_at);
    add_text(&b, true, "level", view_of(evidence_level_word(v->level)));
    BUF_LIT(&b, ",\"signatures\":[");
    for (size_t i = 0; i < v->n; i++) {
        if (i > 0)
            BUF_LIT(&b, ",");
        add_signature(&b, &v->out[i]);
    }
    BUF_LIT(&b, "],\"version\":1}");
    if (b.failed)
        return E_TOO_LARGE;
    view json = arena_dup(mem, buf_view(&b));
    if (!json.p)
        return E_TOO_LARGE;
    *ret_json = json;
    return E_OK;
}
