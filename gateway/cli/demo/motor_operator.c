#include "cli/demo/motor.h"
#include "cli/operate/control.h"
#include "cli/operate/operator.h"

#include <stdio.h>

#define DAY_SECONDS 86400

/* -- what an operator does beside the running gateway, by its socket -- */

static err
ask_gateway(struct motor *m, view verb, view text, view *ret, struct fault *f)
{
    AUTO(config_free) struct config *config = NULL;
    char path[300];
    bool running;
    snprintf(path, sizeof path, "%s/claimgate.conf", m->cast.dir);
    TRY(config_load(path, NULL, 0, &config, f));
    TRY(control_ask(config, verb, text, m->mem, ret, &running, f));
    return running ? E_OK : fault_set(f, E_NETWORK, "ops.socket", "a gateway that runs", "none");
}

err
motor_go_to_day(struct motor *m, int day, struct fault *f)
{
    char seconds[32];
    view answer;
    snprintf(seconds, sizeof seconds, "%d", (day - m->day) * DAY_SECONDS);
    TRY(ask_gateway(m, V("clock"), view_of(seconds), &answer, f));
    for (size_t i = 0; i < m->cast.n_children; i++)
        if (strcmp(m->cast.children[i].name, "gateway") != 0)
            cast_job(&m->cast, m->cast.children[i].name, "clock %s", seconds);
    m->day = day;
    TRY(story_go_to_day(&m->story, day));
    return cast_wait(&m->cast, cast_all_done);
}

static err
row_of(struct motor *m, view code, const json_t **ret, struct fault *f)
{
    json_t *list = NULL, *one;
    view text;
    size_t i;
    TRY(ask_gateway(m, V("partners"), V(""), &text, f));
    TRY(json_load(text, m->mem, &list, f));
    json_array_foreach(json_member(list, "data"), i, one)
    {
        *ret = one;
        if (view_eq(json_text(one, "code"), code))
            return E_OK;
    }
    return fault_set(f, E_NOT_FOUND, "/partner", "a partner's code", "another");
}

/* The partner's row of the registry anew, with these options, signed by an operator. */
err
motor_set_options(struct motor *m, const json_t *step, struct fault *f)
{
    const json_t *row;
    char key[300];
    view jws, answer;
    TRY(row_of(m, json_text(step, "partner"), &row, f));
    view change = arena_printf(
        m->mem,
        "{\"kind\":\"partner.put\",\"subject\":\"%.*s\",\"body\":{\"kind\":\"%.*s\",\"code\":\"%.*s\","
        "\"name_zh\":\"%.*s\",\"scopes\":%.*s,\"options\":%.*s}}",
        VIEW_ARG(json_text(row, "id")), VIEW_ARG(json_text(row, "kind")), VIEW_ARG(json_text(row, "code")),
        VIEW_ARG(json_text(row, "name_zh")), VIEW_ARG(json_dump_arena(json_member(row, "scopes"), m->mem)),
        VIEW_ARG(json_dump_arena(json_member(step, "options"), m->mem)));
    snprintf(key, sizeof key, "%s/pki/op1.key", m->cast.dir);
    TRY(operator_sign(key, change, m->mem, &jws, f));
    return ask_gateway(m, V("propose"), jws, &answer, f);
}
