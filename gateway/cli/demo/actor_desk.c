#include "cli/demo/actor.h"

/* -- who insures this vehicle (docs/lookup.md): asked by the gateway, answered with the company's own signature -- */

static err
cover_answer(struct actor *a, const json_t *question, view *ret, struct fault *f)
{
    arena *mem = a->p.mem;
    const char *plate = arena_cstr(mem, json_text(question, "plate"));
    const json_t *policy = json_member(json_member(a->desk, "insures"), plate);
    view day = json_text(question, "date"), terms = V("");
    if (policy)
        terms = arena_printf(mem, ",\"insurer\":%.*s,\"certificate_no\":%.*s,\"from\":%.*s,\"to\":%.*s",
                             VIEW_ARG(party_quoted(json_text(question, "to"), mem)),
                             VIEW_ARG(party_quoted(json_text(policy, "no"), mem)),
                             VIEW_ARG(party_quoted(json_text(policy, "from"), mem)),
                             VIEW_ARG(party_quoted(json_text(policy, "to"), mem)));
    view text = arena_printf(mem,
                             "{\"format\":\"cover-answer-1\",\"question\":%.*s,\"by\":%.*s,\"plate\":%.*s,"
                             "\"date\":%.*s,\"answered_at\":\"%.*sT12:00:00+08:00\",\"answer\":\"%s\"%.*s}",
                             VIEW_ARG(party_quoted(json_text(question, "question"), mem)),
                             VIEW_ARG(party_quoted(json_text(question, "to"), mem)),
                             VIEW_ARG(party_quoted(view_of(plate), mem)), VIEW_ARG(party_quoted(day, mem)),
                             VIEW_ARG(day), policy ? "insured" : "not_ours", VIEW_ARG(terms));
    return party_sign(&a->p, a->p.name, text, false, ret, f);
}

static int
on_question(void *self, const struct webhook *w, int64_t *ret_put_off_us)
{
    struct actor *a = self;
    struct fault f;
    json_t *question = NULL;
    view answer;
    *ret_put_off_us = 0;
    fault_init(&f);
    if (json_load(w->body, a->p.mem, &question, NULL) != E_OK ||
        !view_eq(json_text(question, "format"), V("cover-question-1")))
        return 400;
    if (cover_answer(a, question, &answer, &f) != E_OK)
        return 500;
    buf_add_view(w->answer, answer);
    return 200;
}

err
actor_desk(struct actor *a, struct client_reply *ret, struct fault *f)
{
    if (!a->p.server)
        TRY(server_open(&a->server, on_question, a));
    a->p.server = &a->server;
    json_decref(a->desk);
    a->desk = json_deep_copy(a->step);
    view text = arena_printf(a->p.mem, "{\"url\":\"http://127.0.0.1:%d/\"}", a->server.port);
    *ret = (struct client_reply){.status = 200, .body = text};
    return json_load(text, a->p.mem, &ret->json, f);
}
