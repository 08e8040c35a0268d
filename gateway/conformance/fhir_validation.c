#include "conformance/conformance.h"

#include "fhir/fhir.h"
#include "fhir/package.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Sets of documents with a verdict: each is read and validated as `claimgate validate` would. */

#define CASE_BYTES ((size_t)1 << 30)
#define PACKS_MOST 64
#define FILES_MOST 16
#define DOCUMENT_BYTES_MAX ((size_t)256 << 20)

/* ---- packages of definitions ---- */

struct packages {
    const char *files[PACKS_MOST];
    size_t n;
};

static void
add_package(struct conformance_run *r, struct packages *p, const char *name)
{
    view path = arena_printf(r->mem, "%s/%s", r->definitions, name);
    if (p->n < PACKS_MOST && path.p)
        p->files[p->n++] = path.p;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All packages of a folder under the definitions whose names begin so. */
static err
add_folder(struct conformance_run *r, struct packages *p, const char *folder, const char *prefix,
           struct fault *f)
{
    view path = arena_printf(r->mem, "%s/%s", r->definitions, folder);
    DIR *dir = opendir(path.p);
    if (!dir)
        return fault_setf(f, E_NOT_FOUND, "a folder of packages", "none", "%s", path.p);
    for (struct dirent *one; (one = readdir(dir));)
        if (view_ends(view_of(one->d_name), V(".tgz")) && view_starts(view_of(one->d_name), view_of(prefix)))
            add_package(r, p, arena_printf(r->mem, "%s/%s", folder, one->d_name).p);
    closedir(dir);
    qsort(p->files, p->n, sizeof *p->files, by_name);
    return E_OK;
}

/* ---- one document ---- */

struct document {
    arena *mem;
    struct tree tree;
    struct issues issues;
    struct fault fault;
    bool accepted;
};

static enum fhir_media
media_of(view name)
{
    return view_ends(name, V(".xml")) ? FHIR_XML : FHIR_JSON;
}

static void
validate(const struct profile_set *set, enum fhir_media media, view bytes, struct validate_options options,
         struct document *d)
{
    fault_init(&d->fault);
    issues_init(&d->issues, d->mem, 2000);
    err e = fhir_read(media, bytes, d->mem, &d->tree, &d->fault);
    if (e == E_OK)
        e = fhir_validate_resource(set, &d->tree, tree_root(&d->tree), &options, d->mem, &d->issues);
    d->accepted = e == E_OK && d->issues.errors == 0;
    if (e != E_OK && d->fault.code == E_OK)
        d->fault.code = e;
}

static view
first_error(const struct document *d, arena *mem)
{
    if (d->fault.code != E_OK)
        return arena_printf(mem, "%s at %s", err_info(d->fault.code)->code, d->fault.where);
    for (const struct issue *i = d->issues.first; i; i = i->next)
        if (i->severity == ISSUE_ERROR)
            return arena_printf(mem, "%zu errors, first: %s at %.*s (%ld:%ld): expected %.*s, found %.*s",
                                d->issues.errors, err_info(i->code)->code, VIEW_ARG(i->path), i->line,
                                i->column, VIEW_ARG(i->expected), VIEW_ARG(i->found));
    return V("no error");
}

static void
count(struct conformance_run *r, view id, bool expected, const struct document *d)
{
    view why = first_error(d, d->mem);
    enum conformance_outcome outcome = d->accepted == expected ? CONFORMANCE_AGREE
                                       : expected              ? CONFORMANCE_WRONG_REJECT
                                                               : CONFORMANCE_WRONG_ACCEPT;
    conformance_case(r, id, outcome, "%.*s", VIEW_ARG(why));
}

/* Documents above a certain size are kept compressed. */
static err
read_document(struct conformance_run *r, view name, arena *mem, view *ret, struct fault *f)
{
    if (!view_ends(name, V(".gz")))
        return conformance_file(r, name, ret, f);
    view path = arena_printf(mem, "%s/%s/%.*s", r->root, r->path, VIEW_ARG(name));
    struct buf text;
    char part[65536];
    int n;
    gzFile in = gzopen(path.p, "rb");
    if (!in)
        return fault_set(f, E_NOT_FOUND, path.p, "a file of the set", "no such file");
    buf_init(&text, DOCUMENT_BYTES_MAX);
    while ((n = gzread(in, part, sizeof part)) > 0)
        buf_add(&text, part, (size_t)n);
    gzclose(in);
    *ret = arena_dup(mem, buf_view(&text));
    buf_done(&text);
    return ret->p ? E_OK : fault_set(f, E_TOO_LARGE, path.p, "a smaller document", "");
}

static view
item_text(const json_t *array, size_t i)
{
    const char *text = json_string_value(json_array_get(array, i));
    return view_of(text);
}

/* ---- sets with one verdict per file ---- */

static const struct profile_set *profiles_of_set; /* of the run that goes on; one thread */

static err
judge_file(struct conformance_run *r, const json_t *one, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(CASE_BYTES);
    struct document d = {.mem = mem};
    view id = json_text(one, "id"), name = item_text(json_object_get(one, "files"), 0), bytes;
    bool expected = view_eq(json_text(one, "expect"), V("accept"));
    if (view_ends(name, V(".bz2"))) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "bzip2 is not read here");
        return E_OK;
    }
    TRY(read_document(r, name, mem, &bytes, f));
    validate(profiles_of_set, media_of(name), bytes, (struct validate_options){.check = true}, &d);
    count(r, id, expected, &d);
    return E_OK;
}

static err
judge_all(struct conformance_run *r, const struct packages *p, struct fault *f)
{
    AUTO(profiles_free) struct profile_set *set = NULL;
    TRY(packages_open(p->files, p->n, &(struct profile_sources){.lenient = true}, &set, f));
    profiles_of_set = set;
    err e = conformance_each(r, judge_file, f);
    profiles_of_set = NULL;
    return e;
}

err
conformance_fhir_base(struct conformance_run *r, struct fault *f)
{
    return judge_all(r, &(struct packages){.n = 0}, f);
}

err
conformance_fhir_tw_core(struct conformance_run *r, struct fault *f)
{
    struct packages p = {.n = 0};
    TRY(add_folder(r, &p, ".", "tw.gov.mohw.twcore", f));
    return judge_all(r, &p, f);
}

err
conformance_fhir_tw_nhi(struct conformance_run *r, struct fault *f)
{
    struct packages p = {.n = 0};
    TRY(add_folder(r, &p, ".", "tw", f));
    return judge_all(r, &p, f);
}

/* Two editions of one guide; its examples lie in folders named for theirs and follow no other. */
static const char *edition;

static err
judge_edition(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view id = json_text(one, "id"), mine = view_of(edition);
    bool is_other = id.n > 5 && id.p[1] == '.' && id.p[5] == '/' && !view_starts(id, mine);
    bool is_common = !(id.n > 5 && id.p[1] == '.' && id.p[5] == '/');
    return is_other || (is_common && !view_eq(mine, V("2.2.1"))) ? E_OK : judge_file(r, one, f);
}

err
conformance_fhir_davinci(struct conformance_run *r, struct fault *f)
{
    static const char *const editions[] = {"2.0.1", "2.2.1"};
    for (size_t i = 0; i < COUNT_OF(editions); i++) {
        struct packages p = {.n = 0};
        AUTO(profiles_free) struct profile_set *set = NULL;
        view name = arena_printf(r->mem, "hl7.fhir.us.davinci-pas-%s", editions[i]);
        TRY(add_folder(r, &p, ".", name.p, f));
        TRY(packages_open(p.files, p.n, &(struct profile_sources){.lenient = true}, &set, f));
        profiles_of_set = set;
        edition = editions[i];
        TRY(conformance_each(r, judge_edition, f));
    }
    profiles_of_set = NULL;
    return E_OK;
}

err
conformance_fhir_nhcx(struct conformance_run *r, struct fault *f)
{
    struct packages p = {.n = 0};
    TRY(add_folder(r, &p, ".", "nhcx", f));
    return judge_all(r, &p, f);
}

err
conformance_fhir_erezept(struct conformance_run *r, struct fault *f)
{
    struct packages p = {.n = 0};
    TRY(add_folder(r, &p, "erezept-packages", "", f));
    return judge_all(r, &p, f);
}

/* ---- the reference validator's own tests ---- */

/* The reference writes a resource's type and id as a comment behind its place, the type of a choice as ofType(), the
 * url of an extension behind its number, [0] where there is one item only, and an operation's parameter behind the profile that it
 * is compared with: the same place in other words. */
static size_t
profile_word(view path)
{
    static const view words[] = {V_INIT(".inputProfile"), V_INIT(".outputProfile")};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_starts(path, words[i]) && view_starts(view_sub(path, words[i].n, path.n), V(".parameter[")))
            return words[i].n;
    return 0;
}

static view
plain_path(view path, arena *mem)
{
    char *out = arena_alloc(mem, path.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < path.n; i++) {
        size_t profile = profile_word(view_sub(path, i, path.n));
        if (profile > 0) {
            i += profile - 1;
        } else if (view_starts(view_sub(path, i, path.n), V("/*"))) {
            size_t end = view_find(view_sub(path, i, path.n), V("*/"));
            i += end + 1;
        } else if (view_starts(view_sub(path, i, path.n), V(".ofType("))) {
            view type = view_sub(path, i + 8, path.n);
            type = view_sub(type, 0, view_find_byte(type, ')'));
            for (size_t k = 0; k < type.n; k++)
                out[n++] = k == 0 && type.p[0] >= 'a' ? (char)(type.p[0] - 32) : type.p[k];
            i += 8 + type.n;
        } else if (view_starts(view_sub(path, i, path.n), V("[0]"))) {
            i += 2;
        } else if (view_starts(view_sub(path, i, path.n), V("[url='"))) {
            i += view_find(view_sub(path, i, path.n), V("']")) + 1;
        } else if (path.p[i] != '_') {
            out[n++] = path.p[i];
        }
    }
    return (view){out, n};
}

static bool
is_same_place(view a, view b)
{
    return view_eq(a, b) ||
           (a.n > b.n && view_starts(a, b) &&
            view_find(view_sub(a, b.n + 1, a.n), V(".")) == a.n - b.n - 1) ||
           (b.n > a.n && view_starts(b, a) && view_find(view_sub(b, a.n + 1, b.n), V(".")) == b.n - a.n - 1);
}

static bool
has_error_at(const struct document *d, view path, arena *mem)
{
    view wanted = plain_path(path, mem);
    if (d->fault.code != E_OK)
        return true; /* the text could not be read at all */
    for (const struct issue *i = d->issues.first; i; i = i->next)
        if (i->severity == ISSUE_ERROR && is_same_place(plain_path(i->path, mem), wanted))
            return true;
    return false;
}

static bool
is_definition(view name)
{
    return !view_starts(name, V("outcomes/"));
}

static err
open_supporting(struct conformance_run *r, const json_t *files, view profile, struct profile_set **ret,
                view *ret_demand, struct fault *f)
{
    struct embedded list[FILES_MOST];
    size_t n = 0;
    for (size_t i = 1; i < json_array_size(files) && n < FILES_MOST; i++) {
        view name = item_text(files, i), bytes;
        if (!is_definition(name))
            continue;
        TRY(conformance_file(r, name, &bytes, f));
        list[n++] = (struct embedded){arena_cstr(r->mem, name), bytes.p, bytes.n};
        AUTO(arena_free) arena *mem = arena_new(CASE_BYTES);
        struct tree t;
        struct fault unread;
        fault_init(&unread);
        if (view_eq(name, profile) && fhir_read(media_of(name), bytes, mem, &t, &unread) == E_OK)
            *ret_demand = arena_dup(r->mem, node_text_at(&t, tree_root(&t), "url"));
    }
    return profiles_open(&(struct profile_sources){.files = list, .n = n, .lenient = true}, ret, f);
}

static void
count_places(struct conformance_run *r, view id, const json_t *one, const struct document *d)
{
    const json_t *with = json_object_get(one, "with_profile");
    const json_t *from = json_is_object(with) ? with : json_object_get(one, "base");
    const json_t *list = json_object_get(from, "error_list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        view path = json_text(json_array_get(list, i), "expression");
        bool found = has_error_at(d, path, d->mem);
        conformance_place(r, found);
        if (!found && r->list)
            fprintf(stderr, "%s %.*s: place: none at %.*s (%.*s)\n", r->path, VIEW_ARG(id), VIEW_ARG(path),
                    VIEW_ARG(json_text(json_array_get(list, i), "text")));
    }
}

static err
judge_reference(struct conformance_run *r, const json_t *one, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(CASE_BYTES);
    AUTO(profiles_free) struct profile_set *set = NULL;
    struct document d = {.mem = mem};
    const json_t *files = json_object_get(one, "files");
    view id = json_text(one, "id"), name = item_text(files, 0), bytes, demand = VIEW_NONE;
    if (json_is_true(json_object_get(one, "needs_tx"))) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "the reference asked a terminology server");
        return E_OK;
    }
    TRY(conformance_file(r, name, &bytes, f));
    TRY(open_supporting(r, files, json_text(one, "profile"), &set, &demand, f));
    const json_t *asked = json_object_get(json_object_get(one, "options"), "security-checks");
    const struct validate_options options = {
        .demand = demand, .by_hl7 = true, .no_markup = json_is_true(asked)};
    validate(set, media_of(name), bytes, options, &d);
    bool expected = view_eq(json_text(one, "expect"), V("accept"));
    count(r, id, expected, &d);
    if (!expected && !d.accepted)
        count_places(r, id, one, &d);
    return E_OK;
}

err
conformance_fhir_reference(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_reference, f);
}
