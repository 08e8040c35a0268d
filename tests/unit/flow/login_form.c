#include "flow/login/form.h"

#include <criterion/criterion.h>

Test(login_form, fields_are_decoded)
{
    arena *mem = arena_new(65536);
    view form = V("a=1&b=x%20y%2Bz+w&c=%e4%bd%a0&d&e=%zz&f=%4");
    cr_assert(view_eq(form_field(form, "a", mem), V("1")));
    cr_assert(view_eq(form_field(form, "b", mem), V("x y+z w")));
    cr_assert(view_eq(form_field(form, "c", mem), V("你")));
    cr_assert_eq(form_field(form, "d", mem).n, 0);
    cr_assert(view_eq(form_field(form, "e", mem), V("%zz")), "what is no escape stands as it is");
    cr_assert(view_eq(form_field(form, "f", mem), V("%4")));
    cr_assert_eq(form_field(form, "g", mem).n, 0);
    arena_free(mem);
}

Test(login_form, a_name_stands_once)
{
    struct fault f;
    fault_init(&f);
    cr_assert_eq(form_once(V("a=1&b=2"), &f), E_OK);
    cr_assert_eq(form_once(V("a=1&b=2&a=3"), &f), E_OAUTH_REQUEST, "two readers could each take another one");
    struct buf many;
    buf_init(&many, 65536);
    for (int i = 0; i < 65; i++)
        buf_printf(&many, "p%d=1&", i);
    cr_assert_eq(form_once(buf_view(&many), &f), E_OAUTH_REQUEST);
    buf_done(&many);
}

Test(login_form, addresses_are_escaped)
{
    struct buf out;
    buf_init(&out, 1024);
    form_add_escaped(&out, V("s-1 &x=~\r\n你"));
    cr_assert(view_eq(buf_view(&out), V("s-1%20%26x%3D~%0D%0A%E4%BD%A0")));
    buf_done(&out);
}
