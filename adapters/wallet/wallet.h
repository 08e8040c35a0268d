/* Presentations from wallets, in three profiles behind one result.
 *
 *   twdiw-delegate  the verifier module of the ministry does the checking; we ask it for a link, poll for the result, and take its
 *                   callback for a hint only (it carries no signature)
 *   twdiw-native    the Taiwan wallet's presentations verified here
 *   oid4vp-1.0      OpenID4VP 1.0 with SD-JWT VC, answer encrypted to a key of this request
 *
 * A presentation says who somebody is.  It is a signed consent only where what the holder signed binds the text: the nonce of
 * twdiw-native made from it, or transaction_data of oid4vp-1.0 (binds_text); never under twdiw-delegate (DOMAIN D14).
 *
 * Calls are values (call.h); nothing here touches the wire.  Status lists are fetched by the caller between two steps: verify, then
 * wallet_status_check for each reference, credential checks before status checks.  Everything lives in the arena given.  Any thread. */
#ifndef ADAPTERS_WALLET_WALLET_H
#define ADAPTERS_WALLET_WALLET_H

#include "adapters/call.h"
#include "signing/jose/sd_jwt.h"

enum wallet_profile {
#define WALLET_PROFILE(id, word) WALLET_##id,
#include "adapters/wallet/wallet.def"
#undef WALLET_PROFILE
    WALLET_PROFILES
};
enum wallet_check {
#define CHECK(id, number, word) WALLET_CHECK_##id,
#include "adapters/wallet/wallet.def"
#undef CHECK
    WALLET_CHECKS
};
const char *wallet_profile_word(enum wallet_profile p);
/* WALLET_PROFILES when unknown. */
enum wallet_profile wallet_profile_of(view word);
const char *wallet_check_word(enum wallet_check c);

/* ---- issuers: the operator's list ---- */

#define WALLET_KEYS_MAX 8
#define WALLET_HOSTS_MAX 4
#define WALLET_TYPES_MAX 8
#define WALLET_ISSUERS_MAX 32

struct wallet_key {
    view kid;
    void *pkey; /* the arena's */
    enum jose_alg alg;
};

struct wallet_issuer {
    view id;  /* iss: a DID or an https address */
    view jku; /* the one key address that its tokens may name; empty: none */
    struct wallet_key keys[WALLET_KEYS_MAX];
    size_t n_keys;
    view hosts[WALLET_HOSTS_MAX]; /* where its status lists and schemas may lie */
    size_t n_hosts;
    view types[WALLET_TYPES_MAX]; /* what it may issue */
    size_t n_types;
    bool needs_status; /* a credential without status reference is refused */
};

struct wallet_issuers {
    struct wallet_issuer list[WALLET_ISSUERS_MAX];
    size_t n;
};

/* {"issuers":[{"id","jku","keys":[JWK…],"hosts":[…],"types":[…],"needs_status":true}]}; a did:key issuer without keys has the key that its
 * name holds. E_CONFIG and what jwk_read answers. */
err wallet_issuers_read(view json, arena *mem, struct wallet_issuers *ret, struct fault *f) MUST_USE;
const struct wallet_issuer *wallet_issuer_find(const struct wallet_issuers *all, view id);

/* ---- a request ---- */

#define WALLET_CLAIMS_MAX 16
#define WALLET_EXPECT_MAX 4
#define WALLET_LIFE SPAN_SECONDS(300)

struct wallet_expect {
    view claim, value;
};

struct wallet_request {
    enum wallet_profile profile;
    view state;       /* goes out; whoever knows it may answer */
    view transaction; /* stays here, and with the verifier module */
    view nonce;
    view client_id;    /* with its prefix */
    view response_uri; /* of this request */
    view type;         /* vct, or the Taiwan wallet's type */
    view claims[WALLET_CLAIMS_MAX];
    size_t n_claims;
    struct wallet_expect expect[WALLET_EXPECT_MAX]; /* who the person of the case is */
    size_t n_expect;
    view text_hash; /* of the consent text, lower-case hex; empty: identity only */
    view text_salt; /* random part of a native nonce that binds the text */
    view key_pem;   /* oid4vp-1.0: answers are encrypted to it */
    instant expires;
    bool is_used;
};

/* base64url(SHA-256(text hash ‖ salt)): a nonce that only this text can have made. */
view wallet_nonce_for_text(view text_hash, view salt, arena *mem);

/* ---- a result ---- */

#define WALLET_STATUS_MAX 4

struct wallet_status {
    bool is_2021; /* StatusList2021, else Token Status List */
    view uri, purpose;
    uint64_t index;
};

struct wallet_result {
    enum wallet_profile profile;
    view issuer, type;
    view holder;          /* RFC 7638 thumbprint of the holder's key; the DID under twdiw-delegate */
    const json_t *claims; /* object: name to value, what was asked for only */
    view evidence;        /* what the holder signed, as received */
    view token_id;        /* jti of the presentation, where it has one */
    bool binds_text;
    uint32_t checks; /* bits by enum wallet_check */
    struct wallet_status status[WALLET_STATUS_MAX];
    size_t n_status;
    instant verified_at;
};

/* {"profile","issuer","type","holder","binds_text","checks":[…],"verified_at"}: no claim, to be kept and shown. */
err wallet_result_print(const struct wallet_result *r, arena *mem, view *ret_json) MUST_USE;

struct wallet_policy {
    const struct wallet_issuers *issuers;
    instant now;
    /* Was this jti seen before? Notes it when not.  NULL where the caller's store keeps them. */
    bool (*is_token_seen)(void *self, view token_id);
    void *self;
};

/* ---- status, between ---- */

/* E_EGRESS when the list does not lie on a host of this issuer. */
err wallet_status_call(const struct wallet_issuer *i, const struct wallet_status *s, arena *mem,
                       struct adapter_call *ret, struct fault *f) MUST_USE;
/* Judges the answer and the entry.  *ret_until: how long the list may be kept (its exp and ttl, at least 60 s, at most a day).
 * E_STATUS_UNAVAILABLE (no answer, or not 200: never taken for valid), E_CREDENTIAL_REVOKED, E_CREDENTIAL_SUSPENDED, and what
 * signing/jose/status_list.h answers. */
err wallet_status_check(const struct wallet_issuer *i, const struct wallet_status *s,
                        const struct adapter_answer *a, instant now, arena *mem, instant *ret_until,
                        struct fault *f) MUST_USE;

/* ---- twdiw-delegate ---- */

struct wallet_module {
    view base;  /* the verifier module's address */
    view token; /* Access-Token */
    view ref;   /* the module's service code for this request */
};

err wallet_delegate_link_call(const struct wallet_module *m, const struct wallet_request *rq, arena *mem,
                              struct adapter_call *ret) MUST_USE;
/* *ret_link: what the person opens. E_PRESENTATION_REFUSED, E_PRESENTATION_FORM. */
err wallet_delegate_link_judge(const struct adapter_answer *a, const struct wallet_request *rq, arena *mem,
                               view *ret_link, struct fault *f) MUST_USE;
/* The callback's only use: which request to poll for. */
err wallet_delegate_hint(view body, arena *mem, view *ret_transaction, struct fault *f) MUST_USE;
err wallet_delegate_result_call(const struct wallet_module *m, const struct wallet_request *rq, arena *mem,
                                struct adapter_call *ret) MUST_USE;
/* *ret_pending: nobody has answered yet (then E_OK and *ret is untouched).  The module gives a result once. */
err wallet_delegate_result_judge(const struct adapter_answer *a, const struct wallet_request *rq, instant now,
                                 arena *mem, bool *ret_pending, struct wallet_result *ret, struct fault *f)
    MUST_USE;

/* ---- twdiw-native ---- */

struct wallet_native_response {
    view vp_token, presentation_submission, state;
};
err wallet_native_verify(const struct wallet_policy *p, const struct wallet_request *rq,
                         const struct wallet_native_response *response, arena *mem, struct wallet_result *ret,
                         struct fault *f) MUST_USE;
/* The presentation_definition (DIF PE) that is asked for. */
err wallet_native_definition(const struct wallet_request *rq, arena *mem, view *ret_json) MUST_USE;

/* ---- oid4vp-1.0 ---- */

/* The signed request object. certificate_der: of our client id's name, goes into x5c. */
err wallet_oid4vp_request(const struct wallet_request *rq, const struct key *k, view certificate_der,
                          view wallet_nonce, instant now, arena *mem, view *ret_jwt) MUST_USE;
/* The strings of transaction_data, one for the text; empty without a text. */
view wallet_oid4vp_transaction(const struct wallet_request *rq, arena *mem);
/* response: the JWE of the form field. */
err wallet_oid4vp_verify(const struct wallet_policy *p, const struct wallet_request *rq, view response,
                         arena *mem, struct wallet_result *ret, struct fault *f) MUST_USE;

#endif
