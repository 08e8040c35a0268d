#include "cli/operate/operator.h"

#include "base/json.h"
#include "cli/operate/control.h"
#include "flow/partner/registry.h"
#include "signing/jose/jws.h"

err
operator_sign(const char *key_file, view text, arena *mem, view *ret_jws, struct fault *f)
{
    AUTO(key_free) struct key *k = NULL;
    TRY(key_load_pem(key_file, &k, f));
    view members = arena_printf(mem, "\"typ\":\"claimgate-change+jwt\"");
    return jws_sign(k, members, text, false, mem, ret_jws);
}

err
operator_approval(view change_id_text, view shown_json, arena *mem, view *ret, struct fault *f)
{
    json_t *json = NULL;
    TRY(json_load(shown_json, mem, &json, f));
    *ret = arena_printf(mem, "{\"approve\":\"%.*s\",\"digest\":\"%.*s\"}", VIEW_ARG(change_id_text),
                        VIEW_ARG(json_text(json, "digest")));
    return ret->p ? E_OK : E_TOO_LARGE;
}

err
operator_ask(const struct args *a, view verb, view text, arena *mem, view *ret_json, struct fault *f)
{
    AUTO(config_free) struct config *c = NULL;
    bool running = false;
    TRY(args_config(a, &c, f));
    TRY(control_ask(c, verb, text, mem, ret_json, &running, f));
    if (running)
        return E_OK;
    AUTO(gateway_close) struct gateway *g = NULL;
    TRY(gateway_open_offline(c, &g, f));
    TRY(changes_run(g, clock_now(), f));
    return control_do(g, verb, text, mem, ret_json, f);
}
