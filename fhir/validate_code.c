#include "fhir/judge.h"

/* Codes: is one of the set that an element is bound to, and does its system have it at all? */

void
judge_concept(struct judge *j, const struct node *value, uint16_t codes)
{
    view system, code;
    if (value_answer(j->tree, NULL, codes, value, &system, &code) != CODE_OUT)
        return;
    judge_say(j, ISSUE_ERROR, E_CODE_REQUIRED, value,
              judge_print(j, "a code of %.*s", VIEW_ARG(codes_name(codes))), judge_code(j, system, code));
}

void
judge_binding(struct judge *j, const struct node *value, const struct pack *pack, uint32_t link,
              uint16_t base_codes, bool required)
{
    view system, code;
    const struct pack_item *set = pack_link_to(pack, link);
    view url = link == PACK_NONE ? VIEW_NONE : pack_view(pack, pack->links[link].url);
    if (!(set && set->pack) && !base_codes) {
        if (required && url.n > 0 && pack != j->base && judge_first(j, 5, url))
            judge_say(j, ISSUE_WARNING, E_CODE_UNKNOWN, value, V("a value set that is loaded"), url);
        return;
    }
    if (value_answer(j->tree, set, base_codes, value, &system, &code) != CODE_OUT)
        return;
    if (!required && code.n == 0)
        return; /* text alone will do */
    judge_say(j, required ? ISSUE_ERROR : ISSUE_WARNING, required ? E_CODE_REQUIRED : E_CODE_UNKNOWN, value,
              url, judge_code(j, system, code));
}

/* ---- systems ---- */

/* Few systems stand in one document, again and again. */
static struct pack_item
find_system(struct judge *j, view url)
{
    unsigned middle = (unsigned char)url.p[url.n / 2], last = (unsigned char)url.p[url.n - 1];
    size_t at = (url.n * 5 + middle * 3 + last) % COUNT_OF(j->systems);
    if (!view_eq(j->systems[at].url, url)) {
        j->systems[at].url = url;
        j->systems[at].item = judge_find(j, PACK_IS_SYSTEM, url);
    }
    return j->systems[at].item;
}

void
judge_coding(struct judge *j, const struct node *coding)
{
    view system = VIEW_NONE, code = VIEW_NONE, version = VIEW_NONE;
    const struct node *at = NULL;
    for (NODE_EACH(member, j->tree, coding)) {
        view name = node_name(j->tree, member);
        if (view_eq(name, V("system"))) {
            system = node_text(j->tree, member);
        } else if (view_eq(name, V("code"))) {
            code = node_text(j->tree, member);
            at = member;
        } else if (view_eq(name, V("version"))) {
            version = node_text(j->tree, member);
        }
    }
    struct pack_item to = system.n > 0 && code.n > 0 ? find_system(j, system) : (struct pack_item){NULL, 0};
    enum code_answer a = to.pack ? pack_system_holds(to.pack, to.n, code) : CODE_UNCLEAR;
    if (a == CODE_IN && !pack_system_in_force(to.pack, to.n, code, j->options->today))
        judge_say(j, judge_severity(j, WEIGHT_CODE_NOT_IN_FORCE), E_CODE_UNKNOWN, at,
                  V("a code in force today"), judge_code(j, system, code));
    if (a != CODE_OUT)
        return;
    if (version.n > 0 && !view_eq(version, pack_version_of(to.pack, PACK_IS_SYSTEM, to.n)))
        return; /* of another edition nobody here knows */
    judge_say(j, judge_severity(j, WEIGHT_CODE_OF_NO_SYSTEM), E_CODE_UNKNOWN, at,
              V("a code that its system has"), judge_code(j, system, code));
}
