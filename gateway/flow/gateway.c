#include "flow/gateway.h"

#include "fhir/package.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/keyring.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/standing.h"
#include "flow/login/dpop.h"
#include "flow/partner/registry.h"
#include "flow/person/outside.h"
#include "signing/trust/authority.h"
#include "signing/trust/revocation_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static NO_RETURN void
store_fatal(void *self, const char *what)
{
    (void)self;
    /* An fsync error stops acknowledgements and ends the process; the supervisor starts it anew. */
    static const char text[] = "claimgate: stable storage failed, ending\n";
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
    (void)n;
    (void)what;
    _exit(70);
}

enum opening { OPEN_SERVING, OPEN_OFFLINE, OPEN_READ };

static err
open_parts(struct gateway *g, enum opening how, struct fault *f)
{
    const struct config *c = g->config;
    char path[CONFIG_PATH_SIZE];
    config_path(c, SET_STORE_KEK, "kek", path);
    TRY(seal_open(path, &g->seal, f));
    TRY(keyring_load(c, &g->keys, f));
    const struct store_options options = {
        .dir = config_cstr(c, SET_STORE_DIR),
        .readers = (int)config_int(c, SET_STORE_READERS),
        .group_window_us = config_int(c, SET_STORE_GROUP_WINDOW),
        .leaf_hash = evidence_leaf_hash,
        .read_only = how == OPEN_READ,
        .fatal = store_fatal,
    };
    TRY(store_open(&options, &g->store, f));
    g->log = log_tree_new(g->store);
    TRY(registry_load(g->store, &g->registry, f));
    if (how != OPEN_SERVING)
        return E_OK;
    TRY(outside_read(c, &g->outside, f));
    g->dpop = dpop_new();
    if (!g->dpop)
        return E_INTERNAL;
    const struct profile_sources own = {.files = fhir_profiles, .n = fhir_profiles_count};
    TRY(packs_open_folder(config_cstr(c, SET_PROFILE_DIR), &own, &g->profiles, f));
    return gateway_reload_trust(g, f);
}

static err
check_sandbox(const struct gateway *g, struct fault *f)
{
    const struct config *c = g->config;
    if (g->sandbox)
        return E_OK;
    if (config_int(c, SET_CHANGE_APPROVALS) < 2)
        return fault_set(f, E_CONFIG, "registry.approvals", "2 outside sandbox mode", "1");
    if (config_span(c, SET_CHANGE_DELAY).us == 0)
        return fault_set(f, E_CONFIG, "registry.change_delay", "more than 0 outside sandbox mode", "0");
    if (config_bool(c, SET_RELAY_ALLOW_PRIVATE))
        return fault_set(f, E_CONFIG, "relay.allow_private", "false outside sandbox mode", "true");
    return E_OK;
}

static err
open_gateway(const struct config *c, enum opening how, struct gateway **ret, struct fault *f)
{
    struct gateway *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    g->config = c;
    g->base_url = config_text(c, SET_HTTP_BASE_URL);
    g->log_id = g->base_url;
    g->sandbox = config_bool(c, SET_SANDBOX);
    g->merge_delay_us = config_span(c, SET_LOG_MERGE_DELAY).us;
    g->book = revocation_book_new();
    pthread_rwlock_init(&g->swap, NULL);
    for (size_t i = 0; i < CASE_STRIPES; i++)
        pthread_mutex_init(&g->stripes[i], NULL);
    err e = check_sandbox(g, f);
    if (e == E_OK)
        e = open_parts(g, how, f);
    if (e != E_OK) {
        gateway_close(g);
        return e;
    }
    *ret = g;
    return E_OK;
}

err
gateway_open(const struct config *c, struct gateway **ret, struct fault *f)
{
    return open_gateway(c, OPEN_SERVING, ret, f);
}

err
gateway_open_offline(const struct config *c, struct gateway **ret, struct fault *f)
{
    return open_gateway(c, OPEN_OFFLINE, ret, f);
}

err
gateway_open_read(const struct config *c, struct gateway **ret, struct fault *f)
{
    return open_gateway(c, OPEN_READ, ret, f);
}

void
gateway_close(struct gateway *g)
{
    if (!g)
        return;
    registry_unref(g->registry);
    trust_unref(g->trust);
    revocation_book_free(g->book);
    outside_free(g->outside);
    dpop_free(g->dpop);
    profiles_free(g->profiles);
    log_tree_free(g->log);
    free(g->head);
    store_close(g->store);
    keyring_unref(g->keys);
    seal_close(g->seal);
    for (size_t i = 0; i < CASE_STRIPES; i++)
        pthread_mutex_destroy(&g->stripes[i]);
    pthread_rwlock_destroy(&g->swap);
    free(g);
}

struct registry *
gateway_registry(struct gateway *g)
{
    pthread_rwlock_rdlock(&g->swap);
    struct registry *r = registry_ref(g->registry);
    pthread_rwlock_unlock(&g->swap);
    return r;
}

struct trust *
gateway_trust(struct gateway *g)
{
    pthread_rwlock_rdlock(&g->swap);
    struct trust *t = trust_ref(g->trust);
    pthread_rwlock_unlock(&g->swap);
    return t;
}

struct keyring *
gateway_keys(struct gateway *g)
{
    pthread_rwlock_rdlock(&g->swap);
    struct keyring *k = keyring_ref(g->keys);
    pthread_rwlock_unlock(&g->swap);
    return k;
}

view
gateway_head(struct gateway *g, arena *mem)
{
    pthread_rwlock_rdlock(&g->swap);
    view head = g->head ? arena_dup(mem, view_of(g->head)) : V("");
    pthread_rwlock_unlock(&g->swap);
    return head;
}

void
gateway_set_head(struct gateway *g, view checkpoint)
{
    char *fresh = strndup(checkpoint.p, checkpoint.n);
    if (!fresh)
        abort();
    pthread_rwlock_wrlock(&g->swap);
    char *old = g->head;
    g->head = fresh;
    pthread_rwlock_unlock(&g->swap);
    free(old);
}

err
gateway_reload_registry(struct gateway *g, struct fault *f)
{
    struct registry *fresh = NULL;
    TRY(registry_load(g->store, &fresh, f));
    pthread_rwlock_wrlock(&g->swap);
    struct registry *old = g->registry;
    g->registry = fresh;
    pthread_rwlock_unlock(&g->swap);
    registry_unref(old);
    return E_OK;
}

err
gateway_reload_trust(struct gateway *g, struct fault *f)
{
    char path[CONFIG_PATH_SIZE];
    config_path(g->config, SET_TRUST_FILE, "trust.json", path);
    AUTO(trust_unref) struct trust *fresh = NULL;
    AUTO(revocation_policy_unref) struct revocation_policy *policy = NULL;
    AUTO(authority_rules_unref) struct authority_rules *authority = NULL;
    TRY(trust_load(path, g->sandbox, &fresh, f));
    TRY(revocation_policy_load(config_cstr(g->config, SET_TRUST_POLICY), &policy, f));
    TRY(authority_rules_load(config_cstr(g->config, SET_TRUST_AUTHORITY), &authority, f));
    trust_use(fresh, g->book, policy, authority);
    pthread_rwlock_wrlock(&g->swap);
    struct trust *old = g->trust;
    g->trust = TAKE(fresh);
    pthread_rwlock_unlock(&g->swap);
    trust_unref(old);
    return standing_note(g, NULL, f);
}

err
gateway_reload_keys(struct gateway *g, struct fault *f)
{
    AUTO(keyring_unref) struct keyring *fresh = NULL;
    AUTO(keyring_unref) struct keyring *old = NULL;
    TRY(keyring_load(g->config, &fresh, f));
    pthread_rwlock_wrlock(&g->swap);
    bool overlaps =
        keyring_knows(fresh, g->keys->signing->kid) && keyring_knows(fresh, g->keys->webhook->kid);
    if (overlaps) {
        old = g->keys;
        g->keys = TAKE(fresh);
    }
    pthread_rwlock_unlock(&g->swap);
    return overlaps ? E_OK
                    : fault_set(f, E_CONFIG, "signing.overlap_keys_file", "the keys that signed until now",
                                "one is missing");
}

static size_t
stripe_of(uid in_case)
{
    return in_case.b[15] % CASE_STRIPES;
}

void
gateway_lock_case(struct gateway *g, uid in_case)
{
    pthread_mutex_lock(&g->stripes[stripe_of(in_case)]);
}

void
gateway_unlock_case(struct gateway *g, uid in_case)
{
    pthread_mutex_unlock(&g->stripes[stripe_of(in_case)]);
}
