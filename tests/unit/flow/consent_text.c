#include "flow/person/consent_text.h"

#include "base/text.h"

#include <criterion/criterion.h>

static view
hash_of(view text, arena *mem)
{
    digest d = sha256(text);
    return text_hex(mem, digest_view(&d));
}

Test(consent_text, the_texts_in_force_are_known_by_their_hash)
{
    arena *mem = arena_new(1u << 16);
    for (size_t i = 0; i < consent_texts_count; i++) {
        const struct consent_text *t = &consent_texts[i];
        cr_assert_eq(consent_text_check(view_of(t->id), view_of(t->version), view_of(t->lang),
                                        hash_of(t->text, mem), NULL),
                     E_OK);
    }
    arena_free(mem);
}

Test(consent_text, another_version_or_hash_is_refused)
{
    arena *mem = arena_new(1u << 16);
    const struct consent_text *t = &consent_texts[0];
    cr_assert_eq(consent_text_check(view_of(t->id), V("0"), view_of(t->lang), hash_of(t->text, mem), NULL),
                 E_PERMISSION_TEXT);
    cr_assert_eq(consent_text_check(view_of(t->id), view_of(t->version), view_of(t->lang),
                                    hash_of(V("other"), mem), NULL),
                 E_PERMISSION_TEXT);
    arena_free(mem);
}

Test(consent_text, chinese_texts_are_chinese)
{
    for (size_t i = 0; i < consent_texts_count; i++)
        if (strcmp(consent_texts[i].lang, "zh-TW") == 0)
            cr_assert(text_has_han(consent_texts[i].text));
}
