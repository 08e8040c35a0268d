/* The registry of partners as a snapshot, and its changes.
 *
 * A partner is an organisation: hospital, clinic, police, prosecutor, household (office), insurer, register (of compulsory policies), fund, shop, agent (sends for others), app, nhia.  Every change is a proposal signed by one operator (JWS over the
 * change as JSON) and approved by another's signature; tightening (suspend, revoke) needs one and acts at once, loosening needs the approvals and the delay
 * of the configuration.  Each step is a unit with a log leaf (THREATS S2).
 *
 * struct registry is immutable and counted; any thread. Parsed public keys live as long as the snapshot. */
#ifndef FLOW_REGISTRY_H
#define FLOW_REGISTRY_H

#include "flow/gateway.h"
#include "signing/verify.h"

struct registry_key {
    const struct row_partner_key *row;
    const struct partner *partner;
    void *pkey; /* EVP_PKEY * */
    enum jose_alg alg;
};

struct partner {
    const struct row_partner *row;
    partner_id id;
    view text; /* of id */
    const struct registry_key *keys;
    size_t n_keys;
};

struct registry *registry_ref(struct registry *r);
void registry_unref(struct registry *r);
DEFINE_AUTO(struct registry *, registry_unref)
err registry_load(struct store *s, struct registry **ret, struct fault *f) MUST_USE;

const struct partner *registry_partner(const struct registry *r, partner_id id);
/* All of them, by number from 0. */
size_t registry_partners(const struct registry *r);
const struct partner *registry_partner_at(const struct registry *r, size_t i);
/* kind may be "" = any */
const struct partner *registry_by_code(const struct registry *r, view kind, view code);
bool partner_is_active(const struct partner *p);
bool partner_is_insurer(const struct partner *p); /* insurer or fund */
bool partner_acts_for(const struct partner *agent, const struct partner *of);
/* Member of the partner's options JSON, "" when absent: "strict", "view", "min_level", "designated", "opinions". */
view partner_option(const struct partner *p, const char *name);
/* use: "client", "mtls", "sign", "encrypt".  Valid at `at`, status active. */
const struct registry_key *registry_key_by_kid(const struct registry *r, const char *use, view kid,
                                               instant at);
const struct registry_key *registry_key_by_fingerprint(const struct registry *r, const char *use,
                                                       const digest *fingerprint, instant at);
/* A key of one partner for a use, newest first. */
const struct registry_key *partner_key(const struct partner *p, const char *use, instant at);
/* For verify_request. Valid while the snapshot lives. */
struct key_source registry_key_source(struct registry *r);

/* -- changes -- */
/* change JSON: {"kind":"partner.put"|"partner.status"|"key.add"|"key.status"|"listing.put"|"operator.add"|"operator.status"|"policy.put","subject":"org-…"?,"body":{…},"at":…,"nonce":…}
 * jws: compact, embedded payload, signed by an enrolled operator (kid).  Tightening changes act at once. */
/* Kind of the change by which two operators allow the export of a case's evidence; its subject is the case. */
#define EXPORT_CHANGE "evidence.export"
err change_propose(struct gateway *g, view jws, arena *mem, change_id *ret, view *ret_state, struct fault *f)
    MUST_USE;
/* jws payload: {"approve":"chg-…","digest":"hex SHA-256 of the proposal JWS"} by another operator; E_CHANGE_APPROVAL for the same one. */
err change_approve(struct gateway *g, view jws, arena *mem, view *ret_state, struct fault *f) MUST_USE;
/* A compact JWS by an enrolled, active operator: its payload.  E_OPERATOR and those of JWS. */
err operator_verify(struct reader *r, view jws, arena *mem, view *ret_payload, struct fault *f) MUST_USE;
/* Puts changes into effect whose time has come; called by a duty and after approval. */
err changes_run(struct gateway *g, instant now, struct fault *f) MUST_USE;
/* Lists for operators. */
err registry_print(struct gateway *g, arena *mem, view *ret_json) MUST_USE;
err change_print(struct gateway *g, view id, arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* First operators, only while there is none (claimgate init): two public JWKs. */
err operators_enrol(struct gateway *g, const view *jwks, const view *names, size_t n, struct fault *f)
    MUST_USE;

#endif
