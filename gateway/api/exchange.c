#include "flow/person/exchange.h"
#include "api/api.h"
#include "flow/case/advice.h"
#include "flow/members.h"

err
api_PRESENTATION_CREATE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(presentation_create(app, rq->caller.partner, rq->body, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 201, json);
    return E_OK;
}

static err
show(void *app, struct request *rq, struct reply *rp)
{
    exchange_id id;
    view json;
    TRY(API_ID(exchange_id, rq, 0, &id));
    TRY(exchange_show(app, rq->caller.partner, id, rq->received, rq->mem, &json, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_PRESENTATION_GET(void *app, struct request *rq, struct reply *rp)
{
    return show(app, rq, rp);
}

err
api_WALLET_REQUEST(void *app, struct request *rq, struct reply *rp)
{
    static const char *const names[] = {"wallet_nonce", NULL};
    TRY(request_query_only(rq, names));
    TRY(presentation_request(app, rq->params[0], request_query(rq, "wallet_nonce"), rq->received, rq->mem,
                             &rp->body, &rq->fault));
    rp->status = 200;
    rp->media = "application/oauth-authz-req+jwt";
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    return E_OK;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* A value of application/x-www-form-urlencoded. */
static view
form_decoded(view text, arena *mem)
{
    char *out = arena_alloc(mem, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high * 16 + low) : text.p[i] == '+' ? ' ' : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return view_make(out, n);
}

err
api_WALLET_RESPONSE(void *app, struct request *rq, struct reply *rp)
{
    struct presentation_answer a = {0};
    const struct {
        const char *name;
        view *to;
    } fields[] = {{"response", &a.response},
                  {"vp_token", &a.vp_token},
                  {"presentation_submission", &a.presentation_submission},
                  {"state", &a.state}};
    for (view rest = rq->body; rest.n;) {
        view pair = view_cut(&rest, '&', NULL), name = view_cut(&pair, '=', NULL);
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (view_eq(name, view_of(fields[i].name)))
                *fields[i].to = form_decoded(pair, rq->mem);
    }
    view redirect = VIEW_NONE;
    TRY(presentation_accept(app, rq->params[0], &a, rq->received, rq->mem, &redirect, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 200,
               redirect.n ? arena_printf(rq->mem, "{\"redirect_uri\":\"%.*s\"}", VIEW_ARG(redirect))
                          : V("{}"));
    return E_OK;
}

err
api_WALLET_HINT(void *app, struct request *rq, struct reply *rp)
{
    TRY(presentation_hint(app, rq->body, rq->received, rq->mem, &rq->fault));
    reply_json(rp, 200, V("{}"));
    return E_OK;
}

err
api_MYDATA_CREATE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    TRY(mydata_create(app, rq->caller.partner, rq->body, rq->received, rq->mem, &json, &rq->fault));
    reply_json(rp, 201, json);
    return E_OK;
}

err
api_MYDATA_GET(void *app, struct request *rq, struct reply *rp)
{
    return show(app, rq, rp);
}

err
api_MYDATA_PULL(void *app, struct request *rq, struct reply *rp)
{
    static const char *const known[] = {NULL};
    exchange_id id;
    json_t *body = NULL;
    view json;
    TRY(API_ID(exchange_id, rq, 0, &id));
    TRY(json_load(rq->body, rq->mem, &body, &rq->fault));
    TRY(members_only(body, known, &rq->fault));
    TRY(mydata_pull(app, rq->caller.partner, id, rq->received, rq->mem, &json, &rq->fault));
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    reply_json(rp, 202, json);
    return E_OK;
}

/* A pure function of what is asked: nothing is read or kept. */
err
api_MOTOR_ADVICE(void *app, struct request *rq, struct reply *rp)
{
    view json;
    (void)app;
    TRY(advice_motor(rq->body, rq->lang, rq->mem, &json, &rq->fault));
    reply_json(rp, 200, json);
    return E_OK;
}

err
api_MYDATA_NOTICE(void *app, struct request *rq, struct reply *rp)
{
    TRY(mydata_notice(app, rq->body, rq->received, rq->mem, &rq->fault));
    reply_json(rp, 200, V("{}"));
    return E_OK;
}
