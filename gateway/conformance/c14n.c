/* Canonical XML: by mode and node set, and as References of a signature digest it. */
#include "conformance/judge.h"

#include "signing/xml/xmldsig_interop.h"

static const char *
path_in_set(struct conformance_run *r, view file)
{
    return arena_printf(r->mem, "%s/%s/%.*s", r->root, r->path, VIEW_ARG(file)).p;
}

static err
canonical_of(struct conformance_run *r, const json_t *one, view *ret, struct fault *f)
{
    view mode = json_text(one, "mode"), xpath = json_text(one, "xpath"), prefixes = json_text(one, "ns");
    struct c14n_request rq = {.file = path_in_set(r, json_text(one, "input"))};
    rq.mode = view_starts(mode, V("exc-"))   ? C14N_EXCLUSIVE
              : view_starts(mode, V("1-1-")) ? C14N_1_1
                                             : C14N_INCLUSIVE;
    rq.comments = !view_ends(mode, V("without-comments"));
    if (xpath.n > 0)
        TRY(conformance_file(r, xpath, &rq.xpath, f));
    if (prefixes.n > 0)
        TRY(conformance_file(r, prefixes, &rq.prefixes, f));
    return xml_c14n_file(&rq, r->mem, ret, f);
}

struct beside {
    struct conformance_run *r;
    view folder; /* with its slash */
};

/* A URI of these signatures is a file beside them. */
static view
bytes_beside(void *self, view uri)
{
    struct beside *b = self;
    view bytes, file = arena_printf(b->r->mem, "%.*s%.*s", VIEW_ARG(b->folder), VIEW_ARG(uri));
    return conformance_file(b->r, file, &bytes, NULL) == E_OK ? bytes : VIEW_NONE;
}

static err
reference_of(struct conformance_run *r, const json_t *one, view *ret, struct fault *f)
{
    view file = json_text(one, "signature"), folder = file;
    while (folder.n > 0 && folder.p[folder.n - 1] != '/')
        folder.n--;
    struct beside beside = {r, folder};
    struct xmldsig_outside outside = {&beside, bytes_beside};
    int64_t n = json_int(one, "reference", 0);
    return xml_reference_octets(path_in_set(r, file), n < 0 ? 0 : (size_t)n, &outside, r->mem, ret, f);
}

static err
judge_canonical(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view want, got = VIEW_NONE;
    struct fault why;
    fault_init(&why);
    TRY(conformance_file(r, json_text(one, "output"), &want, f));
    err e =
        json_text(one, "signature").n ? reference_of(r, one, &got, &why) : canonical_of(r, one, &got, &why);
    if (e != E_OK)
        judge_case(r, judge_id(one), true, e, &why);
    else
        conformance_case(r, judge_id(one), view_eq(got, want) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE,
                         "other octets: %zu for %zu", got.n, want.n);
    return E_OK;
}

err
conformance_c14n(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_canonical, f);
}
