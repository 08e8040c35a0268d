#include "api/api.h"

#include "base/text.h"
#include "flow/intake/accept.h"
#include "flow/view/feed.h"

struct submission
api_submission(struct request *rq, enum intake intake)
{
    return (struct submission){
        .intake = intake,
        .body = rq->body,
        .media = view_find(rq->media_type, V("xml")) < rq->media_type.n ? FHIR_XML : FHIR_JSON,
        .body_digest = rq->body_digest,
        .cms_header = request_header(rq, "AUTH"),
        .key_id_header = request_header(rq, "KeyId"),
        .jws_header = request_header(rq, "X-JWS-Signature"),
        .sender = rq->caller.partner,
        .client = rq->caller.client,
        .reference = request_header(rq, "X-Sender-Reference"),
        .dry_run = view_eq(request_query(rq, "dry-run"), V("true")),
        .received = rq->received,
    };
}

static void
print_issue_texts(const struct issues *list, enum lang lang, struct buf *out)
{
    for (const struct issue *i = list->first; i; i = i->next) {
        const struct err_row *row = err_info(i->code);
        buf_printf(out, "%s{\"severity\":\"%s\",\"code\":\"%s\",\"path\":", i == list->first ? "" : ",",
                   i->severity == ISSUE_ERROR     ? "error"
                   : i->severity == ISSUE_WARNING ? "warning"
                                                  : "information",
                   row->code);
        buf_add_json(out, i->path.p ? i->path : V(""));
        BUF_LIT(out, ",\"text\":");
        buf_add_json(out, view_of(row->text[lang]));
        BUF_LIT(out, ",\"expected\":");
        buf_add_json(out, i->expected.p ? i->expected : V(""));
        BUF_LIT(out, ",\"found\":");
        buf_add_json(out, i->found.p ? i->found : V(""));
        if (i->from != FAULT_NOWHERE)
            buf_printf(out, ",\"from\":%ld,\"length\":%ld", i->from, i->length);
        BUF_LIT(out, "}");
    }
}

view
api_acceptance(struct request *rq, const struct acceptance *a)
{
    struct buf out;
    char id[ID_TEXT_SIZE], document[ID_TEXT_SIZE], in_case[ID_TEXT_SIZE];
    buf_init(&out, 4u << 20);
    buf_printf(&out, "{\"outcome\":\"%s\"", a->outcome);
    if (!uid_is_none(a->document.u))
        buf_printf(&out,
                   ",\"submission\":\"%.*s\",\"document\":\"%.*s\",\"case\":\"%.*s\",\"receipt\":\"%.*s\"",
                   VIEW_ARG(submission_id_print(a->id, id)), VIEW_ARG(doc_id_print(a->document, document)),
                   VIEW_ARG(case_id_print(a->in_case, in_case)), VIEW_ARG(a->receipt));
    BUF_LIT(&out, ",\"signed\":{\"bytes\":");
    buf_printf(&out, "%zu,\"sha256\":\"", rq->body.n);
    buf_add_hex(&out, digest_view(&rq->body_digest));
    BUF_LIT(&out, "\"},\"verdict\":");
    buf_add_view(&out, a->verdict.p ? a->verdict : V("null"));
    BUF_LIT(&out, ",\"findings\":[");
    print_issue_texts(&rq->issues, rq->lang, &out);
    BUF_LIT(&out, "]");
    buf_add_view(&out, a->extra);
    BUF_LIT(&out, "}");
    view text = out.failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(&out));
    buf_done(&out);
    return text;
}

static void
add_parameter(struct buf *out, const char *name, const char *type, view value)
{
    buf_printf(out, "%s{\"name\":\"%s\",\"%s\":", out->p[out->n - 1] == '[' ? "" : ",", name, type);
    buf_add_json(out, value);
    BUF_LIT(out, "}");
}

/* A FHIR Parameters resource with an OperationOutcome of findings. */
static view
acceptance_parameters(struct request *rq, const struct acceptance *a)
{
    struct buf out;
    char id[ID_TEXT_SIZE];
    buf_init(&out, 4u << 20);
    (void)buf_reserve(&out, 4096);
    BUF_LIT(&out, "{\"resourceType\":\"Parameters\",\"parameter\":[");
    add_parameter(&out, "outcome", "valueCode", view_of(a->outcome));
    if (!uid_is_none(a->document.u)) {
        add_parameter(&out, "submission", "valueId", submission_id_print(a->id, id));
        add_parameter(&out, "document", "valueId", doc_id_print(a->document, id));
        add_parameter(&out, "case", "valueId", case_id_print(a->in_case, id));
        add_parameter(&out, "receipt", "valueString", a->receipt);
    }
    add_parameter(&out, "signed-sha256", "valueString", text_hex(rq->mem, digest_view(&rq->body_digest)));
    buf_printf(&out, ",{\"name\":\"signed-bytes\",\"valueInteger\":%zu}", rq->body.n);
    if (a->verdict.p)
        add_parameter(&out, "verdict", "valueString", a->verdict);
    BUF_LIT(&out, ",{\"name\":\"findings\",\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[");
    reply_findings(rq, &out);
    if (!rq->issues.first)
        BUF_LIT(&out,
                "{\"severity\":\"information\",\"code\":\"informational\",\"details\":{\"text\":\"ok\"}}");
    BUF_LIT(&out, "]}}]}");
    view text = out.failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(&out));
    buf_done(&out);
    return text;
}

err
api_BUNDLE_CREATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"dry-run", NULL};
    struct gateway *g = app;
    struct acceptance a = {0};
    TRY(request_query_only(rq, names));
    struct submission s = api_submission(rq, INTAKE_BUNDLE);
    err e = accept_document(g, &s, rq->mem, &rq->issues, &a, &rq->fault);
    if (e != E_OK) {
        fault_locate(&rq->fault, rq->body);
        if (!s.dry_run && err_info(e)->status < 500)
            accept_refused(g, &s, rq->route->name, &rq->fault);
        return e;
    }
    if (a.receipt.n)
        api_acknowledged(rq);
    rp->status = a.created ? 201 : 200;
    rp->media = "application/fhir+json; charset=utf-8";
    rp->body = acceptance_parameters(rq, &a);
    if (!rp->body.p)
        return E_TOO_LARGE;
    if (!uid_is_none(a.document.u)) {
        char id[ID_TEXT_SIZE];
        reply_header(rq, rp, "Location",
                     arena_printf(rq->mem, "%.*s/fhir/r4/Bundle/%.*s", VIEW_ARG(g->base_url),
                                  VIEW_ARG(doc_id_print(a.document, id))));
        reply_header(rq, rp, "ETag", V("W/\"1\""));
    }
    return E_OK;
}

/* The stored bytes as they were signed; another representation than the stored one is 406. */
static err
reply_original(struct request *rq, struct reply *rp, const struct original *o)
{
    view accept = request_header(rq, "Accept");
    bool wants_xml = view_find(accept, V("xml")) < accept.n,
         wants_json = view_find(accept, V("json")) < accept.n;
    bool is_xml = view_find(o->media, V("xml")) < o->media.n;
    if ((wants_xml && !wants_json && !is_xml) || (wants_json && !wants_xml && is_xml))
        return fault_set(&rq->fault, E_NOT_ACCEPTABLE, "Accept", is_xml ? "XML" : "JSON", "another form");
    rp->status = 200;
    rp->media = is_xml ? "application/fhir+xml; charset=utf-8" : "application/fhir+json; charset=utf-8";
    rp->body = o->bytes;
    if (o->cms_header.n)
        reply_header(rq, rp, "AUTH", o->cms_header);
    if (o->key_id_header.n)
        reply_header(rq, rp, "KeyId", o->key_id_header);
    if (o->jws_header.n)
        reply_header(rq, rp, "X-JWS-Signature", o->jws_header);
    reply_header(rq, rp, "ETag", V("W/\"1\""));
    return E_OK;
}

err
api_BUNDLE_READ(void *app, struct request *rq, struct reply *rp)
{
    doc_id id;
    struct original o = {0};
    TRY(API_ID(doc_id, rq, 0, &id));
    TRY(document_fetch_own(app, rq->caller.partner, id, rq->mem, &o, &rq->fault));
    return reply_original(rq, rp, &o);
}

err
api_CLAIM_DOCUMENT(void *app, struct request *rq, struct reply *rp)
{
    claim_id claim;
    doc_id document;
    struct original o = {0};
    TRY(API_ID(claim_id, rq, 0, &claim));
    TRY(API_ID(doc_id, rq, 1, &document));
    TRY(document_fetch(app, rq->caller.partner, claim, document, rq->received, rq->mem, &o, &rq->fault));
    return reply_original(rq, rp, &o);
}

err
api_BUNDLE_SEARCH(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"identifier", NULL};
    TRY(request_query_only(rq, names));
    view identifier = request_query(rq, "identifier");
    view system = view_cut(&identifier, '|', NULL);
    if (!system.n || !identifier.n)
        return fault_set(&rq->fault, E_PARAMETER, "identifier", "system|value", "another form");
    view json;
    TRY(accept_find(app, rq->caller.partner, system, identifier, rq->mem, &json, &rq->fault));
    rp->status = 200;
    rp->media = "application/fhir+json; charset=utf-8";
    rp->body = json;
    return E_OK;
}

err
api_ACCIDENT_RECORD_CREATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"dry-run", NULL};
    struct acceptance a = {0};
    TRY(request_query_only(rq, names));
    struct submission s = api_submission(rq, INTAKE_ACCIDENT);
    err e = accept_document(app, &s, rq->mem, &rq->issues, &a, &rq->fault);
    if (e != E_OK) {
        fault_locate(&rq->fault, rq->body);
        if (!s.dry_run && err_info(e)->status < 500)
            accept_refused(app, &s, rq->route->name, &rq->fault);
        return e;
    }
    if (a.receipt.n)
        api_acknowledged(rq);
    reply_json(rp, a.created ? 201 : 200, api_acceptance(rq, &a));
    return rp->body.p ? E_OK : E_TOO_LARGE;
}
