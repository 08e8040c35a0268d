/* What the operator says about wallets and MyData: two files, read at start, immutable then.
 *
 * wallet.file:  {"client_id","certificate","key","module":{"url","token","ref"},"issuers":[…],"number":{"claim","system"},"login":{"profile","type"}}   issuers as in adapters/wallet/wallet.h; certificate
 *               and key (PEM, relative to the file) sign request objects; module only for twdiw-delegate
 * mydata.file:  {"platform","client_id","client_secret","cbc_iv","resources":[{"id","organisation"}]}
 * Both hold secrets and belong to the service's user, mode 0400. Any thread. */
#ifndef FLOW_OUTSIDE_H
#define FLOW_OUTSIDE_H

#include "adapters/mydata/mydata.h"
#include "adapters/wallet/wallet.h"
#include "base/config.h"

struct status_cache;

struct outside {
    arena *mem;
    bool has_wallet, has_mydata;
    struct wallet_issuers issuers;
    struct wallet_module module; /* empty base: none */
    view client_id, certificate_der;
    view number_claim,
        number_system; /* the claim that holds the person's national number, and its identifier system */
    view login_profile, login_type; /* what a person shows to log in; empty: not by wallet */
    struct key *key;
    struct mydata_client mydata;
    struct mydata_resource resources[MYDATA_RESOURCES_MAX];
    size_t n_resources;
    struct status_cache *lists; /* of issuers: the only part that changes, behind its own lock */
};

/* E_FILE, E_CONFIG and what the adapters answer; an empty setting leaves its part out. */
err outside_read(const struct config *c, struct outside **ret, struct fault *f) MUST_USE;
void outside_free(struct outside *o);

#endif
