/* A small certificate hierarchy for samples and tests: root, HCA-, GCA-, MOICA- and MOEACA-like CAs with the real attribute OIDs (DOMAIN D11), TSA, OCSP and CRL
 * signers, hospital institutions and professionals, police agencies, a prosecutor, insurers, persons, TLS server and clients, and a rogue CA that
 * stands in no list.  Every CA carries SANDBOX_POLICY_OID.  P-256 keys except the hospitals' RSA-2048 (as HCA issues them). */
#ifndef SIGNING_PKI_SANDBOX_H
#define SIGNING_PKI_SANDBOX_H

#include "signing/trust/trust.h"

/* Life of a revocation list: longer than a re-appraisal takes, so that a play in the sandbox can wait for one. */
#define SANDBOX_LIST_DAYS 180

/* Writes into dir (made when absent): <name>.crt, <name>.key (0400), <name>.chain.pem, trust.json, crl files, index.json listing every certificate with use, subject kind, organisation. */
err pki_sandbox_make(const char *dir, struct fault *f) MUST_USE;

/* The people and organisations of the sandbox, from pki_sandbox.def: also used by samples, demo and tests. */
struct sandbox_party {
    const char *name; /* file stem: "h1", "h1-dr-lin", "k1", "l1" … */
    const char *ca;   /* "hca", "gca", "moica", "moeaca", "tls", "rogue" */
    enum subject_kind subject;
    const char *organisation; /* 醫事機構代碼, agency OID code, 統一編號 or "" */
    const char *licence;      /* serialNumber of a professional or person, or "" */
    const char *common_name;
};
extern const struct sandbox_party sandbox_parties[];
extern const size_t sandbox_parties_count;

#endif
