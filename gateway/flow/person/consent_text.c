#include "flow/person/consent_text.h"

#include "base/buf.h"

const struct consent_text consent_texts[] = {
#define CONSENT_TEXT(id, version, lang, text) {id, version, lang, {text, sizeof text - 1}},
#include "flow/person/consent_text.def"
#undef CONSENT_TEXT
};
const size_t consent_texts_count = COUNT_OF(consent_texts);

bool
consent_text_is_contract(view id)
{
    return view_starts(id, V("contract-"));
}

err
consent_text_check(view id, view version, view lang, view sha256_hex, struct fault *f)
{
    for (size_t i = 0; i < consent_texts_count; i++) {
        const struct consent_text *t = &consent_texts[i];
        if (!view_eq(id, view_of(t->id)) || !view_eq(version, view_of(t->version)) ||
            !view_eq(lang, view_of(t->lang)))
            continue;
        digest d = sha256(t->text);
        struct buf hex;
        buf_init(&hex, 80);
        buf_add_hex(&hex, digest_view(&d));
        bool same = view_eq(buf_view(&hex), sha256_hex);
        buf_done(&hex);
        return same ? E_OK
                    : fault_set(f, E_PERMISSION_TEXT, "/insurer/permission/text/sha256",
                                "the hash of the text in force", "another");
    }
    return fault_set(f, E_PERMISSION_TEXT, "/insurer/permission/text", "a text in force",
                     "another id, version or language");
}
