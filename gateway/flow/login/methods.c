/* The table of ways to log in. */
#include "flow/login/inside.h"

static const struct login_method_row methods[] = {
#define METHOD(id, word, acr, proves, is_ready, zh, en) {word, acr, proves, is_ready, {en, zh}},
#include LOGIN_METHODS_DEF
#undef METHOD
};

const struct login_method_row *
login_method_info(enum login_method m)
{
    return &methods[m < LOGIN_METHODS ? m : 0];
}

enum login_method
login_method_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (view_eq(word, view_of(methods[i].word)))
            return (enum login_method)i;
    return LOGIN_METHODS;
}

static bool
is_set_up(const struct gateway *g, enum login_method m)
{
    return methods[m].proves && (!methods[m].is_ready || methods[m].is_ready(g));
}

bool
login_method_serves(const struct gateway *g, enum login_method m, const json_t *request)
{
    view asked = json_text(request, "acr_values");
    if (!is_set_up(g, m))
        return false;
    if (!asked.n)
        return true;
    while (asked.n)
        if (view_eq(view_cut(&asked, ' ', NULL), view_of(methods[m].acr)))
            return true;
    return false;
}

void
login_print_acr(const struct gateway *g, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (is_set_up(g, (enum login_method)i))
            buf_printf(out, "%s\"%s\"", n++ ? "," : "", methods[i].acr);
}
