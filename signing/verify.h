/* The one door to a document: every signature on it is found, verified and told as a verdict.
 *
 * The caller reads the syntax (bytes → tree) and hands over bytes, tree and the signatures that came with them; from then on the tree is
 * to be had only through verdict_tree(), which gives NULL for a refused document.  So code that reads a document cannot forget to
 * verify it.  This room knows nothing of claims: who the author is and what kind of document it is, the caller asks afterwards with
 * authority_check() (trust/authority.h).
 *
 * Everything returned lives in the request's arena.  struct trust is immutable and may be used by any thread; a verdict belongs
 * to the request's thread. */
#ifndef SIGNING_VERIFY_H
#define SIGNING_VERIFY_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/instant.h"
#include "base/json_tree.h"
#include "signing/pki/revocation.h"

enum jose_alg {
    ALG_NONE,
#define ALGORITHM(id, name, key, md, bits) ALG_##id,
#include "signing/signing.def"
#undef ALGORITHM
    ALG_COUNT
};

enum subject_kind {
#define SUBJECT(id, word, oid, attribute) SUBJECT_##id,
#include "signing/signing.def"
#undef SUBJECT
    SUBJECT_COUNT
};

enum trust_use {
#define TRUST_USE(id, word) USE_##id,
#include "signing/signing.def"
#undef TRUST_USE
    USE_COUNT
};

enum document_kind {
#define DOCUMENT_KIND(id, word) KIND_##id,
#include "signing/signing.def"
#undef DOCUMENT_KIND
    KIND_COUNT
};

const char *trust_use_word(enum trust_use u);
const char *subject_word(enum subject_kind s);
const char *document_kind_word(enum document_kind k);
/* KIND_COUNT when unknown. */
enum document_kind document_kind_of(view word);
const char *jose_alg_word(enum jose_alg a);

enum sig_format { SIG_CMS, SIG_JWS, SIG_XMLDSIG, SIG_BUNDLE };
/* "cms", "jws", "xmldsig", "bundle-signature" */
const char *sig_format_word(enum sig_format f);

/* How sure we are.  The order is from weakest to strongest; the numbers are stored. */
enum evidence_level {
    LEVEL_UNSIGNED = -1, /* nobody signed it: an assertion of who sent it, never more */
    LEVEL_REFUSED,
    LEVEL_PENDING, /* signature and chain hold, revocation not known yet */
    LEVEL_CACHED_WITHIN_GRACE,
    LEVEL_VERIFIED_CRL,
    LEVEL_VERIFIED_OCSP,
    LEVEL_REGISTERED_KEY, /* a bare key bound in the registry: no certificate, no revocation; weaker than a certificate but final */
};
const char *evidence_level_word(enum evidence_level l);

struct signature_in {
    enum sig_format format;
    /* CMS: base64 text of the header, or {NULL,0} when the body is an enveloping message (DER); JWS: "protected..signature" or
     * the JSON form of it; XMLDSIG and BUNDLE: unused, it stands in the body. */
    view value;
    view key_hint; /* KeyId header; a hint, the certificate decides */
};

/* What a signer's certificate says.  Views live as long as the trust's certificate cache or the arena. */
struct signer {
    enum trust_use use;
    enum subject_kind subject;
    view
        organisation; /* hospital code, agency OID code, 統一編號; empty for professionals; of a person the last four characters of the
                         * national number (MOICA), to compare with, never printed or stored in clear */
    view licence;     /* subject serialNumber of a professional or person certificate */
    view
        common_name; /* of an organisation only: a person's name is not carried in verdicts that leave the gateway */
    digest fingerprint; /* SHA-256 of the certificate; all zero for a bare key */
    digest spki;        /* SHA-256 of the SubjectPublicKeyInfo */
    view
        registered_partner; /* id text of the partner row in the registry that holds this certificate or key; empty when none */
    instant not_before, not_after;
};

/* What is asked of a signature, each with its own answer; the order is the one in which a cause is told. */
enum check_kind {
    CHECK_SIGNATURE, /* form, algorithm, digest and signature over these bytes */
    CHECK_CHAIN,     /* who signed: chain and revocation, or the registry */
    CHECK_TIME,      /* the signer's own time: within the certificate's validity, not in the future */
    CHECK_AUTHORITY, /* whether he may sign this, and is who the document says he is */
    CHECK_COUNT
};
/* "signature", "chain", "time", "authority" */
const char *check_word(enum check_kind c);

struct check_out {
    bool asked;
    err code;
};

/* What the level rests on. */
struct revocation_used {
    enum revocation_source source;
    instant this_update;
    digest id;      /* SHA-256 of the list or response */
    uint64_t epoch; /* of what was known when it was judged: trust_has_news */
};

struct signature_out {
    enum sig_format format;
    enum jose_alg alg; /* CMS and XML-DSig algorithms are named by their JOSE twin */
    err code;          /* E_OK or the one cause: of the first check that failed and counts */
    struct fault fault;
    struct check_out check[CHECK_COUNT];
    struct signer signer; /* valid when code is E_OK, and as far as known else */
    enum evidence_level level;
    struct revocation_used revocation;
    instant claimed_at;   /* signer's own time, INSTANT_NONE when absent */
    view certificate_der; /* of the signer, for storing; empty for a bare key */
    view chain_der;       /* the rest of the chain as presented, concatenated DER; may be empty */
    view value_der;       /* the signature as received, decoded (CMS DER or JWS text) */
};

#define SIGNATURES_MAX 8

struct verdict;
/* One row per signature found; the level is the strongest of the good ones.  A document with one bad signature is refused unless the request names which
 * must hold (struct hold_rule). */
err verdict_code(const struct verdict *v);
enum evidence_level verdict_level(const struct verdict *v);
size_t verdict_signatures(const struct verdict *v);
const struct signature_out *verdict_signature(const struct verdict *v, size_t i);
/* The tree of the document; NULL unless verdict_code is E_OK. */
const struct tree *verdict_tree(const struct verdict *v);
view verdict_body(const struct verdict *v);
/* SHA-256 of the signed bytes as received. */
const digest *verdict_body_digest(const struct verdict *v);
/* The verdict as canonical JSON (formats, alg, signer fingerprints, level, codes, times); its digest goes into the receipt. */
err verdict_print(const struct verdict *v, arena *mem, view *ret_json) MUST_USE;

/* Bare keys: the registry's answer to a JWS kid.  certificate is set where the registry holds one. */
struct known_key {
    enum jose_alg alg; /* pinned */
    void *
        pkey; /* EVP_PKEY *, borrowed from the registry, parsed once, lives as long as the registry snapshot */
    struct signer signer;
};

/* Which of several signatures must hold: at least one good one that fits each rule.  Then another one may fail for who signed it
 * or when (chain, time), and stays in the verdict with its code; one that fails over the bytes always refuses, since then something
 * was altered.  Without rules all must hold. */
struct hold_rule {
    enum trust_use use;        /* USE_COUNT: any */
    enum subject_kind subject; /* SUBJECT_COUNT: any */
};

struct key_source {
    void *self;
    /* false when unknown */
    bool (*by_kid)(void *self, view kid, struct known_key *ret);
    /* Partner id text that registered this certificate (by fingerprint); empty when none. */
    view (*partner_of_certificate)(void *self, const digest *fingerprint);
};

struct trust; /* trust.h */

struct verify_request {
    view body;                 /* exact bytes as received */
    const digest *body_digest; /* SHA-256 of body where the caller has it; NULL: it is taken here */
    const struct tree *
        tree; /* read from body (JSON or XML); NULL with an XML-DSig record: the verifier asks read_xml with the signed octets */
    err (*read_signed)(void *self, view octets, arena *mem, struct tree *ret, struct fault *f);
    void *read_self;
    const struct signature_in *signatures;
    size_t n_signatures;
    const struct trust *trust;
    const struct key_source *keys;
    const struct hold_rule *must_hold; /* NULL: all */
    size_t n_must_hold;
    bool strict_time; /* the signer's own time counts in every format; in a Bundle.signature it always does */
    instant now;
    arena *mem;
};
/* A clock may be ahead of ours by this much. */
#define SIGNER_CLOCK_SKEW SPAN_SECONDS(300)

/* Never fails for a bad document: that is a verdict with a code.  E_TOO_LARGE or E_INTERNAL only when no verdict could be made. No signature at all:
 * verdict E_SIGNATURE_MISSING. */
err verify_document(const struct verify_request *rq, struct verdict **ret) MUST_USE;

/* Writes what authority_check said of a signature into the verdict, before it is printed. */
void verdict_note_authority(struct verdict *v, size_t i, err code);

#endif
