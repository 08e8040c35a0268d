#include "cli/sample/sample.h"

#include "cli/sample/sign.h"
#include "signing/sandbox/pki_sandbox.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 256
#define PATH_SIZE 4352

/* Single resources that refer to each other by Type/id, put into one document Bundle; what is referred to and missing is made, as little as a reader needs. */
struct resource {
    struct tree tree;
    view address; /* "Patient/Patient-C1" */
    view type;
};

struct assembly {
    struct args *a;
    struct fault *f;
    const struct sandbox_party *signer;
    struct resource resources[RESOURCES_MAX];
    size_t n;
    struct buf out;
};

static err
read_resource(struct assembly *s, const char *path)
{
    view text;
    if (s->n == RESOURCES_MAX)
        return fault_set(s->f, E_TOO_LARGE, path, "at most 256 resources", "more");
    struct resource *r = &s->resources[s->n];
    TRY(file_read(path, s->a->mem, &text, s->f));
    TRY(tree_read_json(text, NULL, s->a->mem, &r->tree, s->f));
    r->type = node_text_at(&r->tree, tree_root(&r->tree), "resourceType");
    view id = node_text_at(&r->tree, tree_root(&r->tree), "id");
    if (!r->type.n || !id.n)
        return E_OK; /* not a resource */
    r->address = arena_printf(s->a->mem, "%.*s/%.*s", VIEW_ARG(r->type), VIEW_ARG(id));
    s->n++;
    return E_OK;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static err
read_folder(struct assembly *s, const char *dir)
{
    const char *names[RESOURCES_MAX];
    size_t n = 0;
    err e = E_OK;
    DIR *d = opendir(dir);
    if (!d)
        return fault_set(s->f, E_FILE, dir, "a folder of JSON files", "none");
    for (struct dirent *entry = readdir(d); entry && n < RESOURCES_MAX; entry = readdir(d))
        if (view_ends(view_of(entry->d_name), V(".json")))
            names[n++] = arena_cstr(s->a->mem, view_of(entry->d_name));
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n && e == E_OK; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        e = read_resource(s, path);
    }
    return e;
}

static bool
is_known(const struct assembly *s, view address)
{
    for (size_t i = 0; i < s->n; i++)
        if (view_eq(s->resources[i].address, address))
            return true;
    return false;
}

static void
put_full_url(struct assembly *s, view address)
{
    buf_printf(&s->out, "%s{\"fullUrl\":\"https://%s.example.tw/fhir/%.*s\",\"resource\":",
               s->out.p[s->out.n - 1] == '[' ? "" : ",", s->signer->name, VIEW_ARG(address));
}

/* What a reader needs of a resource that the set refers to and does not hold. */
static err
make_missing(struct assembly *s, view address, bool is_payor)
{
    view rest = address, type = view_cut(&rest, '/', NULL);
    put_full_url(s, address);
    buf_printf(&s->out, "{\"resourceType\":\"%.*s\",\"id\":\"%.*s\"", VIEW_ARG(type), VIEW_ARG(rest));
    if (view_eq(type, V("Organization")))
        buf_printf(&s->out, ",\"identifier\":[{\"system\":\"%s\",\"value\":\"%s\"}],\"name\":\"%s\"",
                   is_payor ? "https://gcis.nat.gov.tw"
                            : "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/organization-identifier-tw",
                   is_payor ? "99000220" : s->signer->organisation,
                   is_payor ? "沙箱第二人壽保險股份有限公司" : s->signer->common_name);
    else if (view_eq(type, V("Practitioner")))
        buf_printf(&s->out, ",\"name\":[{\"text\":\"%.*s\"}]", VIEW_ARG(rest));
    BUF_LIT(&s->out, "}}");
    /* Known from now on. */
    s->resources[s->n].address = address;
    s->resources[s->n++].type = type;
    return s->out.failed ? E_TOO_LARGE : E_OK;
}

static err
fill_references(struct assembly *s, const struct resource *r)
{
    for (uint32_t i = 0; i < r->tree.n; i++) {
        const struct node *n = &r->tree.nodes[i];
        if (n->kind != NODE_STRING || !view_eq(node_name(&r->tree, n), V("reference")))
            continue;
        view address = node_text(&r->tree, n);
        if (is_known(s, address) || view_find_byte(address, '/') == address.n ||
            view_find_byte(address, ':') < address.n)
            continue;
        if (s->n == RESOURCES_MAX)
            return fault_set(s->f, E_TOO_LARGE, "", "at most 256 resources", "more");
        const struct node *owner = &r->tree.nodes[r->tree.nodes[n->parent].parent];
        TRY(make_missing(s, address, view_eq(node_name(&r->tree, owner), V("payor"))));
    }
    return E_OK;
}

static err
assemble(struct assembly *s, view *ret)
{
    const struct resource *first = NULL;
    size_t read = s->n;
    for (size_t i = 0; i < read; i++)
        if (view_eq(s->resources[i].type, V("Composition")))
            first = &s->resources[i];
    if (!first)
        return fault_set(s->f, E_REQUIRED, "", "a Composition among the resources", "none");
    const struct node *root = tree_root(&first->tree);
    view value = node_text_at(&first->tree, root, "identifier.value"),
         system = node_text_at(&first->tree, root, "identifier.system");
    view when = node_text_at(&first->tree, root, "date");
    buf_printf(&s->out,
               "{\"resourceType\":\"Bundle\",\"meta\":{\"profile\":[\"https://claim.cgh.org.tw/iclaim/"
               "StructureDefinition/bundle-iclaim\"]},"
               "\"identifier\":{\"system\":\"%.*s\",\"value\":\"%.*s\"},\"type\":\"document\",\"timestamp\":"
               "\"%.*s\",\"entry\":[",
               VIEW_ARG(system.n ? system : V("https://example.tw")),
               VIEW_ARG(value.n ? value : V("assembled")),
               VIEW_ARG(when.n ? when : V("2026-01-01T00:00:00+08:00")));
    put_full_url(s, first->address);
    buf_printf(&s->out, "%.*s}", VIEW_ARG(first->tree.source));
    for (size_t i = 0; i < read; i++) {
        if (&s->resources[i] == first)
            continue;
        put_full_url(s, s->resources[i].address);
        buf_printf(&s->out, "%.*s}", VIEW_ARG(s->resources[i].tree.source));
    }
    for (size_t i = 0; i < read; i++)
        TRY(fill_references(s, &s->resources[i]));
    BUF_LIT(&s->out, "]}");
    *ret = s->out.failed ? VIEW_NONE : arena_dup(s->a->mem, buf_view(&s->out));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
run(struct assembly *s, const char *dir, const char *pki, const char *out)
{
    view body, header;
    char path[PATH_SIZE];
    TRY(read_folder(s, dir));
    TRY(assemble(s, &body));
    const struct sample_document document = {
        .name = "assembled", .body = body, .signer = s->signer->name, .cms = true};
    TRY(sample_sign(pki, &document, s->a->mem, &header, s->f));
    TRY(file_write(out, body, false, s->f));
    snprintf(path, sizeof path, "%s.headers", out);
    return file_write(path, header, false, s->f);
}

int
run_sample_assemble(struct args *a)
{
    const char *pki = args_value(a, "pki"), *signer = args_value(a, "signer"), *out = args_value(a, "out");
    struct fault f;
    fault_init(&f);
    if (a->n_positional != 1 || !pki || !signer || !out)
        return command_usage(a, "needs a folder, --pki DIR, --signer NAME and --out FILE");
    struct assembly *s = arena_make(a->mem, struct assembly);
    s->a = a;
    s->f = &f;
    for (size_t i = 0; i < sandbox_parties_count; i++)
        if (strcmp(sandbox_parties[i].name, signer) == 0)
            s->signer = &sandbox_parties[i];
    if (!s->signer)
        return command_usage(a, "--signer is no party of the sandbox");
    buf_init(&s->out, 64u << 20);
    err e = run(s, a->positional[0], pki, out);
    buf_done(&s->out);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("Wrote %s and %s.headers\n", out, out);
    return EXIT_OK;
}
