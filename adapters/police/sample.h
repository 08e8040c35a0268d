/* Accident records for samples, tests and the demo: from open data, or made up by a seed.  Unsigned JSON; police_sample_xml gives the same record as XML.
 *
 * Made-up people, plates and numbers are invented; everything depends on (seed, index) alone.  No I/O, memory from the arena, one thread. */
#ifndef ADAPTERS_POLICE_SAMPLE_H
#define ADAPTERS_POLICE_SAMPLE_H

#include "adapters/police/open_data.h"
#include "base/buf.h"

/* Agencies of the sandbox (signing/sandbox/pki_sandbox.def). */
struct police_sample_agency {
    const char *signer; /* file stem in the sandbox PKI */
    const char *oid, *name;
};
extern const struct police_sample_agency police_sample_agencies[];
extern const size_t police_sample_agencies_count;

struct police_sample_file {
    view bytes, media;
    char sha256[65];
};

#define POLICE_SAMPLE_FILES_MAX 4
#define POLICE_SAMPLE_PARTS_MAX 8

struct police_sample {
    const char *part;
    int revision;
    view accident_no;
    const struct police_sample_agency *agency;
    view json;
    struct police_sample_file files[POLICE_SAMPLE_FILES_MAX];
    size_t n_files;
};

/* The slip of one accident of open data, as the agency's; number: of the accident in the file, for its case number.  E_VALUE when date, class or casualties
 * are not in form. */
err police_sample_open_data(const struct open_accident *a, size_t number,
                            const struct police_sample_agency *agency, arena *mem, struct police_sample *ret,
                            struct fault *f) MUST_USE;

/* One made-up accident, A2 or A3, every second one on the old form: slip, diagram, photos, analysis, and of some a corrected slip.  In the order in which
 * they are issued.  Index 0 has photos of several MB. */
err police_sample_synthetic(uint64_t seed, size_t index, arena *mem,
                            struct police_sample ret[POLICE_SAMPLE_PARTS_MAX], size_t *ret_n, struct fault *f)
    MUST_USE;

/* The same record in XML. */
err police_sample_xml(view json, arena *mem, view *ret, struct fault *f) MUST_USE;

/* -- inside -- */
struct dice {
    uint64_t state;
};
struct dice dice_of(uint64_t seed, uint64_t index);
/* 0 … sides - 1 */
uint32_t dice_throw(struct dice *d, uint32_t sides);

/* A PNG of a road scene. */
err police_sample_image(struct dice *d, uint32_t width, uint32_t height, arena *mem, view *ret) MUST_USE;

/* Writing JSON: a comma goes before whatever does not begin an object or list. */
void sample_name(struct buf *b, const char *name);
void sample_text(struct buf *b, const char *name, view text); /* nothing when empty */
void sample_raw(struct buf *b, const char *name, view number);
void sample_int(struct buf *b, const char *name, int64_t n);
void sample_open(struct buf *b, const char *name, char bracket); /* name NULL: an item */
/* {major, minor, code}, only what is not empty; nothing at all when all are. */
void sample_code(struct buf *b, const char *name, view major, view minor, view code);
/* Agency, number, part, revision. */
struct sample_head {
    const struct police_sample_agency *agency;
    view agency_name, unit, officer;
    view accident_no;
    const char *part;
    int revision;
    enum police_era era;
    view class;
    view occurred;
    view place, county, town, road, lon, lat;
    int64_t dead_24h, dead_30d, injured; /* dead_30d < 0: not stated */
};
void sample_write_head(struct buf *b, const struct sample_head *h);

#endif
