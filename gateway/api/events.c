#include "api/api.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/members.h"
#include "flow/partner/endpoint.h"
#include "flow/partner/registry.h"
#include "flow/view/feed.h"

err
api_EVENT_LIST(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"cursor", "limit", "consumer", NULL};
    int64_t limit = 50;
    view json;
    TRY(request_query_only(rq, names));
    view text = request_query(rq, "limit");
    if (text.n && (text_to_i64(text, &limit) != E_OK || limit < 1 || limit > 200))
        return fault_set(&rq->fault, E_PARAMETER, "limit", "1 to 200", "another value");
    TRY(feed_list(app, rq->caller.partner, request_query(rq, "cursor"), request_query(rq, "consumer"),
                  (int)limit, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_CONSUMER_COMMIT(void *app, struct request *rq, struct reply *rp)
{
    json_t *body = NULL;
    view json;
    static const char *const known[] = {"s:cursor", NULL};
    TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
    TRY(members_only(body, known, &rq->fault));
    TRY(feed_commit(app, rq->caller.partner, rq->params[0], json_text(body, "cursor"), rq->received, rq->mem,
                    &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_WEBHOOK_CREATE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(endpoint_create(app, rq->caller.partner, rq->body, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 201, json);
    return E_OK;
}

err
api_WEBHOOK_LIST(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(endpoint_list(app, rq->caller.partner, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_WEBHOOK_DELETE(void *app, struct request *rq, struct reply *rp)
{
    endpoint_id id;
    TRY(API_ID(endpoint_id, rq, 0, &id));
    TRY(endpoint_delete(app, rq->caller.partner, id, rq->mem, &rq->fault));
    rp->status = 204;
    return E_OK;
}

/* Public keys of a partner, so that a client can seal an account to the paying insurer. */
err
api_PARTNER_KEYS(void *app, struct request *rq, struct reply *rp)
{
    AUTO(registry_unref) struct registry *r = gateway_registry(app);
    partner_id id;
    const struct partner *p = partner_id_parse(rq->params[0], &id) == E_OK ? registry_partner(r, id) : NULL;
    if (!p)
        p = registry_by_code(r, V(""), rq->params[0]);
    if (!p || !partner_is_active(p))
        return fault_set(&rq->fault, E_NOT_FOUND, "", "a partner", "none");
    struct buf out;
    size_t n = 0;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{\"keys\":[");
    for (size_t i = 0; i < p->n_keys; i++) {
        view jwk;
        bool shown = view_eq(p->keys[i].row->use, V("encrypt")) || view_eq(p->keys[i].row->use, V("sign"));
        if (!shown || !p->keys[i].pkey || jwk_of_pkey(p->keys[i].pkey, rq->mem, &jwk) != E_OK)
            continue;
        buf_printf(&out, "%s{\"use\":\"%.*s\",\"jwk\":%.*s}", n++ ? "," : "", VIEW_ARG(p->keys[i].row->use),
                   VIEW_ARG(jwk));
    }
    BUF_LIT(&out, "]}");
    reply_json(rp, 200, arena_dup(rq->mem, buf_view(&out)));
    buf_done(&out);
    return rp->body.p ? E_OK : E_TOO_LARGE;
}
