#include "cli/command.h"

#include "base/buf.h"
#include "cli/operate/operator.h"
#include "flow/partner/registry.h"

#include <stdio.h>

static int
show(const struct args *a, view verb, view text)
{
    struct fault f;
    view json;
    fault_init(&f);
    err e = operator_ask(a, verb, text, a->mem, &json, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("%.*s\n", VIEW_ARG(json));
    return EXIT_OK;
}

int
run_partner_list(struct args *a)
{
    return show(a, V("partners"), V(""));
}

int
run_case_list(struct args *a)
{
    const char *limit = args_value(a, "limit");
    return show(a, V("cases"), view_of(limit ? limit : "50"));
}

int
run_case_get(struct args *a)
{
    if (a->n_positional != 1)
        return command_usage(a, "needs the id of a case");
    return show(a, args_flag(a, "provenance") ? V("case-provenance") : V("case"), view_of(a->positional[0]));
}

/* What an operator says, signed, through the verb. */
static int
say(const struct args *a, view verb, const char *key, view word)
{
    struct fault f;
    view jws, json;
    fault_init(&f);
    err e = operator_sign(key, word, a->mem, &jws, &f);
    if (e == E_OK)
        e = operator_ask(a, verb, jws, a->mem, &json, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("%.*s\n", VIEW_ARG(json));
    return EXIT_OK;
}

int
run_case_split(struct args *a)
{
    const char *key = args_value(a, "operator");
    case_id id;
    if (a->n_positional != 1 || !key || case_id_parse(view_of(a->positional[0]), &id) != E_OK)
        return command_usage(a, "needs the id of a case that was joined and --operator KEY");
    return say(a, V("split"), key, arena_printf(a->mem, "{\"split\":\"%s\"}", a->positional[0]));
}

int
run_evidence_request(struct args *a)
{
    const char *key = args_value(a, "operator"), *reason = args_value(a, "reason");
    struct buf change AUTO_DONE(buf_done);
    buf_init(&change, 65536);
    if (a->n_positional != 1 || !key || !reason)
        return command_usage(a, "needs the id of a case, --reason TEXT and --operator KEY");
    BUF_LIT(&change, "{\"kind\":\"" EXPORT_CHANGE "\",\"subject\":");
    buf_add_json(&change, view_of(a->positional[0]));
    BUF_LIT(&change, ",\"body\":{\"reason\":");
    buf_add_json(&change, view_of(reason));
    BUF_LIT(&change, "}}");
    return say(a, V("propose"), key, buf_view(&change));
}

int
run_partner_propose(struct args *a)
{
    const char *key = args_value(a, "operator");
    struct fault f;
    view change;
    fault_init(&f);
    if (a->n_positional != 1 || !key)
        return command_usage(a, "needs a change (JSON file) and --operator KEY");
    err e = file_read(a->positional[0], a->mem, &change, &f);
    return e == E_OK ? say(a, V("propose"), key, change) : command_fail(a, e, &f);
}

int
run_partner_approve(struct args *a)
{
    const char *key = args_value(a, "operator");
    struct fault f;
    view shown, approval;
    fault_init(&f);
    if (a->n_positional != 1 || !key)
        return command_usage(a, "needs the id of a change and --operator KEY");
    err e = operator_ask(a, V("change"), view_of(a->positional[0]), a->mem, &shown, &f);
    if (e == E_OK)
        e = operator_approval(view_of(a->positional[0]), shown, a->mem, &approval, &f);
    return e == E_OK ? say(a, V("approve"), key, approval) : command_fail(a, e, &f);
}
