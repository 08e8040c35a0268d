#include "cli/operate/control.h"

#include "cli/command.h"
#include "net/net.h"

#include <stdio.h>

/* No gateway runs: this process has the store to itself. */
static err
renew_here(const struct config *c, view hash, view *ret_json, struct fault *f)
{
    AUTO(gateway_close) struct gateway *g = NULL;
    TRY(net_start());
    err e = gateway_open(c, &g, f);
    if (e == E_OK)
        e = control_renew(g, hash, ret_json, f);
    net_stop();
    return e;
}

int
run_audit_renew(struct args *a)
{
    AUTO(config_free) struct config *c = NULL;
    struct fault f;
    bool is_running = false;
    const char *word = args_value(a, "hash");
    view hash = word ? view_of(word) : V(""), answer = VIEW_NONE;
    fault_init(&f);
    digest_start();
    err e = args_config(a, &c, &f);
    if (e == E_OK)
        e = control_ask(c, V("renew"), hash, a->mem, &answer, &is_running, &f);
    if (e == E_OK && !is_running)
        e = renew_here(c, hash, &answer, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    bool done = view_find(answer, V("true")) < answer.n;
    if (a->json)
        printf("%.*s\n", VIEW_ARG(answer));
    else if (a->lang == LANG_ZH)
        printf(done ? "時戳已更新\n" : "目前無須更新\n");
    else
        printf(done ? "Time-stamps were renewed.\n" : "Nothing needs renewing yet.\n");
    return EXIT_OK;
}
