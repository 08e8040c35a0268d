/* A further way to log in is a row and one function: the same code with a table of one row more. */
#define LOGIN_METHODS_DEF "tests/unit/flow/methods_and_one.def"
#include "flow/login/inside.h"

static err
prove_added(struct gateway *g, struct exchange *x, const struct login_try *what, instant now, arena *mem,
            struct proven *ret, struct fault *f)
{
    (void)g, (void)x, (void)now, (void)mem;
    if (!view_eq(what->form, V("proof=right")))
        return fault_set(f, E_LOGIN_EVIDENCE, "proof", "right", "another");
    ret->person = V("moi|A190130001");
    return E_OK;
}

#include "flow/login/methods.c"

#include <criterion/criterion.h>

Test(login_methods, an_added_row_serves_and_proves)
{
    struct gateway g = {.sandbox = true};
    enum login_method m = login_method_of(V("added"));
    struct proven who = {.person = VIEW_NONE};
    struct login_try what = {.form = V("proof=right")};
    cr_assert_neq(m, LOGIN_METHODS);
    cr_assert(login_method_serves(&g, m, NULL));
    cr_assert_eq(login_method_info(m)->proves(&g, NULL, &what, (instant){1}, NULL, &who, NULL), E_OK);
    cr_assert(view_eq(who.person, V("moi|A190130001")));
    what.form = V("proof=wrong");
    cr_assert_eq(login_method_info(m)->proves(&g, NULL, &what, (instant){1}, NULL, &who, NULL),
                 E_LOGIN_EVIDENCE);
}

Test(login_methods, apps_learn_of_it_and_may_ask_for_it)
{
    struct gateway g = {.sandbox = true};
    struct buf out;
    buf_init(&out, 4096);
    login_print_acr(&g, &out);
    view text = buf_view(&out);
    cr_assert(view_find(text, V("acr:added")) < text.n);
    cr_assert(view_find(text, V("acr:certificate")) < text.n);
    cr_assert_eq(view_find(text, V("acr:fido")), text.n, "no function, not set up");
    cr_assert_eq(view_find(text, V("acr:wallet")), text.n, "not ready here");
    buf_done(&out);
    json_t *only = json_pack("{s:s}", "acr_values", "urn:claimgate:acr:added");
    cr_assert(login_method_serves(&g, login_method_of(V("added")), only));
    cr_assert_not(login_method_serves(&g, LOGIN_CERTIFICATE, only));
    json_decref(only);
}
