/* Synthetic hospital documents, unsigned: for samples, tests, the demo and the benchmark.  All people and institutions are invented.  Deterministic in the seed; no I/O.
 * Memory from the arena. */
#ifndef ADAPTERS_HOSPITAL_SAMPLE_H
#define ADAPTERS_HOSPITAL_SAMPLE_H

#include "adapters/hospital/hospital.h"

struct sample_person {
    const char *name, *family, *id_system, *id, *gender, *birth,
        *key; /* key: name of the person's sandbox certificate */
};
extern const struct sample_person sample_people[];
extern const size_t sample_people_count;

struct sample_hospital {
    const char *name, *code, *signer, *doctor, *licence, *doctor_name;
};
extern const struct sample_hospital sample_hospitals[];
extern const size_t sample_hospitals_count;

enum sample_kind {
    SAMPLE_OUTPATIENT,
    SAMPLE_SURGERY,
    SAMPLE_TRAFFIC,
    SAMPLE_CANCER,
    SAMPLE_CORRECTED,
    SAMPLE_REFUNDED,
    SAMPLE_XML,
    SAMPLE_ICLAIM,
    SAMPLE_KIND_COUNT
};

/* One stay; everything that the documents say. */
struct sample_stay {
    uint64_t seed;
    enum sample_kind kind;
    const struct sample_person *person;
    const struct sample_hospital *hospital;
    date from, to;
    const char *visit_no, *certificate_no, *receipt_no;
    const char *diagnosis_code, *diagnosis, *surgery_code, *surgery, *advice;
    const char *category; /* certificate-a, certificate-b */
};

struct sample_line {
    const char *category, *policy, *text, *payer, *fee_code;
    int64_t amount, points; /* 0 = none */
};

struct sample_document {
    const char *name; /* "certificate", "receipt", "report", "receipt-2" */
    view body;
    bool is_xml;
    const char *signer; /* file stem in the sandbox PKI */
    bool cms;           /* else JWS */
};

#define SAMPLE_DOCUMENTS_MAX 8

/* The stay of a seed; `kind` SAMPLE_KIND_COUNT = by the seed. */
err sample_stay_make(uint64_t seed, enum sample_kind kind, arena *mem, struct sample_stay *ret) MUST_USE;
/* Its documents. */
err sample_documents(const struct sample_stay *stay, arena *mem,
                     struct sample_document ret[SAMPLE_DOCUMENTS_MAX], size_t *ret_n) MUST_USE;

/* Single documents, for scenarios. suffix makes the identifiers unique; replaces = Bundle.identifier of the earlier version or NULL. */
err sample_certificate(const struct sample_stay *s, const char *suffix, arena *mem, view *ret) MUST_USE;
err sample_receipt(const struct sample_stay *s, const struct sample_line *lines, size_t n, int64_t refund,
                   const char *suffix, const char *replaces, arena *mem, view *ret) MUST_USE;
/* A disability certificate: items by scale, fixed on a day ("YYYY-MM-DD"; NULL: the day of discharge). */
struct sample_grade {
    view scale; /* cali15, injury11, labour15, policy */
    int grade;
};
err sample_disability(const struct sample_stay *s, const struct sample_grade *grades, size_t n,
                      const char *fixed_on, const char *suffix, arena *mem, view *ret) MUST_USE;
err sample_report(const struct sample_stay *s, const char *suffix, arena *mem, view *ret) MUST_USE;
err sample_iclaim(const struct sample_stay *s, arena *mem, view *ret) MUST_USE;
err sample_to_xml(view json, arena *mem, view *ret) MUST_USE;
/* Bundle.identifier.value of the document that sample_… makes for this suffix. */
view sample_identifier(const struct sample_stay *s, const char *what, const char *suffix, arena *mem);

#endif
