#include "conformance/judge.h"

bool
judge_is_policy(err e)
{
    return e == E_ALGORITHM || e == E_WEAK_DIGEST || e == E_SIGNATURE_PROFILE || e == E_XML_DOCTYPE ||
           e == E_BOM || e == E_UTF8;
}

void
judge_case(struct conformance_run *r, view id, bool accept, err e, const struct fault *f)
{
    enum conformance_outcome outcome = CONFORMANCE_AGREE;
    if (!accept && e == E_OK)
        outcome = CONFORMANCE_WRONG_ACCEPT;
    else if (accept && e != E_OK)
        outcome = judge_is_policy(e) ? CONFORMANCE_POLICY_REJECT : CONFORMANCE_WRONG_REJECT;
    bool told = e != E_OK && f && f->code != E_OK;
    conformance_case(r, id, outcome, "%s%s%s%s%s%s%s", e == E_OK ? "accepted" : err_info(e)->code,
                     told ? " at " : "", told ? f->where : "", told ? ", expected " : "",
                     told ? f->expected : "", told ? ", found " : "", told ? f->found : "");
}

void
judge_either(struct conformance_run *r, view id)
{
    conformance_case(r, id, CONFORMANCE_EITHER, "left open by the set");
}

view
judge_id(const json_t *one)
{
    return json_text(one, "id");
}

view
judge_file(const json_t *one, size_t i)
{
    const json_t *file = json_array_get(json_member(one, "files"), i);
    return json_is_string(file) ? view_make(json_string_value(file), json_string_length(file)) : VIEW_NONE;
}
