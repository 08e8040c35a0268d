/* FHIR packages (a gzipped tar with package.json and definitions) into packs.
 *
 * Reading is bounded: the archive's bytes, those of each file and of all files have ceilings; names are only looked
 * at, never opened.  One thread; memory goes with the call. */
#ifndef FHIR_PACKAGE_H
#define FHIR_PACKAGE_H

#include "base/buf.h"
#include "fhir/fhir.h"

struct package_request {
    const char *file; /* PACKAGE.tgz */
    /* Packages that it builds on: parents of its differentials are looked up there.  May be NULL. */
    const char *const *beside;
    size_t n_beside;
    uint32_t valid_from, valid_until; /* 20260701; 0: open */
};

struct package_name {
    view name, version;
};

struct package_facts {
    view name, version;
    const struct package_name *dependencies;
    uint32_t n_dependencies;
    uint32_t left_out; /* definitions that could not be compiled */
    struct fault first_left_out;
};

/* Appends the pack to out; the facts' texts live in mem.  E_CONFIG, E_NOT_FOUND, E_TOO_LARGE with the file in the
 * fault. */
err package_compile(const struct package_request *rq, arena *mem, struct buf *out, struct package_facts *ret,
                    struct fault *f) MUST_USE;
/* Name, version and dependencies only. */
err package_look(const char *file, arena *mem, struct package_facts *ret, struct fault *f) MUST_USE;
/* One definition (JSON) as a pack of its own. */
err package_compile_one(const struct package_name *name, view json, struct buf *out, struct fault *f)
    MUST_USE;
/* A number for a URL, for names of files. */
uint32_t package_hash(view url);
/* Those of the packages that one of them builds on, near and far: the version that is named, else the newest; all
 * others where it has no manifest that says so.  out has room for n; their number. */
size_t package_beside(const char *const *files, const struct package_facts *facts, size_t n, size_t one,
                      const char **out);
/* Packs (.pack) and packages (.tgz, compiled now) beside what more names. */
err packages_open(const char *const *files, size_t n, const struct profile_sources *more,
                  struct profile_set **ret, struct fault *f) MUST_USE;
/* All packs (.pack) of a folder beside what more names; dir empty: none. */
err packs_open_folder(const char *dir, const struct profile_sources *more, struct profile_set **ret,
                      struct fault *f) MUST_USE;
/* The base itself, from the archive that carries HL7's definitions as bundles: in two rounds, since its profiles leave
 * out what its types say. */
err package_compile_base(const char *file, struct buf *out, struct fault *f) MUST_USE;

#endif
