#include "cli/command.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

int
run_version(struct args *a)
{
    if (a->json)
        printf("{\"version\":\"%s\",\"compiler\":\"%s\",\"openssl\":\"%s\"}\n", CLAIMGATE_VERSION,
               __VERSION__, OpenSSL_version(OPENSSL_VERSION_STRING));
    else
        printf("claimgate %s\ncompiler %s\nOpenSSL %s\n", CLAIMGATE_VERSION, __VERSION__,
               OpenSSL_version(OPENSSL_VERSION_STRING));
    return EXIT_OK;
}

int
run_help_errors(struct args *a)
{
    for (int i = 1; i < ERR_COUNT; i++) {
        const struct err_row *row = err_info((err)i);
        if (a->json)
            printf("{\"code\":\"%s\",\"status\":%d,\"text\":\"%s\",\"remedy\":\"%s\"}\n", row->code,
                   row->status, row->text[a->lang], row->remedy[a->lang]);
        else
            printf("%-28s %d  %s\n%-28s      %s\n", row->code, row->status, row->text[a->lang], "",
                   row->remedy[a->lang]);
    }
    return EXIT_OK;
}

int
run_config_explain(struct args *a)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    if (a->n_positional == 0) {
        config_print_sample(&out);
        printf("%.*s", VIEW_ARG(buf_view(&out)));
        buf_done(&out);
        return EXIT_OK;
    }
    for (int s = 0; s < SETTING_COUNT; s++) {
        const struct setting_row *row = setting_info((enum setting)s);
        if (strcmp(row->name, a->positional[0]) != 0)
            continue;
        printf("%s\n  default: %s\n  reload:  %s\n  %s\n  %s\n", row->name, row->fallback,
               row->reload ? "yes" : "no", row->help[LANG_EN], row->help[LANG_ZH]);
        buf_done(&out);
        return EXIT_OK;
    }
    buf_done(&out);
    return command_usage(a, "no such setting; see claimgate config explain");
}

int
run_config_show(struct args *a)
{
    AUTO(config_free) struct config *c = NULL;
    struct fault f;
    fault_init(&f);
    err e = args_config(a, &c, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    for (int s = 0; s < SETTING_COUNT; s++)
        printf("%-26s %-32.*s # %.*s\n", setting_info((enum setting)s)->name,
               VIEW_ARG(config_text(c, (enum setting)s)), VIEW_ARG(config_origin(c, (enum setting)s)));
    return EXIT_OK;
}
