#include "api/api.h"

#include "base/embed.h"
#include "base/json.h"
#include "base/page.h"
#include "base/text.h"
#include "fhir/fhir.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/receipt.h"
#include "flow/intake/accept.h"
#include "flow/intake/attachment.h"
#include "flow/members.h"

extern const struct embedded openapi_files[];

err
api_OPENAPI(void *app, struct request *rq, struct reply *rp)
{
    (void)app;
    for (const struct embedded *file = openapi_files; file->path; file++) {
        if (strcmp(file->path, "gateway.yaml") != 0)
            continue;
        rp->status = 200;
        rp->media = "application/yaml; charset=utf-8";
        rp->body = view_make(file->bytes, file->length);
        return E_OK;
    }
    return fault_set(&rq->fault, E_NOT_FOUND, "", "", "");
}

#define PROBLEM_PAGE_MAX 65536

/* What a code means and what to do, in both languages: the page behind a problem's type. */
err
api_PROBLEM_PAGE(void *app, struct request *rq, struct reply *rp)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, PROBLEM_PAGE_MAX);
    (void)app;
    err e = err_by_code(rq->params[0]);
    if (e == E_OK)
        return fault_set(&rq->fault, E_NOT_FOUND, "", "a code of the list", "another");
    const struct err_row *row = err_info(e);
    rp->status = 200;
    rp->media = "text/html; charset=utf-8";
    page_begin(&out, row->text[LANG_ZH], row->text[LANG_EN], VIEW_NONE);
    buf_printf(&out, "<p>%s</p><p lang=\"en\">%s</p><p><code>%s</code> · HTTP %d</p>", row->remedy[LANG_ZH],
               row->remedy[LANG_EN], row->code, row->status);
    page_end(&out);
    reply_header(rq, rp, "Content-Security-Policy", page_policy(V(""), rq->mem));
    rp->body = out.failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(&out));
    return rp->body.p ? E_OK : E_TOO_LARGE;
}

static const char *
media_words(unsigned media)
{
    return (media & MEDIA_XML) ? "application/fhir+json, application/fhir+xml" : "application/fhir+json";
}

/* The CapabilityStatement is made from the route table and the profiles that are loaded, so it cannot drift. */
err
api_METADATA(void *app, struct request *rq, struct reply *rp)
{
    struct gateway *g = app;
    view urls[64];
    size_t n = profiles_list(g->profiles, urls, COUNT_OF(urls));
    struct buf out;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out,
            "{\"resourceType\":\"CapabilityStatement\",\"status\":\"active\",\"date\":\"2026-11-21\","
            "\"kind\":\"instance\",\"fhirVersion\":\"4.0.1\","
            "\"software\":{\"name\":\"claimgate\",\"version\":\"" CLAIMGATE_VERSION
            "\"},\"format\":[\"json\",\"xml\"],"
            "\"rest\":[{\"mode\":\"server\",\"documentation\":\"A verifying gateway: documents are kept as "
            "the bytes that were signed. The same document again is "
            "answered with the original "
            "receipt.\",\"security\":{\"service\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
            "CodeSystem/restful-security-service\","
            "\"code\":\"SMART-on-FHIR\"}]}]},\"resource\":[{\"type\":\"Bundle\",\"supportedProfile\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            BUF_LIT(&out, ",");
        buf_add_json(&out, urls[i]);
    }
    buf_printf(&out,
               "],\"documentation\":\"POST accepts "
               "%s\",\"interaction\":[{\"code\":\"create\"},{\"code\":\"read\"},{\"code\":\"search-type\"}],"
               "\"searchParam\":"
               "[{\"name\":\"identifier\",\"type\":\"token\"}]},{\"type\":\"Claim\",\"interaction\":[{"
               "\"code\":\"read\"}]}]}]}",
               media_words(route_info(ROUTE_BUNDLE_CREATE)->media));
    rp->status = 200;
    rp->media = "application/fhir+json; charset=utf-8";
    rp->body = out.failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(&out));
    buf_done(&out);
    return rp->body.p ? E_OK : E_TOO_LARGE;
}

err
api_SUBMISSION_LOOKUP(void *app, struct request *rq, struct reply *rp)
{
    json_t *body = NULL;
    view bytes, json;
    digest d = {{0}};
    static const char *const known[] = {"s:reference", "s:sha256", NULL};
    TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
    TRY(members_only(body, known, &rq->fault));
    view reference = json_text(body, "reference"), hex = json_text(body, "sha256");
    if (!reference.n && (text_hex_decode(hex, rq->mem, &bytes) != E_OK || bytes.n != sizeof d.b))
        return fault_set(&rq->fault, E_PARAMETER, "/reference", "reference, or sha256 as 64 hex digits",
                         "neither");
    if (!reference.n)
        memcpy(d.b, bytes.p, sizeof d.b);
    TRY(accept_lookup(app, rq->caller.partner, reference, &d, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_RECEIPT_GET(void *app, struct request *rq, struct reply *rp)
{
    submission_id id;
    view json;
    TRY(API_ID(submission_id, rq, 0, &id));
    TRY(receipt_fetch(app, rq->caller.partner, id, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

static err
read_size(struct request *rq, const char *name, uint64_t *ret)
{
    view text = request_query(rq, name);
    if (text.n && (text_to_u64(text, ret) != E_OK || *ret > INT64_MAX))
        return fault_set(&rq->fault, E_PARAMETER, name, "a number of entries", "another form");
    return E_OK;
}

err
api_RECEIPT_PROOF(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"leaf", "tree_size", NULL};
    submission_id id;
    uint64_t size = 0;
    digest leaf;
    view json, bytes = VIEW_NONE;
    TRY(request_query_only(rq, names));
    TRY(API_ID(submission_id, rq, 0, &id));
    TRY(read_size(rq, "tree_size", &size));
    view hex = request_query(rq, "leaf");
    if (hex.n && (text_hex_decode(hex, rq->mem, &bytes) != E_OK || bytes.n != sizeof leaf.b))
        return fault_set(&rq->fault, E_PARAMETER, "leaf", "64 hex digits", "another form");
    if (hex.n)
        memcpy(leaf.b, bytes.p, sizeof leaf.b);
    TRY(receipt_proof(app, rq->caller.partner, id, hex.n ? &leaf : NULL, size, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_LOG_CONSISTENCY(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"first_size", "tree_size", NULL};
    struct log_proof p;
    uint64_t first = 0, size = 0;
    view json;
    TRY(request_query_only(rq, names));
    if (!request_query(rq, "first_size").n)
        return fault_set(&rq->fault, E_PARAMETER, "first_size", "the size of the older head", "none");
    TRY(read_size(rq, "first_size", &first));
    TRY(read_size(rq, "tree_size", &size));
    TRY(evidence_consistency(app, first, size, rq->mem, &p, &rq->fault));
    TRY(proof_print(&p, rq->mem, &json));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_LOG_HEAD(void *app, struct request *rq, struct reply *rp)
{
    view text = gateway_head(app, rq->mem);
    if (!text.n)
        TRY(evidence_checkpoint(app, rq->mem, &text));
    rp->status = 200;
    rp->media = "text/plain; charset=utf-8";
    rp->body = text;
    return E_OK;
}

err
api_ATTACHMENT_PUT(void *app, struct request *rq, struct reply *rp)
{
    bool created;
    TRY(attachment_put(app, rq->caller.partner, rq->params[0], rq->body, &rq->body_digest, rq->media_type,
                       rq->received, rq->mem, &created, &rq->fault));
    rp->status = created ? 201 : 200;
    reply_json(
        rp, rp->status,
        arena_printf(rq->mem, "{\"sha256\":\"%.*s\",\"bytes\":%zu}", VIEW_ARG(rq->params[0]), rq->body.n));
    return E_OK;
}

/* What `claimgate validate` says: nothing is stored, no signature is asked for. */
err
api_VALIDATE(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"profile", NULL};
    const struct gateway *g = app;
    struct tree t;
    struct buf out;
    TRY(request_query_only(rq, names));
    date today = date_of_instant(rq->received, 480);
    const struct validate_options options = {.demand = request_query(rq, "profile"),
                                             .check = true,
                                             .today = (uint32_t)today.year * 10000 + today.month * 100u +
                                                      today.day};
    bool xml = view_find(rq->media_type, V("xml")) < rq->media_type.n;
    TRY(fhir_read(xml ? FHIR_XML : FHIR_JSON, rq->body, rq->mem, &t, &rq->fault));
    view type = node_text_at(&t, tree_root(&t), "resourceType");
    if (!view_eq(type, rq->params[0]))
        return fault_set(&rq->fault, E_RESOURCE_TYPE, "", "the resource type of the path", "another");
    TRY(fhir_validate_resource(g->profiles, &t, tree_root(&t), &options, rq->mem, &rq->issues));
    buf_init(&out, 4u << 20);
    reply_outcome(rq, &out);
    rp->status = 200;
    rp->media = "application/fhir+json; charset=utf-8";
    rp->body = out.failed ? VIEW_NONE : arena_dup(rq->mem, buf_view(&out));
    buf_done(&out);
    return rp->body.p ? E_OK : E_TOO_LARGE;
}
