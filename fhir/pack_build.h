/* Writing a pack: arrays that grow, texts and links that stand once.
 *
 * Made and freed by one thread, outside any request (at build, by `claimgate profile add`, at start for our own
 * profiles).  A failed append is sticky: pack_build_end answers E_TOO_LARGE.  Inside this room only. */
#ifndef FHIR_PACK_BUILD_H
#define FHIR_PACK_BUILD_H

#include "base/buf.h"
#include "fhir/hash.h"
#include "fhir/pack.h"

struct pack_build {
    arena *mem;
    struct buf sections[PACK_SECTIONS];
    struct hash_table texts, links, constraints;
    bool failed;
};

struct pack_label {
    view name, version, date;
    uint32_t valid_from, valid_until;
    struct {
        view name, version;
    } dependencies[64];
    uint32_t n_dependencies;
};

err pack_build_init(struct pack_build *b, arena *mem) MUST_USE;
void pack_build_done(struct pack_build *b);

/* Appends one item; its number. */
uint32_t pack_add(struct pack_build *b, enum pack_section section, const void *item);
uint32_t pack_count(const struct pack_build *b, enum pack_section section);
/* For items that are filled in later. */
void *pack_item_of(struct pack_build *b, enum pack_section section, uint32_t n);
struct pack_text pack_add_text(struct pack_build *b, view text);
/* canonical: URL or URL|version. */
uint32_t pack_add_link(struct pack_build *b, enum pack_kind kind, view canonical);
/* A value of a definition, written as JSON. */
uint32_t pack_add_constant(struct pack_build *b, view json, bool exact);
/* Bytes of a program, 8-byte aligned. */
struct pack_span pack_add_program(struct pack_build *b, view program);

/* Sorts nothing, moves nothing: heads, indexes and hash around what was added.  Appends the pack to out. */
err pack_build_end(struct pack_build *b, const struct pack_label *label, struct buf *out) MUST_USE;

#endif
