#include "cli/operate/operator.h"

#include "base/json.h"
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
