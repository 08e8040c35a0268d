#include "fhir/fhirpath.h"
#include "base/buf.h"
#include "cli/command.h"
#include "fhir/fhir.h"

#include <stdio.h>

static const struct node *
resolve(void *self, const struct node *from, view reference)
{
    return bundle_resolve(self, from, reference);
}

static int
print_values(const struct fhirpath_focus *focus, const struct fhirpath_values *values, arena *mem)
{
    for (uint32_t i = 0; i < values->n; i++) {
        view type = fhirpath_type_name(focus, &values->items[i], mem),
             text = fhirpath_text(focus, &values->items[i], mem);
        printf("%.*s\t%.*s\n", VIEW_ARG(type), VIEW_ARG(text));
    }
    return EXIT_OK;
}

/* claimgate fhirpath eval EXPRESSION FILE */
int
run_fhirpath_eval(struct args *a)
{
    static const struct fhirpath_doors doors = {.resolve = resolve};
    struct fault f;
    struct tree t;
    struct bundle b;
    struct issues issues;
    struct fhirpath_values values;
    view program, bytes;
    if (a->n_positional != 2)
        return command_usage(a, "an expression and a file are needed");
    fault_init(&f);
    issues_init(&issues, a->mem, 10);
    err e = fhirpath_compile(view_of(a->positional[0]), a->mem, &program, &f);
    if (e == E_OK)
        e = file_read(a->positional[1], a->mem, &bytes, &f);
    if (e == E_OK)
        e = fhir_read_signed(NULL, bytes, a->mem, &t, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    struct fhirpath_focus focus = {
        .tree = &t, .node = tree_root(&t), .resource = tree_root(&t), .mem = a->mem};
    if (bundle_index(&t, a->mem, &b, &issues) == E_OK) {
        focus.doors = &doors;
        focus.self = &b;
    }
    e = fhirpath_eval(program, &focus, &values, &f);
    return e == E_OK ? print_values(&focus, &values, a->mem) : command_fail(a, e, &f);
}

/* ---- which functions expressions call ---- */

#define FUNCTIONS_MOST 256

struct usage {
    size_t counts[FUNCTIONS_MOST];
    struct buf *line; /* of the expression at hand; NULL unless JSON is asked */
};

static void
on_function(void *self, uint32_t function)
{
    struct usage *u = self;
    u->counts[function]++;
    if (u->line == NULL)
        return;
    if (u->line->p[u->line->n - 1] != '[')
        buf_add_byte(u->line, ',');
    buf_add_json(u->line, view_of(fhirpath_function_name(function)));
}

static void
look_at(view expression, bool json, struct usage *u)
{
    AUTO(arena_free) arena *mem = arena_new(4U << 20);
    struct buf line AUTO_DONE(buf_done) = {0};
    view program;
    buf_init(&line, 1U << 20);
    err e = fhirpath_compile(expression, mem, &program, NULL);
    if (e == E_OK)
        BUF_LIT(&line, "{\"functions\":[");
    u->line = json ? &line : NULL;
    if (e == E_OK)
        fhirpath_functions_of(program, on_function, u);
    if (e == E_OK)
        BUF_LIT(&line, "]");
    else
        buf_printf(&line, "{\"error\":\"%s\"", err_info(e)->code);
    BUF_LIT(&line, ",\"expression\":");
    buf_add_json(&line, expression);
    if (json)
        printf("%.*s}\n", VIEW_ARG(buf_view(&line)));
    else if (e != E_OK)
        fprintf(stderr, "%s: %.*s\n", err_info(e)->code, VIEW_ARG(expression));
}

/* claimgate fhirpath functions FILE: an expression a line */
int
run_fhirpath_functions(struct args *a)
{
    struct fault f;
    struct usage u = {.line = NULL};
    view text;
    if (a->n_positional != 1)
        return command_usage(a, "one file of expressions is needed, \"-\" for stdin");
    fault_init(&f);
    err e = file_read(a->positional[0], a->mem, &text, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    while (text.n > 0) {
        view expression = view_trim(view_cut(&text, '\n', NULL));
        if (expression.n > 0)
            look_at(expression, a->json, &u);
    }
    for (uint32_t i = 0; !a->json && fhirpath_function_name(i) != NULL; i++)
        if (u.counts[i] > 0)
            printf("%-20s %zu\n", fhirpath_function_name(i), u.counts[i]);
    return EXIT_OK;
}
