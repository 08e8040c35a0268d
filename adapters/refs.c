#include "adapters/adapter.h"

#include "base/attr.h"

static const char *const ref_words[] = {
    [REF_CASE_NO] = "case_no",
    [REF_VISIT_NO] = "visit_no",
    [REF_CERTIFICATE_NO] = "certificate_no",
    [REF_RECEIPT_NO] = "receipt_no",
    [REF_ACCIDENT_NO] = "accident_no",
};

const char *
ref_kind_word(enum ref_kind k)
{
    return k < REF_KIND_COUNT ? ref_words[k] : "";
}

enum ref_kind
ref_kind_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(ref_words); i++)
        if (view_eq(word, view_of(ref_words[i])))
            return (enum ref_kind)i;
    return REF_KIND_COUNT;
}

/* Identifier systems that name a person everywhere (TW Core 0.2.2 and 0.3.x; TAIWAN §1.2). */
static const struct {
    const char *system, *word;
} person_systems[] = {
    {"http://www.moi.gov.tw", "moi"},
    {"http://www.immigration.gov.tw", "nia"},
    {"http://hl7.org/fhir/sid/passport-TWN", "ppn"},
    {"http://www.boca.gov.tw", "ppn"},
};

view
person_key_text(view system, view value, arena *mem)
{
    value = view_trim(value);
    if (value.n == 0 || value.n > 64)
        return VIEW_NONE;
    for (size_t i = 0; i < COUNT_OF(person_systems); i++) {
        if (!view_eq(system, view_of(person_systems[i].system)))
            continue;
        char upper[64];
        for (size_t k = 0; k < value.n; k++)
            upper[k] = value.p[k] >= 'a' && value.p[k] <= 'z' ? (char)(value.p[k] - 'a' + 'A') : value.p[k];
        return arena_printf(mem, "%s|%.*s", person_systems[i].word, (int)value.n, upper);
    }
    return VIEW_NONE;
}
