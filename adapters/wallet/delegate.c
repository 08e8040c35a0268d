/* The ministry's verifier module, by its API of 2025-12 (DWVP-01-101, DWVP-01-201). */
#include "adapters/wallet/inside.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define TRANSACTION_MAX 50

static err
malformed(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_PRESENTATION_FORM, where, expected, "something else");
}

static err
call_make(const struct wallet_module *m, const char *method, view url, view body, struct adapter_call *ret)
{
    if (!url.p)
        return E_TOO_LARGE;
    *ret = (struct adapter_call){
        .method = method,
        .url = url,
        .headers = {{"Access-Token", m->token}, {"Content-Type", V_INIT("application/json")}},
        .n_headers = 2,
        .body = body,
        .answer_max = ANSWER_MAX,
    };
    return E_OK;
}

err
wallet_delegate_link_call(const struct wallet_module *m, const struct wallet_request *rq, arena *mem,
                          struct adapter_call *ret)
{
    return call_make(m, "GET",
                     arena_printf(mem, "%.*s/api/oidvp/qrcode?ref=%.*s&transactionId=%.*s&isCallback=Y",
                                  VIEW_ARG(m->base), VIEW_ARG(m->ref), VIEW_ARG(rq->transaction)),
                     VIEW_NONE, ret);
}

err
wallet_delegate_link_judge(const struct adapter_answer *a, const struct wallet_request *rq, arena *mem,
                           view *ret_link, struct fault *f)
{
    json_t *json = NULL;
    if (a->status != 200)
        return fault_set(f, E_PRESENTATION_REFUSED, "verifier module", "200", "another status");
    TRY(json_load(a->body, mem, &json, f));
    view link = json_text(json, "authUri");
    if (!view_eq(json_text(json, "transactionId"), rq->transaction))
        return malformed(f, "transactionId", "ours");
    /* It goes to the person's device: only the wallet may be opened by it. */
    if (!view_starts(link, V("modadigitalwallet://")) && !view_starts(link, V("openid4vp://")))
        return malformed(f, "authUri", "an address of the wallet");
    *ret_link = link;
    return E_OK;
}

err
wallet_delegate_hint(view body, arena *mem, view *ret_transaction, struct fault *f)
{
    json_t *json = NULL;
    TRY(json_load(body, mem, &json, f));
    view id = json_text(json, "transactionId");
    if (!id.n || id.n > TRANSACTION_MAX)
        return malformed(f, "transactionId", "1 to 50 characters");
    *ret_transaction = id;
    return E_OK;
}

err
wallet_delegate_result_call(const struct wallet_module *m, const struct wallet_request *rq, arena *mem,
                            struct adapter_call *ret)
{
    view body = arena_printf(mem, "{\"transactionId\":\"%.*s\"}", VIEW_ARG(rq->transaction));
    return call_make(m, "POST", arena_printf(mem, "%.*s/api/oidvp/result", VIEW_ARG(m->base)), body, ret);
}

/* [{"ename","cname","value"}] as an object. */
static err
claims_object(const json_t *list, arena *mem, json_t **ret, struct fault *f)
{
    json_t *all = json_object();
    if (!all || !arena_defer(mem, json_decref_fn, all))
        return E_TOO_LARGE;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *name = json_string_value(json_member(one, "ename"));
        json_t *value = json_object_get(one, "value");
        if (!name || !json_is_string(value) || json_object_get(all, name))
            return malformed(f, "data.claims", "each claim once, with ename and value");
        if (json_object_set(all, name, value) != 0)
            return E_INTERNAL;
    }
    *ret = all;
    return E_OK;
}

static err
result_take(const json_t *json, const struct wallet_request *rq, arena *mem, struct wallet_result *r,
            struct fault *f)
{
    const json_t *data = json_member(json, "data"), *one = json_array_get(data, 0);
    json_t *claims = NULL;
    if (!rq->transaction.n || !view_eq(json_text(json, "transactionId"), rq->transaction))
        return fault_set(f, E_PRESENTATION_STATE, "transactionId", "ours", "another");
    wallet_passed(r, WALLET_CHECK_STATE);
    if (!json_is_true(json_member(json, "verifyResult")))
        return fault_set(f, E_PRESENTATION_REFUSED, "verifyResult", "true", "another");
    if (json_array_size(data) != 1)
        return malformed(f, "data", "one credential");
    if (!view_eq(json_text(one, "credentialType"), rq->type))
        return fault_set(f, E_CREDENTIAL_TYPE, "credentialType", "the type asked for", "another");
    wallet_passed(r, WALLET_CHECK_TYPE);
    wallet_passed(r, WALLET_CHECK_TOKEN_FORM);
    wallet_passed(r, WALLET_CHECK_SETS);
    TRY(claims_object(json_member(one, "claims"), mem, &claims, f));
    r->holder = json_text(json, "holder_did");
    return wallet_claims_take(rq, claims, mem, r, f);
}

/* A 4xx without code 4002 is the module's own trouble, and the same to us: nothing yet. */
err
wallet_delegate_result_judge(const struct adapter_answer *a, const struct wallet_request *rq, instant now,
                             arena *mem, bool *ret_pending, struct wallet_result *ret, struct fault *f)
{
    struct wallet_result r = {
        .profile = WALLET_DELEGATE, .type = rq->type, .evidence = a->body, .verified_at = now};
    json_t *json = NULL;
    TRY(wallet_check_waiting(rq, now, f));
    *ret_pending = a->status != 200;
    if (*ret_pending)
        return E_OK;
    TRY(json_load(a->body, mem, &json, f));
    TRY(result_take(json, rq, mem, &r, f));
    *ret = r;
    return E_OK;
}
