/* XML-DSig as others write it: the profile "interop", to compare this implementation with published vectors.
 *
 * No document of a partner is ever judged by it (that is xmldsig.h).  Beyond the gateway's profile it knows several
 * References and signatures anywhere, XPath, base64 and URIs outside of the document, RSA-PSS, SHA-224 and P-521, and keys
 * that stand in the message by value, name or certificate; it refuses by the same codes what is weak (SHA-1, MD5), what is
 * of another kind (DSA, HMAC, EdDSA, SHA-3) and XSLT.  What the verifier brings stands in a ring; a key in the message
 * counts only where the ring allows that kind.  One thread per call. */
#ifndef SIGNING_XMLDSIG_INTEROP_H
#define SIGNING_XMLDSIG_INTEROP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/instant.h"

#define XMLDSIG_RING_MAX 16

/* Bytes of a URI outside of the document; {NULL,0}: it is not there. */
struct xmldsig_outside {
    void *self;
    view (*bytes)(void *self, view uri);
};

struct xmldsig_named {
    view name;  /* KeyName that it goes by, may be empty */
    view bytes; /* SubjectPublicKeyInfo or certificate, DER or PEM */
};

struct xmldsig_ring {
    struct xmldsig_named keys[XMLDSIG_RING_MAX];                                    /* trusted as they are */
    view roots[XMLDSIG_RING_MAX], others[XMLDSIG_RING_MAX], crls[XMLDSIG_RING_MAX]; /* DER or PEM */
    size_t n_keys, n_roots, n_others, n_crls;
    instant at;
    bool any_issuer;   /* the chain of a certificate is not asked for */
    bool any_time;     /* nor the time */
    bool strict_crls;  /* a list that is not of that time refuses; else it is left out */
    bool ecdsa_in_der; /* ECDSA values as DER, as some products wrote them */
    view kinds;        /* of key data that may be taken, by comma: x509, key-value, …; empty: all */
    struct xmldsig_outside outside;
};

struct xmldsig_finding {
    bool
        root_signed; /* a Reference is on the whole document, or on its root, and leaves nothing out but the signature */
};

/* The first ds:Signature of the document, and the only one when single is set.  Codes of xmldsig_verify, and those of a
 * certificate's chain. */
err xmldsig_verify_interop(view xml, const struct xmldsig_ring *ring, bool single, arena *mem,
                           struct xmldsig_finding *ret, struct fault *f) MUST_USE;

/* Whether a certificate that the gateway's profile has found leads to a root of the ring. The same codes. */
err xmldsig_ring_trusts(const struct xmldsig_ring *ring, view leaf_der, const view *rest_der, size_t n_rest,
                        struct fault *f) MUST_USE;

/* Canonical form of a file by libxml2 itself.  mode: 1.0, 1.1 or exclusive, with or without comments. */
enum c14n_mode { C14N_INCLUSIVE, C14N_EXCLUSIVE, C14N_1_1 };
struct c14n_request {
    const char *file; /* its DTD is read from beside it: only for files that are trusted */
    enum c14n_mode mode;
    bool comments;
    view xpath;    /* the text of an XPath element that chooses nodes; empty: all */
    view prefixes; /* InclusiveNamespaces by space */
};
err xml_c14n_file(const struct c14n_request *rq, arena *mem, view *ret, struct fault *f) MUST_USE;
/* What the n-th Reference (from 0) of the first ds:Signature of a file digests. */
err xml_reference_octets(const char *file, size_t n, const struct xmldsig_outside *outside, arena *mem,
                         view *ret, struct fault *f) MUST_USE;

#endif
