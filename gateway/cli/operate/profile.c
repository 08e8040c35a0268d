#include "cli/command.h"
#include "fhir/fhir.h"
#include "fhir/package.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Packs: made from packages and from lists of codes, kept with their source in one folder. */

#define PACK_BYTES_MAX ((size_t)512 << 20)
#define FILES_MOST 256

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files of the folder with this ending, by name. */
static size_t
list_folder(const struct args *a, const char *dir, const char *ending, const char **out)
{
    size_t n = 0;
    DIR *d = dir ? opendir(dir) : NULL;
    for (struct dirent *one; d && n < FILES_MOST && (one = readdir(d));)
        if (view_ends(view_of(one->d_name), view_of(ending)))
            out[n++] = arena_printf(a->mem, "%s/%s", dir, one->d_name).p;
    if (d)
        closedir(d);
    if (n > 0)
        qsort(out, n, sizeof *out, by_name);
    return n;
}

/* "2027-01-01" → 20270101; 0 when there is none, UINT32_MAX when it is no day. */
static uint32_t
day_of(const char *text)
{
    uint32_t n = 0;
    if (!text)
        return 0;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return UINT32_MAX;
    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return UINT32_MAX;
        n = n * 10 + (uint32_t)(text[i] - '0');
    }
    return n;
}

static const char *
path_in(const struct args *a, const char *dir, view name, view version, const char *ending)
{
    return arena_printf(a->mem, "%s/%.*s-%.*s%s", dir, VIEW_ARG(name), VIEW_ARG(version), ending).p;
}

/* Name and version of a package become the name of a file. */
static bool
is_file_word(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '-' && c != '_' && c != '+')
            return false;
    }
    return text.n > 0 && text.n <= 128 && text.p[0] != '.';
}

/* The package beside its pack: parents of later packages, and what a new program version compiles again. */
static err
keep_source(const struct args *a, const char *from, const char *to, struct fault *f)
{
    view bytes;
    if (strcmp(from, to) == 0)
        return E_OK;
    TRY(file_read(from, a->mem, &bytes, f));
    return file_write(to, bytes, false, f);
}

static void
say_added(const struct args *a, const struct package_facts *facts, const char *path, size_t bytes)
{
    if (a->json)
        printf("{\"name\":\"%.*s\",\"version\":\"%.*s\",\"file\":\"%s\",\"bytes\":%zu,\"left_out\":%u}\n",
               VIEW_ARG(facts->name), VIEW_ARG(facts->version), path, bytes, facts->left_out);
    else
        printf("%.*s %.*s: %s, %zu bytes\n", VIEW_ARG(facts->name), VIEW_ARG(facts->version), path, bytes);
    if (facts->left_out > 0)
        fprintf(
            stderr,
            "%u definitions could not be compiled and were left out; the first: %s: expected %s, found %s\n",
            facts->left_out, facts->first_left_out.where, facts->first_left_out.expected,
            facts->first_left_out.found);
}

static err
add_package(struct args *a, const char *file, const char *dir, struct fault *f)
{
    const char *all[FILES_MOST + 1], *beside[FILES_MOST + 1];
    struct package_facts *facts = arena_make_array(a->mem, FILES_MOST + 1, struct package_facts), made;
    size_t n = list_folder(a, dir, ".tgz", all);
    struct buf pack;
    if (!facts)
        return fault_set(f, E_TOO_LARGE, file, "", "");
    all[n] = file;
    for (size_t i = 0; i <= n; i++)
        TRY(package_look(all[i], a->mem, &facts[i], f));
    const struct package_request rq = {.file = file,
                                       .beside = beside,
                                       .n_beside = package_beside(all, facts, n + 1, n, beside),
                                       .valid_from = day_of(args_value(a, "from")),
                                       .valid_until = day_of(args_value(a, "until"))};
    buf_init(&pack, PACK_BYTES_MAX);
    err e = package_compile(&rq, a->mem, &pack, &made, f);
    if (e == E_OK && (!is_file_word(made.name) || !is_file_word(made.version)))
        e = fault_set(f, E_CONFIG, file, "a package whose name and version can name a file", "others");
    const char *path = e == E_OK ? path_in(a, dir, made.name, made.version, ".pack") : NULL;
    if (e == E_OK)
        e = file_write(path, buf_view(&pack), false, f);
    if (e == E_OK)
        e = keep_source(a, file, path_in(a, dir, made.name, made.version, ".tgz"), f);
    if (e == E_OK)
        say_added(a, &made, path, pack.n);
    buf_done(&pack);
    return e;
}

int
run_profile_add(struct args *a)
{
    struct fault f;
    const char *dir = args_value(a, "dir");
    fault_init(&f);
    if (a->n_positional == 0 || !dir)
        return command_usage(a, "a package and --dir are needed");
    if (day_of(args_value(a, "from")) == UINT32_MAX || day_of(args_value(a, "until")) == UINT32_MAX)
        return command_usage(a, "--from and --until are days: 2027-01-01");
    err e = folder_make(dir, &f);
    for (int i = 0; e == E_OK && i < a->n_positional; i++)
        e = add_package(a, a->positional[i], dir, &f);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}

static void
print_pack(const struct args *a, const struct pack_facts *p)
{
    if (a->json)
        printf("{\"name\":\"%.*s\",\"version\":\"%.*s\",\"valid_from\":%u,\"valid_until\":%u,\"bytes\":%zu,"
               "\"profiles\":%u,\"value_sets\":%u,\"code_systems\":%u}\n",
               VIEW_ARG(p->name), VIEW_ARG(p->version), p->valid_from, p->valid_until, p->bytes, p->profiles,
               p->value_sets, p->code_systems);
    else
        printf("%-40.*s %-12.*s %9zu bytes %5u profiles %5u value sets %5u code systems  %08u..%08u\n",
               VIEW_ARG(p->name), VIEW_ARG(p->version), p->bytes, p->profiles, p->value_sets, p->code_systems,
               p->valid_from, p->valid_until);
}

int
run_profile_list(struct args *a)
{
    const char *files[FILES_MOST];
    struct pack_facts facts[FILES_MOST + 2];
    struct fault f;
    fault_init(&f);
    AUTO(profiles_free) struct profile_set *set = NULL;
    struct profile_sources from = {.files = fhir_profiles, .n = fhir_profiles_count, .packs = files};
    from.n_packs = list_folder(a, args_value(a, "dir"), ".pack", files);
    err e = profiles_open(&from, &set, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    size_t n = profiles_packs(set, facts, COUNT_OF(facts));
    for (size_t i = 0; i < n; i++)
        print_pack(a, &facts[i]);
    return EXIT_OK;
}
