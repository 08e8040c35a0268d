/* What an adapter of inbound documents answers: from a verified document to facts of a case.
 *
 * It reads the tree (only to be had from a verdict) and sets fields of a struct claim_case that holds the facts of this one document; every leaf it sets carries its source
 * (byte range in the document, how).  It never corrects what was stated: recomputed values stand beside.  Unknown content goes to unmapped, doubts to findings
 * (issues of severity INFO or WARNING); an error refuses the document.  No network, no store, no keys.  One thread, memory from the arena. */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include "adapters/case.h"
#include "base/issue.h"
#include "fhir/fhir.h"
#include "signing/verify.h"

/* Numbers by which documents and applications find each other.  Each is read in the namespace of the author (hospital code or agency code). */
enum ref_kind {
    REF_CASE_NO,
    REF_VISIT_NO,
    REF_CERTIFICATE_NO,
    REF_RECEIPT_NO,
    REF_ACCIDENT_NO,
    REF_KIND_COUNT
};
/* "case_no", "visit_no", "certificate_no", "receipt_no", "accident_no" */
const char *ref_kind_word(enum ref_kind k);
enum ref_kind ref_kind_of(view word);

struct doc_ref {
    enum ref_kind kind;
    view author; /* whose number it is */
    view value;
    struct doc_ref *next;
};

/* An identifier of a person, normalised by person_key() so that two documents agree: "moi|A123456789", "nia|…" (residence, old and new form), "ppn|TWN|…". Personal: never
 * logged; flow stores only its blind. */
struct person_key {
    view text;
    view party;      /* local id in facts ("p1") */
    bool is_subject; /* the document is about this person */
    struct person_key *next;
};
/* system: as in FHIR identifiers (TAIWAN §1.2: moi, immigration, passport old and new).  {NULL,0} for a system that identifies no person across organisations (MR…). */
view person_key_text(view system, view value, arena *mem);

/* Insurer that a hospital's document names: a hint that opens a claim in permission_needed, nothing more (DOMAIN D4). */
struct insurer_hint {
    view code; /* 統一編號 */
    view line; /* "health" … */
    struct insurer_hint *next;
};

struct reading {
    enum document_kind kind;
    view profile; /* canonical, or "iclaim", "accident-record-1" */
    bool
        unique_identity; /* our own profile: one identifier is one version (409); iClaim: a new version (DECISIONS "Identity") */
    view identifier_system, identifier_value; /* Bundle.identifier */
    view work_system, work_value;             /* Composition.identifier: the same in all versions */
    view replaces_system, replaces_value;     /* relatesTo.replaces.targetIdentifier, empty when none */
    bool withdraws;                           /* Composition.status = entered-in-error */
    view author;      /* 醫事機構代碼 or agency OID code that the document names as author */
    view licences[8]; /* professionals named as attesters */
    size_t n_licences;
    struct doc_ref *refs;
    struct person_key *persons;
    struct insurer_hint *hints;
    view attachments[64]; /* hex SHA-256 of attachments it names */
    size_t n_attachments;
    struct claim_case *facts;
};

#endif
