/* Inside of the hospital adapter: the work on one Bundle, shared by its files.  One thread, memory from the arena. */
#ifndef ADAPTERS_HOSPITAL_INSIDE_H
#define ADAPTERS_HOSPITAL_INSIDE_H

#include "adapters/hospital/hospital.h"

/* Canonicals of our own profiles and code systems. */
#define CG "https://claimgate.tw/fhir/"
#define SYSTEM_DOCUMENT_KIND CG "CodeSystem/document-kind"
#define SYSTEM_RECEIPT_CATEGORY CG "CodeSystem/receipt-category"
#define SYSTEM_POLICY_CATEGORY CG "CodeSystem/policy-category"
#define SYSTEM_CALI_CATEGORY CG "CodeSystem/cali-category"
#define SYSTEM_PAYER CG "CodeSystem/payer"
#define SYSTEM_RECEIPT_TOTAL CG "CodeSystem/receipt-total"
#define SYSTEM_DISABILITY_SCALE CG "CodeSystem/disability-scale"
#define SYSTEM_DISABILITY_ITEM CG "CodeSystem/disability-item"
#define EXT_NHI_POINTS CG "StructureDefinition/nhi-points"
#define EXT_NHI_IDENTITY CG "StructureDefinition/nhi-identity"
#define EXT_SEGMENT CG "StructureDefinition/stay-segment"
#define EXT_ADVICE CG "StructureDefinition/medical-advice"

#define SYSTEM_HOSPITAL_CODE "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/organization-identifier-tw"
#define SYSTEM_HOSPITAL_CODE_PAS "https://nhicore.nhi.gov.tw/pas/CodeSystem/organization-identifier-tw"
#define SYSTEM_UBN "https://gcis.nat.gov.tw"
#define ICLAIM "https://claim.cgh.org.tw/iclaim/"

struct chart {
    const struct bundle *b;
    const struct tree *t;
    arena *mem;
    struct issues *issues;
    struct fault *f;
    struct reading *rd;
    struct claim_case *c;
    const struct node *composition;
    bool is_iclaim;
    view patient, facility, encounter; /* local ids, empty until read */
    bool failed;                       /* the arena is full */
};

/* -- leaves -- */
static inline struct source
from_node(const struct node *n, enum source_how how)
{
    return source_of_node(n, how);
}
/* Text of a string node, copied as written; absent nodes leave the leaf absent. */
void chart_text(const struct chart *ch, struct leaf_text *leaf, const struct node *n);
void chart_word(struct leaf_text *leaf, const char *word, const struct node *n);
void chart_ref(struct chart *ch, struct leaf_text *leaf, view id, const struct node *n);
/* "#id" of the document itself */
void chart_own(struct chart *ch, struct leaf_text *leaf);
void chart_coding(const struct chart *ch, struct case_coding *out, const struct node *coding);
void chart_coded(struct chart *ch, struct case_coded *out, const struct node *concept);
void chart_time(struct chart *ch, struct leaf_time *leaf, const struct node *n);
void chart_date(struct chart *ch, struct leaf_date *leaf, const struct node *n);
bool chart_money(struct chart *ch, struct case_money *m, const struct node *amount);
/* Code of a coding of this system in a CodeableConcept; empty when none. */
view concept_code(const struct tree *t, const struct node *concept, const char *system,
                  const struct node **ret_coding);
/* A finding with the place of n. */
void chart_note(struct chart *ch, enum issue_severity severity, err code, const struct node *n,
                const char *expected, const char *found);
const struct node *chart_resolve(const struct chart *ch, const struct node *from_resource,
                                 const struct node *reference);
view extension_url_value(const struct tree *t, const struct node *owner, const char *url,
                         const struct node **ret_value);
bool list_has_word(const char *const *words, view word);

/* -- parts -- */
err chart_people(struct chart *ch)
    MUST_USE; /* Patient, Organization, Practitioner → parties, roles, person keys, author */
err chart_stay(struct chart *ch) MUST_USE; /* Encounter, Condition, Procedure */
err chart_certificate(struct chart *ch) MUST_USE;
err chart_disability(struct chart *ch) MUST_USE;   /* Observation with a scale as its method → disability */
err chart_invoices(struct chart *ch) MUST_USE;     /* Invoice → expenses */
err chart_iclaim_claim(struct chart *ch) MUST_USE; /* Claim as receipt, Coverage as hints */
err chart_reports(struct chart *ch) MUST_USE;
/* Adds {kind, author, value} to the reading. */
void chart_add_ref(struct chart *ch, enum ref_kind kind, view value);
/* Recomputes sums beside what was stated (never corrected). */
err expense_recompute(struct chart *ch, struct case_expense *e, const struct node *place) MUST_USE;

#endif
