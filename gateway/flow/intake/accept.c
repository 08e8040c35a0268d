#include "flow/intake/accept.h"
#include "flow/evidence/stamps.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/intake/intake.h"

#define REBUILDS 8

static void
passage_done(struct passage *p)
{
    reader_done(p->reader);
    registry_unref(p->registry);
    trust_unref(p->trust);
}

static err
dry_answer(struct passage *p, struct acceptance *ret)
{
    *ret = (struct acceptance){.outcome = "dry-run", .verdict = p->verdict_text};
    return E_OK;
}

err
accept_document(struct gateway *g, const struct submission *s, arena *mem, struct issues *issues,
                struct acceptance *ret, struct fault *f)
{
    AUTO_DONE(passage_done)
    struct passage p = {.g = g,
                        .s = s,
                        .mem = mem,
                        .issues = issues,
                        .f = f,
                        .registry = gateway_registry(g),
                        .trust = gateway_trust(g)};
    TRY(passage_judge(&p));
    if (s->dry_run)
        return dry_answer(&p, ret);
    TRY(stamps_in_time(g, s->received, f));
    err e = E_STALE;
    for (int i = 0; i < REBUILDS && e == E_STALE; i++)
        e = passage_store(&p, ret);
    /* A permission that was withdrawn between reading and commit: the next reading no longer sees it as covering. */
    if (e == E_PERMISSION_NEEDED)
        e = passage_store(&p, ret);
    if (e != E_OK)
        return fault_set(f, e, "", "", "");
    metric_add(ret->created ? METRIC_SUBMISSIONS : METRIC_DUPLICATES,
               ret->created ? "document,accepted" : "document", 1);
    log_event(LOG_ACCEPT, F_UID("document", "doc", &ret->document.u), F_UID("case", "case", &ret->in_case.u),
              F_NAME("outcome", ret->outcome), F_N("deliveries", (int64_t)ret->deliveries));
    sureness_tell(g, p.trust, p.verdict, ret->document.u);
    if (ret->due && g->wake_relay)
        g->wake_relay(g->relay);
    return E_OK;
}

void
refusal_note(struct gateway *g, const struct refused_request *r)
{
    log_event(LOG_REFUSE, F_CODE("code", r->code), F_NAME("route", r->route), F_N("bytes", r->bytes));
    arena *mem = arena_new(65536);
    struct unit u;
    unit_init(&u, mem);
    struct row_refusal *row = unit_add_refusal(&u);
    if (row) {
        row->id = uid_new();
        row->at = r->at;
        row->partner = r->sender.u;
        row->client = r->client;
        row->route = view_of(r->route);
        row->code = view_of(err_info(r->code)->code);
        row->place = r->place;
        row->bytes = r->bytes;
        err e = store_commit(g->store, &u);
        if (e != E_OK)
            log_event(LOG_INTERNAL, F_CODE("code", e));
    }
    arena_free(mem);
}

void
accept_refused(struct gateway *g, const struct submission *s, const char *route, const struct fault *f)
{
    const struct refused_request r = {.route = route,
                                      .sender = s->sender,
                                      .client = s->client,
                                      .at = s->received,
                                      .code = f->code,
                                      .place = view_of(f->where),
                                      .bytes = (int64_t)s->body.n};
    metric_add(METRIC_SUBMISSIONS, "document,refused", 1);
    refusal_note(g, &r);
}

static err
print_receptions(const struct row_reception *list, struct buf *out)
{
    BUF_LIT(out, "{\"data\":[");
    for (const struct row_reception *row = list; row; row = row->next) {
        char submission[ID_TEXT_SIZE], document[ID_TEXT_SIZE], when[32];
        buf_printf(out,
                   "%s{\"submission\":\"%.*s\",\"document\":\"%.*s\",\"received_at\":\"%.*s\",\"outcome\":\"%"
                   ".*s\",\"receipt\":\"%.*s\"}",
                   row == list ? "" : ",",
                   VIEW_ARG(submission_id_print((submission_id){row->id}, submission)),
                   VIEW_ARG(doc_id_print((doc_id){row->document}, document)),
                   VIEW_ARG(instant_print(row->at, when)), VIEW_ARG(row->outcome), VIEW_ARG(row->receipt));
    }
    BUF_LIT(out, "]}");
    return out->failed ? E_TOO_LARGE : E_OK;
}

err
accept_lookup(struct gateway *g, partner_id sender, view reference, const digest *body, arena *mem,
              view *ret_json, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_reception *list = NULL;
    TRY(store_reader(g->store, &r));
    if (reference.n) {
        char text[ID_TEXT_SIZE];
        digest blind = BLIND(g->seal, "reference", partner_id_print(sender, text), reference);
        TRY(query_receptions_by_reference(r, ARGS(val_uid(&sender.u), val_digest(&blind)), mem, &list));
    } else {
        digest blind = BLIND(g->seal, "body", digest_view(body));
        struct row_document *document = NULL;
        TRY(query_document_by_body(r, ARGS(val_digest(&blind)), mem, &document));
        if (document)
            TRY(query_reception_of(r, ARGS(val_uid(&document->id), val_uid(&sender.u)), mem, &list));
    }
    if (!list)
        return fault_set(f, E_NOT_FOUND, "/reference", "a submission of yours", "none");
    struct buf out;
    buf_init(&out, 1u << 20);
    err e = print_receptions(list, &out);
    view text = e == E_OK ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    if (!text.p)
        return E_TOO_LARGE;
    *ret_json = text;
    return E_OK;
}

err
accept_find(struct gateway *g, partner_id who, view system, view value, arena *mem, view *ret_json,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_document *list = NULL;
    char text[ID_TEXT_SIZE];
    size_t n = 0;
    (void)f;
    digest blind = BLIND(g->seal, "identity", partner_id_print(who, text), system, value);
    TRY(store_reader(g->store, &r));
    TRY(query_documents_by_identity(r, ARGS(val_digest(&blind)), mem, &list));
    struct buf out;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[");
    for (; list; list = list->next, n++)
        buf_printf(&out, "%s{\"fullUrl\":\"%.*s/fhir/r4/Bundle/%.*s\",\"search\":{\"mode\":\"match\"}}",
                   n ? "," : "", VIEW_ARG(g->base_url), VIEW_ARG(doc_id_print((doc_id){list->id}, text)));
    buf_printf(&out, "],\"total\":%zu}", n);
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
