/* MyData, the government's personal-data platform, from the side of a service provider.
 *
 * The person is sent to the platform (mydata_redirect) and consents there; the platform posts a ticket to us (mydata_notice_read); with it
 * the data are fetched exactly once (mydata_fetch_call, mydata_fetch_judge) and opened (mydata_open): JWE, outer archive, for each resource an inner archive whose
 * manifest the data provider signed with a raw RSA signature.  The published clients stop at "the signature fits the
 * certificate beside it"; here the certificate must lead to the government's CA and be the organisation that is registered for
 * the resource, else anybody could sign.
 *
 * Consent there is for one transfer: the permission made of it has one use.  What the platform's pages do not state is marked in
 * docs/mydata.md.  Nothing here touches the wire.  Any thread. */
#ifndef ADAPTERS_MYDATA_MYDATA_H
#define ADAPTERS_MYDATA_MYDATA_H

#include "adapters/call.h"
#include "base/arena.h"
#include "signing/trust/trust.h"

#define MYDATA_RESOURCES_MAX 8
#define MYDATA_PACKAGE_MAX ((size_t)48 << 20)

/* A data set that we may ask for, and whose signature it must carry. */
struct mydata_resource {
    view id;           /* "API.…" */
    view organisation; /* the provider's, as its certificate states it */
};

struct mydata_client {
    view platform;  /* "https://mydata.nat.gov.tw" */
    view client_id; /* "CLI.…" */
    view secret;    /* 16 characters; twice them is the AES key */
    view iv;        /* 16 characters */
};

/* Where the person's browser goes.  No identity number goes along (the platform would take one, encrypted): no personal data in
 * an address. E_PARAMETER, E_TOO_LARGE. */
err mydata_redirect(const struct mydata_client *c, const view *resources, size_t n, view tx_id,
                    view return_url, arena *mem, view *ret_url, struct fault *f) MUST_USE;

struct mydata_notice {
    view tx_id, permission_ticket;
    view key; /* 32 bytes, secret */
    view undelivered[MYDATA_RESOURCES_MAX];
    size_t n_undelivered;
};
/* What the platform posts. E_SCHEMA, E_SIGNATURE_MISMATCH when the key does not open under our secret. */
err mydata_notice_read(const struct mydata_client *c, view json, arena *mem, struct mydata_notice *ret,
                       struct fault *f) MUST_USE;

err mydata_fetch_call(const struct mydata_client *c, const struct mydata_notice *notice, arena *mem,
                      struct adapter_call *ret) MUST_USE;
/* E_OK, E_MYDATA_TAKEN (201), E_MYDATA_NOT_READY (429; again after retry_after), E_MYDATA_REFUSED, E_MEDIA_TYPE. */
err mydata_fetch_judge(const struct adapter_answer *a, struct fault *f) MUST_USE;

struct mydata_file {
    view name, bytes;
    digest sum;
};

struct mydata_part {
    view resource_id, resource_name;
    int code; /* 200, else why the platform has nothing */
    struct mydata_file *files;
    size_t n_files;
    struct signer signer; /* of a part with code 200 */
    enum evidence_level level;
    view certificate_der, manifest, signature; /* the evidence, as signed */
};

struct mydata_package {
    struct mydata_part parts[MYDATA_RESOURCES_MAX];
    size_t n;
};

struct mydata_policy {
    const struct mydata_client *client;
    const struct mydata_resource *resources; /* asked for */
    size_t n_resources;
    const struct trust *trust;
    instant now;
};

/* All or nothing: one bad part refuses the package.  E_SIGNATURE_FORM, E_ALGORITHM, E_SIGNATURE_MISMATCH, E_PACKAGE_FORM,
 * E_PACKAGE_NAME, E_DIGEST_MISMATCH, E_SIGNER_WRONG_ORG, E_SIGNER_WRONG_KIND, E_TOO_LARGE, and what trust_judge_copy and
 * manifest_read answer. */
err mydata_open(const struct mydata_policy *p, const struct mydata_notice *notice, view jwe, arena *mem,
                struct mydata_package *ret, struct fault *f) MUST_USE;

#endif
