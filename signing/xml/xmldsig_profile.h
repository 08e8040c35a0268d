/* What xmldsig.c knows of a document before a key is touched: the tree, and a signature whose every element
 * was looked at.
 *
 * The document is scanned as bytes first (DOCTYPE, encoding, monstrous tags), then parsed without network,
 * entities or external parts, then its one ds:Signature is read against the profile of
 * docs/signing-formats.md.  What is not in the profile is refused here, so that the library behind sees
 * only what we mean.  Internal to the signing room; one thread per document. */
#ifndef SIGNING_XMLDSIG_PROFILE_H
#define SIGNING_XMLDSIG_PROFILE_H

#include "base/arena.h"
#include "base/err.h"

#include <libxml/tree.h>

#define XMLDSIG_NS "http://www.w3.org/2000/09/xmldsig#"
#define XMLDSIG_CERTIFICATES_MAX 5
#define XMLDSIG_ATTRIBUTES_MAX 256
#define XMLDSIG_PREFIXES_MAX 16
/* Elements and attributes: the tree takes 120 bytes for each, outside of any arena. */
#define XMLDSIG_NODES_MAX 1000000
/* Steps of the canonical form (5 ns each): it grows with depth and with the namespaces in scope, so ten
 * megabytes can be made to take a minute.  An honest document of that size takes a third of this. */
#define XMLDSIG_COST_MAX UINT64_C(400000000)
#define XMLDSIG_BYTES_MAX (64 * 1024 * 1024)

enum xmldsig_method {
    XMLDSIG_RSA_SHA256,
    XMLDSIG_RSA_SHA384,
    XMLDSIG_RSA_SHA512,
    XMLDSIG_ECDSA_SHA256,
    XMLDSIG_ECDSA_SHA384,
    XMLDSIG_ECDSA_SHA512,
};

struct xmldsig_plan {
    xmlDoc *doc; /* freed with the arena */
    xmlNode *signature;
    xmlNode *object;  /* the ds:Object of an enveloping signature, else NULL */
    xmlNode *payload; /* root, or the one element inside the object */
    xmlAttr *id;      /* of the signed element when the Reference names one, else NULL */
    enum xmldsig_method method;
    view certificates[XMLDSIG_CERTIFICATES_MAX]; /* DER, in the order of the document */
    size_t n_certificates;
};

/* E_UTF8, E_BOM, E_XML_DOCTYPE, E_TOO_LARGE. */
err xmldsig_scan(view xml, struct fault *f) MUST_USE;
/* Scans and parses; the document is put on mem. E_XML_SYNTAX and those of xmldsig_scan. */
err xmldsig_parse(view xml, arena *mem, xmlDoc **ret, struct fault *f) MUST_USE;
/* E_SIGNATURE_MISSING, E_SIGNATURE_PROFILE, E_ALGORITHM, E_WEAK_DIGEST, E_SIGNATURE_FORM. */
err xmldsig_plan_read(xmlDoc *doc, arena *mem, struct xmldsig_plan *ret, struct fault *f) MUST_USE;
/* ds:Signature as root or child of the root; NULL when none. */
xmlNode *xmldsig_find(xmlDoc *doc);
bool xmldsig_is(const xmlNode *n, const char *name);
/* The refusal of an algorithm that is not taken: E_WEAK_DIGEST where it is SHA-1 or MD5 by name, else E_ALGORITHM. */
err xmldsig_algorithm_fault(const xmlNode *n, const char *uri, struct fault *f);
/* Base64 of an element that holds one text and nothing else. E_SIGNATURE_PROFILE, E_SIGNATURE_FORM. */
err xmldsig_base64(const xmlNode *n, arena *mem, view *ret, struct fault *f) MUST_USE;

#endif
