#include "fhir/pack_build.h"

#include "base/digest.h"
#include "fhir/shape.h"

#define SECTION_BYTES_MAX (1ull << 31)

static const size_t item_size[PACK_SECTIONS] = {
#define SECTION(NAME, field, type) [PACK_##NAME] = sizeof(type),
#include "fhir/pack_sections.def"
#undef SECTION
};

err
pack_build_init(struct pack_build *b, arena *mem)
{
    *b = (struct pack_build){.mem = mem};
    for (int i = 0; i < PACK_SECTIONS; i++)
        buf_init(&b->sections[i], SECTION_BYTES_MAX);
    bool made = hash_table_init(&b->texts, mem, 4096) && hash_table_init(&b->links, mem, 512) &&
                hash_table_init(&b->constraints, mem, 512);
    return made ? E_OK : E_TOO_LARGE;
}

void
pack_build_done(struct pack_build *b)
{
    for (int i = 0; i < PACK_SECTIONS; i++)
        buf_done(&b->sections[i]);
}

uint32_t
pack_count(const struct pack_build *b, enum pack_section section)
{
    return (uint32_t)(b->sections[section].n / item_size[section]);
}

uint32_t
pack_add(struct pack_build *b, enum pack_section section, const void *item)
{
    uint32_t n = pack_count(b, section);
    buf_add(&b->sections[section], item, item_size[section]);
    b->failed |= b->sections[section].failed;
    return n;
}

void *
pack_item_of(struct pack_build *b, enum pack_section section, uint32_t n)
{
    return b->sections[section].p + n * item_size[section];
}

struct pack_text
pack_add_text(struct pack_build *b, view text)
{
    uint32_t at = pack_count(b, PACK_TEXT), found;
    if (text.n == 0)
        return (struct pack_text){0, 0};
    err e = hash_table_add(&b->texts, hash_view(hash_number(0, text.n), text), at, &found);
    if (e == E_DUPLICATE)
        return (struct pack_text){found, (uint32_t)text.n};
    buf_add(&b->sections[PACK_TEXT], text.p, text.n);
    b->failed |= e != E_OK || b->sections[PACK_TEXT].failed;
    return (struct pack_text){at, (uint32_t)text.n};
}

#define CORE_URL "http://hl7.org/fhir/StructureDefinition/"

uint32_t
pack_add_link(struct pack_build *b, enum pack_kind kind, view canonical)
{
    uint32_t found, n = pack_count(b, PACK_LINK);
    view version = canonical, url = view_cut(&version, '|', NULL);
    if (url.n == 0)
        return PACK_NONE;
    err e = hash_table_add(&b->links, hash_view(hash_number(1, kind), canonical), n, &found);
    if (e == E_DUPLICATE)
        return found;
    b->failed |= e != E_OK;
    struct pack_link link = {
        .url = pack_add_text(b, url), .version = pack_add_text(b, version), .kind = (uint32_t)kind};
    if (kind == PACK_IS_PROFILE && view_starts(url, V(CORE_URL)))
        link.shape = shape_of_type(view_sub(url, sizeof CORE_URL - 1, url.n));
    return pack_add(b, PACK_LINK, &link);
}

uint32_t
pack_add_constant(struct pack_build *b, view json, bool exact)
{
    struct fault f;
    struct tree t;
    fault_init(&f);
    view kept = arena_dup(b->mem, json);
    if (!kept.p || tree_read_json(kept, NULL, b->mem, &t, &f) != E_OK) {
        b->failed = true;
        return PACK_NONE;
    }
    struct pack_constant c = {.source = pack_add_text(b, kept),
                              .pool = pack_add_text(b, t.pool),
                              .nodes = {pack_count(b, PACK_NODE), t.n},
                              .exact = exact};
    for (uint32_t i = 0; i < t.n; i++)
        pack_add(b, PACK_NODE, &t.nodes[i]);
    return pack_add(b, PACK_CONSTANT, &c);
}

struct pack_span
pack_add_program(struct pack_build *b, view program)
{
    struct buf *out = &b->sections[PACK_PROGRAM];
    while (out->n % 8 != 0)
        buf_add_byte(out, 0);
    struct pack_span span = {(uint32_t)out->n, (uint32_t)program.n};
    buf_add_view(out, program);
    b->failed |= out->failed;
    return span;
}

/* ---- the end ---- */

static view
url_at(struct pack_build *b, enum pack_kind kind, uint32_t n)
{
    struct pack_text url;
    if (kind == PACK_IS_PROFILE)
        url = ((struct pack_profile *)pack_item_of(b, PACK_PROFILE, n))->url;
    else if (kind == PACK_IS_SET)
        url = ((struct pack_set *)pack_item_of(b, PACK_SET, n))->url;
    else
        url = ((struct pack_system *)pack_item_of(b, PACK_SYSTEM, n))->url;
    return (view){b->sections[PACK_TEXT].p + url.at, url.n};
}

static struct pack_span
add_index(struct pack_build *b, enum pack_kind kind, uint32_t n)
{
    uint32_t room = 4, zero = 0;
    while (room < n * 2)
        room *= 2;
    struct pack_span span = {pack_count(b, PACK_INDEX), n > 0 ? room : 0};
    for (uint32_t i = 0; i < span.n; i++)
        pack_add(b, PACK_INDEX, &zero);
    uint32_t *slots = b->failed || n == 0 ? NULL : pack_item_of(b, PACK_INDEX, span.from);
    for (uint32_t i = 0; slots && i < n; i++) {
        uint32_t at = pack_hash(url_at(b, kind, i));
        while (slots[at & (room - 1)])
            at++;
        slots[at & (room - 1)] = i + 1;
    }
    return span;
}

err
pack_build_end(struct pack_build *b, const struct pack_label *label, struct buf *out)
{
    struct pack_head head = {.magic = {'C', 'G', 'P', 'A', 'C', 'K', '\n', 0},
                             .format = PACK_FORMAT,
                             .shapes = pack_shapes_fingerprint(),
                             .name = pack_add_text(b, label->name),
                             .version = pack_add_text(b, label->version),
                             .date = pack_add_text(b, label->date),
                             .valid_from = label->valid_from,
                             .valid_until = label->valid_until};
    for (uint32_t i = 0; i < label->n_dependencies; i++) {
        struct pack_dependency d = {pack_add_text(b, label->dependencies[i].name),
                                    pack_add_text(b, label->dependencies[i].version)};
        pack_add(b, PACK_DEPENDENCY, &d);
    }
    head.index[PACK_IS_PROFILE] = add_index(b, PACK_IS_PROFILE, pack_count(b, PACK_PROFILE));
    head.index[PACK_IS_SET] = add_index(b, PACK_IS_SET, pack_count(b, PACK_SET));
    head.index[PACK_IS_SYSTEM] = add_index(b, PACK_IS_SYSTEM, pack_count(b, PACK_SYSTEM));
    head.size = sizeof head;
    for (int i = 0; i < PACK_SECTIONS; i++) {
        head.sections[i].at = head.size;
        head.sections[i].n = pack_count(b, (enum pack_section)i);
        head.size += (b->sections[i].n + 7) / 8 * 8;
    }
    size_t start = out->n;
    buf_add(out, &head, sizeof head);
    for (int i = 0; i < PACK_SECTIONS; i++) {
        buf_add(out, b->sections[i].p, b->sections[i].n);
        while (!out->failed && (out->n - start) % 8 != 0)
            buf_add_byte(out, 0);
    }
    if (b->failed || out->failed)
        return E_TOO_LARGE;
    view rest = {out->p + start + sizeof head, out->n - start - sizeof head};
    digest hash = sha256(rest);
    memcpy(((struct pack_head *)(void *)(out->p + start))->sha256, hash.b, sizeof hash.b);
    return E_OK;
}
