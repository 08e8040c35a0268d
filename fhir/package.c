#include "fhir/package.h"

#include "fhir/pack_set.h"
#include "fhir/profile.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* An archive unpacked; one file in it; the trees and drafts of a package. */
#define ARCHIVE_BYTES_MAX (512u << 20)
#define COMPILE_BYTES_MAX (4096ull << 20)
#define BLOCK 512u

/* ---- the archive ---- */

static err
unpack(const char *path, struct buf *out, struct fault *f)
{
    char part[16384];
    gzFile in = gzopen(path, "rb");
    int n = 0;
    if (!in)
        return fault_setf(f, E_NOT_FOUND, "a package that can be read", "none", "%s", path);
    while (!out->failed && (n = gzread(in, part, sizeof part)) > 0)
        buf_add(out, part, (size_t)n);
    int closed = gzclose(in); /* knows of a stream that ends too early */
    if (out->failed)
        return fault_setf(f, E_TOO_LARGE, "an archive of at most 512 MiB", "a larger one", "%s", path);
    if (n < 0 || closed != Z_OK)
        return fault_setf(f, E_CONFIG, "a whole gzipped archive", "other bytes, or a part of one", "%s",
                          path);
    return E_OK;
}

struct tar {
    view bytes;
    size_t at;
    bool broken; /* no archive, or its end is missing */
};

struct tar_file {
    view name, bytes;
};

static bool
read_octal(view digits, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < digits.n && digits.p[i] >= '0' && digits.p[i] <= '7'; i++) {
        if (n > ARCHIVE_BYTES_MAX)
            return false;
        n = n * 8 + (size_t)(digits.p[i] - '0');
    }
    *ret = n;
    return true;
}

static view
until_nul(view field)
{
    return view_sub(field, 0, view_find_byte(field, 0));
}

/* The sum of a head's bytes, its own field counted as blanks. */
static bool
is_sum_right(view head)
{
    size_t sum = 0, stated;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)head.p[i];
    return read_octal(view_trim(view_sub(head, 148, 8)), &stated) && stated == sum;
}

/* The next plain file; false at the end, which is a block of zeros.  ustar, and the long names of GNU and pax, whose own entries are passed over:
 * the short name's end is enough to tell what a file is. */
static bool
tar_next(struct tar *t, struct tar_file *ret)
{
    for (;;) {
        view head = view_sub(t->bytes, t->at, BLOCK);
        size_t size;
        t->broken = head.n < BLOCK;
        if (t->broken || head.p[0] == 0)
            return false;
        t->broken = !is_sum_right(head) || !read_octal(view_sub(head, 124, 12), &size) ||
                    size > t->bytes.n - t->at - BLOCK;
        if (t->broken)
            return false;
        view bytes = {t->bytes.p + t->at + BLOCK, size};
        t->at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
        if (head.p[156] != '0' && head.p[156] != 0)
            continue;
        *ret = (struct tar_file){until_nul(view_sub(head, 0, 100)), bytes};
        return true;
    }
}

static err
archive_fault(const struct tar *t, const char *path, struct fault *f)
{
    return t->broken
               ? fault_setf(f, E_CONFIG, "a whole tar archive", "other bytes, or a part of one", "%s", path)
               : E_OK;
}

/* ---- what is in it ---- */

struct package {
    struct sources sources;
    view name, version, date;
    struct package_name dependencies[64];
    uint32_t n_dependencies;
};

static bool
is_manifest(view name)
{
    return view_eq(name, V("package/package.json"));
}

/* Examples and what tools left behind hold no definitions. */
static bool
is_definition(view name)
{
    static const char *const others[] = {
        "/example/", "/examples/",        "/other/",           "/openapi/",   "/.index",         "medplum",
        "/testing/", "dataelements.json", "search-parameters", "fhir.schema", "conceptmaps.json"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (view_find(name, view_of(others[i])) < name.n)
            return false;
    return view_ends(name, V(".json")) || view_ends(name, V(".xml"));
}

static err
read_manifest(struct package *p, view bytes, const char *path, struct fault *f)
{
    struct tree *t = arena_make(p->sources.mem, struct tree);
    struct fault detail;
    fault_init(&detail);
    view kept = arena_dup(p->sources.mem, bytes);
    if (!t || !kept.p || tree_read_json(kept, NULL, p->sources.mem, t, &detail) != E_OK)
        return fault_setf(f, E_CONFIG, "a package.json", "other bytes", "%s", path);
    p->name = node_text_at(t, tree_root(t), "name");
    p->version = node_text_at(t, tree_root(t), "version");
    p->date = node_text_at(t, tree_root(t), "date");
    for (NODE_EACH(item, t, node_member(t, tree_root(t), V("dependencies"))))
        if (p->n_dependencies < COUNT_OF(p->dependencies)) {
            p->dependencies[p->n_dependencies].name = node_name(t, item);
            p->dependencies[p->n_dependencies++].version = node_text(t, item);
        }
    return E_OK;
}

static err
read_package(struct package *p, const char *path, bool aside, struct fault *f)
{
    struct buf archive;
    struct tar_file file;
    buf_init(&archive, ARCHIVE_BYTES_MAX);
    err e = unpack(path, &archive, f);
    struct tar tar = {.bytes = buf_view(&archive)};
    while (e == E_OK && tar_next(&tar, &file)) {
        if (is_manifest(file.name))
            e = aside ? E_OK : read_manifest(p, file.bytes, path, f);
        else if (is_definition(file.name))
            e = sources_add(&p->sources, file.name, file.bytes, aside);
    }
    buf_done(&archive);
    return e == E_OK ? archive_fault(&tar, path, f) : e;
}

/* "kbv.ita.erp-1.1.1.tgz" for packages without manifest, or whose manifest has no version; the last word is version 0. */
static void
name_after_file(struct package *p, const char *path)
{
    view name = view_of(path), rest = name;
    bool more = true;
    while (more) {
        name = rest;
        view_cut(&rest, '/', &more);
    }
    if (view_ends(name, V(".tgz")))
        name = view_sub(name, 0, name.n - 4);
    if (p->name.n > 0 && p->version.n > 0)
        return;
    size_t dash = name.n;
    for (size_t i = 0; i + 1 < name.n && dash == name.n; i++)
        if (name.p[i] == '-' && name.p[i + 1] >= '0' && name.p[i + 1] <= '9')
            dash = i;
    view version = view_sub(name, dash + 1, name.n);
    if (p->name.n == 0)
        p->name = arena_dup(p->sources.mem, view_sub(name, 0, dash));
    if (p->version.n == 0)
        p->version = arena_dup(p->sources.mem, version.n > 0 ? version : V("0"));
}

static void
start(void)
{
    shape_start();
    hash_start();
}

err
package_look(const char *file, arena *mem, struct package_facts *ret, struct fault *f)
{
    struct package p = {.sources = {.mem = mem, .lenient = true, .f = f}};
    struct buf archive;
    struct tar_file one;
    start();
    buf_init(&archive, ARCHIVE_BYTES_MAX);
    err e = unpack(file, &archive, f);
    struct tar tar = {.bytes = buf_view(&archive)};
    while (e == E_OK && tar_next(&tar, &one))
        if (is_manifest(one.name))
            e = read_manifest(&p, one.bytes, file, f);
    buf_done(&archive);
    TRY(e == E_OK ? archive_fault(&tar, file, f) : e);
    name_after_file(&p, file);
    struct package_name *list = arena_make_array(mem, p.n_dependencies + 1u, struct package_name);
    if (!list)
        return fault_setf(f, E_TOO_LARGE, "less than the memory", "", "%s", file);
    memcpy(list, p.dependencies, p.n_dependencies * sizeof *list);
    *ret = (struct package_facts){
        .name = p.name, .version = p.version, .dependencies = list, .n_dependencies = p.n_dependencies};
    return E_OK;
}

static const struct pack *
base_pack(void)
{
    const struct profile_set *set = profiles_base();
    return set ? set->base : NULL;
}

err
package_compile(const struct package_request *rq, arena *mem, struct buf *out, struct package_facts *ret,
                struct fault *f)
{
    start();
    AUTO(arena_free) arena *work = arena_new(COMPILE_BYTES_MAX);
    struct package p = {.sources = {.mem = work, .lenient = true, .f = f}};
    TRY(read_package(&p, rq->file, false, f));
    name_after_file(&p, rq->file);
    for (size_t i = 0; i < rq->n_beside; i++)
        TRY(read_package(&p, rq->beside[i], true, f));
    struct pack_label label = {.name = p.name,
                               .version = p.version,
                               .date = p.date,
                               .valid_from = rq->valid_from,
                               .valid_until = rq->valid_until};
    for (uint32_t i = 0; i < p.n_dependencies; i++) {
        label.dependencies[i].name = p.dependencies[i].name;
        label.dependencies[i].version = p.dependencies[i].version;
    }
    label.n_dependencies = p.n_dependencies;
    TRY(sources_compile(&p.sources, base_pack(), &label, out));
    *ret = (struct package_facts){.name = arena_dup(mem, p.name),
                                  .version = arena_dup(mem, p.version),
                                  .left_out = p.sources.left_out,
                                  .first_left_out = p.sources.first_left_out};
    return E_OK;
}

err
package_compile_one(const struct package_name *name, view json, struct buf *out, struct fault *f)
{
    start();
    AUTO(arena_free) arena *work = arena_new(COMPILE_BYTES_MAX);
    struct sources sources = {.mem = work, .f = f, .words = true};
    const struct pack_label label = {.name = name->name, .version = name->version};
    TRY(sources_add(&sources, name->name, json, false));
    return sources_compile(&sources, base_pack(), &label, out);
}

uint32_t
package_hash(view url)
{
    return pack_hash(url);
}

err
package_compile_base(const char *file, struct buf *out, struct fault *f)
{
    start();
    AUTO(arena_free) arena *work = arena_new(COMPILE_BYTES_MAX);
    struct package p = {.sources = {.mem = work, .lenient = true, .f = f}};
    struct pack_label label = {.name = V("hl7.fhir.r4.core"), .version = V("4.0.1")};
    struct buf first;
    struct pack base;
    TRY(read_package(&p, file, false, f));
    buf_init(&first, ARCHIVE_BYTES_MAX);
    err e = sources_compile(&p.sources, NULL, &label, &first);
    if (e == E_OK)
        e = pack_open(buf_view(&first), false, "base", &base, f);
    if (e == E_OK)
        e = sources_compile(&p.sources, &base, &label, out);
    buf_done(&first);
    return e;
}
