#include "fhir/pack.h"

#include "base/digest.h"
#include "base/text.h"
#include "fhir/shape.h"

static const char magic[8] = {'C', 'G', 'P', 'A', 'C', 'K', '\n', 0};

uint32_t
pack_hash(view url)
{
    /* Eight bytes a step: a product for each byte has to wait for the one before, and URLs are long. */
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15) + url.n, part = 0;
    size_t i = 0;
    for (; i + sizeof part <= url.n; i += sizeof part) {
        memcpy(&part, url.p + i, sizeof part);
        h = (h ^ part) * UINT64_C(0xC2B2AE3D27D4EB4F);
        h ^= h >> 29;
    }
    part = 0;
    if (i < url.n)
        memcpy(&part, url.p + i, url.n - i);
    h = (h ^ part) * UINT64_C(0x165667B19E3779F9);
    return (uint32_t)(h ^ (h >> 32));
}

uint32_t
pack_shapes_fingerprint(void)
{
    uint32_t h = PACK_FORMAT;
    for (uint16_t shape = 1; shape < SHAPE_COUNT; shape++) {
        uint32_t n;
        const struct shape_row *rows = shape_rows(shape, &n);
        h = h * 31 + pack_hash(shape_name(shape));
        for (uint32_t i = 0; i < n; i++)
            h = (h * 31 + pack_hash(row_name(&rows[i]))) * 31 + rows[i].type;
    }
    return h;
}

static const struct {
    size_t size;
} section_info[PACK_SECTIONS] = {
#define SECTION(NAME, field, type) [PACK_##NAME] = {sizeof(type)},
#include "fhir/pack_sections.def"
#undef SECTION
};

static bool
sections_fit(const struct pack_head *head, size_t size)
{
    for (int i = 0; i < PACK_SECTIONS; i++) {
        uint64_t at = head->sections[i].at, n = head->sections[i].n;
        if (at > size || at % 8 != 0 || n > (size - at) / section_info[i].size || n > UINT32_MAX)
            return false;
    }
    return true;
}

static bool
is_hash_right(const struct pack_head *head, view bytes)
{
    digest found = sha256(view_sub(bytes, sizeof *head, bytes.n));
    return memcmp(found.b, head->sha256, sizeof found.b) == 0;
}

err
pack_open(view bytes, bool check, const char *name, struct pack *ret, struct fault *f)
{
    const struct pack_head *head = (const void *)bytes.p;
    if (bytes.n < sizeof *head || memcmp(head->magic, magic, sizeof magic) != 0 || head->size != bytes.n)
        return fault_setf(f, E_CONFIG, "a whole pack", "another file", "%s", name);
    if (head->format != PACK_FORMAT || head->shapes != pack_shapes_fingerprint())
        return fault_setf(f, E_CONFIG, "a pack of this program version: add the package again", "another",
                          "%s", name);
    if (!sections_fit(head, bytes.n) || (check && !is_hash_right(head, bytes)))
        return fault_setf(f, E_CONFIG, "a pack with the hash that it names", "other bytes", "%s", name);
    *ret = (struct pack){.head = head, .bytes = bytes};
#define SECTION(NAME, field, type)                                                                           \
    ret->field = (const void *)(bytes.p + head->sections[PACK_##NAME].at);                                   \
    ret->n_##field = (uint32_t)head->sections[PACK_##NAME].n;
#include "fhir/pack_sections.def"
#undef SECTION
    return E_OK;
}

static int
compare_versions(view a, view b)
{
    while (a.n > 0 && b.n > 0) {
        view x = view_cut(&a, '.', NULL), y = view_cut(&b, '.', NULL);
        uint64_t i, j;
        bool numbers = text_to_u64(x, &i) == E_OK && text_to_u64(y, &j) == E_OK;
        if (numbers ? i != j : !view_eq(x, y))
            return numbers ? (i > j) - (i < j) : view_cmp(x, y);
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* As https://semver.org orders: what follows a hyphen comes before the release. */
bool
pack_is_newer(view a, view b)
{
    bool before_a, before_b;
    view pre_a = a, pre_b = b;
    view core_a = view_cut(&pre_a, '-', &before_a), core_b = view_cut(&pre_b, '-', &before_b);
    int order = compare_versions(core_a, core_b);
    if (order != 0 || before_a != before_b)
        return order != 0 ? order > 0 : before_b;
    return compare_versions(pre_a, pre_b) > 0;
}

static view
url_of(const struct pack *p, enum pack_kind kind, uint32_t n)
{
    if (kind == PACK_IS_PROFILE)
        return pack_view(p, p->profiles[n].url);
    return pack_view(p, kind == PACK_IS_SET ? p->sets[n].url : p->systems[n].url);
}

view
pack_version_of(const struct pack *p, enum pack_kind kind, uint32_t n)
{
    if (kind == PACK_IS_PROFILE)
        return pack_view(p, p->profiles[n].version);
    return pack_view(p, kind == PACK_IS_SET ? p->sets[n].version : p->systems[n].version);
}

uint32_t
pack_find(const struct pack *p, enum pack_kind kind, uint32_t hash, view url, view version)
{
    struct pack_span index = p->head->index[kind];
    const uint32_t *slots = p->index + index.from;
    uint32_t best = PACK_NONE;
    if (index.n == 0)
        return PACK_NONE;
    for (uint32_t at = hash;; at++) {
        uint32_t n = slots[at & (index.n - 1)];
        if (n == 0)
            return best;
        if (!view_eq(url_of(p, kind, n - 1), url))
            continue;
        view found = pack_version_of(p, kind, n - 1);
        if (version.n ? !view_eq(found, version)
                      : best != PACK_NONE && !pack_is_newer(found, pack_version_of(p, kind, best)))
            continue;
        best = n - 1;
    }
}

struct tree
pack_tree(const struct pack *p, uint32_t constant)
{
    const struct pack_constant *c = &p->constants[constant];
    return (struct tree){.source = pack_view(p, c->source),
                         .nodes = p->nodes + c->nodes.from,
                         .n = c->nodes.n,
                         .pool = pack_view(p, c->pool)};
}
