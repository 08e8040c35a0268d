#include "relay/relay.h"

#include "base/text.h"

static view
signed_content(view id, int64_t timestamp, view body, arena *mem)
{
    return arena_printf(mem, "%.*s.%lld.%.*s", VIEW_ARG(id), (long long)timestamp, VIEW_ARG(body));
}

err
webhook_sign(const struct key *k, view id, int64_t timestamp, view body, arena *mem, view *ret_signature)
{
    view content = signed_content(id, timestamp, body, mem), raw;
    if (!content.p)
        return E_TOO_LARGE;
    TRY(key_sign(k, content, mem, &raw));
    *ret_signature = arena_printf(mem, "v1a,%.*s", VIEW_ARG(text_base64(mem, raw)));
    return ret_signature->p ? E_OK : E_TOO_LARGE;
}

err
webhook_verify(void *pkey, view id, int64_t timestamp, view body, view header, arena *mem)
{
    view content = signed_content(id, timestamp, body, mem);
    if (!content.p)
        return E_TOO_LARGE;
    while (header.n) {
        view one = view_cut(&header, ' ', NULL), raw;
        if (!view_starts(one, V("v1a,")) || text_base64_decode(view_sub(one, 4, one.n), mem, &raw) != E_OK)
            continue;
        if (pkey_verify(pkey, ALG_ED25519, content, raw) == E_OK)
            return E_OK;
    }
    return E_SIGNATURE_MISMATCH;
}
