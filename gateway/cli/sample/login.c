#include "cli/sample/sign.h"

/* The text of the login page, signed as a card's tool does it: a compact JWS over exactly these bytes. */
int
run_login_sign(struct args *a)
{
    const char *key = args_value(a, "key"), *certificate = args_value(a, "certificate"),
               *out = args_value(a, "out");
    struct fault f;
    view text, jws;
    fault_init(&f);
    if (a->n_positional != 1 || !key || !certificate)
        return command_usage(
            a, "needs the text (a file, or - for standard input), --key FILE and --certificate FILE");
    err e = file_read(a->positional[0], a->mem, &text, &f);
    while (e == E_OK && text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--; /* an editor's */
    if (e == E_OK)
        e = sign_jws(key, certificate, NULL, "claimgate-login+jwt", text, false, INSTANT_NONE, a->mem, &jws,
                     &f);
    if (e == E_OK)
        e = file_write(out ? out : "-", jws, false, &f);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}
