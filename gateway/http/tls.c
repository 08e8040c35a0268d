#include "http/tls.h"

#include "base/instant.h"

#include <assert.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <time.h>

#define TLS_CHAIN_MAX 10

struct tls_set {
    arena *mem; /* holds this struct too */
    _Atomic int references;
    gnutls_certificate_credentials_t credentials;
    bool has_client_ca;
};

/* Certificates are judged by the program's clock, which tests and samples set. */
static time_t
injected_time(time_t *ret)
{
    time_t now = (time_t)instant_unix(clock_now());
    if (ret)
        *ret = now;
    return now;
}

static void
set_time_source(void)
{
    gnutls_global_set_time_function(injected_time);
}

static void
free_credentials(void *credentials)
{
    gnutls_certificate_free_credentials(credentials);
}

static err
make_set(struct tls_set **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_time_source);
    arena *mem = arena_new(1024);
    struct tls_set *set = arena_make(mem, struct tls_set);
    assert(set); /* a size of ours */
    set->mem = mem;
    set->references = 1;
    if (gnutls_certificate_allocate_credentials(&set->credentials) != GNUTLS_E_SUCCESS ||
        !arena_defer(mem, free_credentials, set->credentials)) {
        arena_free(mem);
        return E_INTERNAL;
    }
    *ret = set;
    return E_OK;
}

static bool
is_given(const char *text)
{
    return text && *text;
}

err
tls_set_new(const char *cert, const char *key, const char *client_ca, struct tls_set **ret, struct fault *f)
{
    if (!is_given(cert) || !is_given(key))
        return fault_set(f, E_CONFIG, is_given(cert) ? "http.tls_key" : "http.tls_cert", "a PEM file",
                         "none");
    struct tls_set *set AUTO(tls_set_unref) = NULL;
    TRY(make_set(&set));
    int code = gnutls_certificate_set_x509_key_file(set->credentials, cert, key, GNUTLS_X509_FMT_PEM);
    if (code == GNUTLS_E_FILE_ERROR)
        return fault_set(f, E_FILE, "http.tls_cert", "PEM files that can be read", "a file that cannot");
    if (code < 0)
        return fault_set(f, E_CONFIG, "http.tls_cert", "a PEM chain and its key", gnutls_strerror(code));
    if (is_given(client_ca)) {
        code = gnutls_certificate_set_x509_trust_file(set->credentials, client_ca, GNUTLS_X509_FMT_PEM);
        if (code <= 0)
            return fault_set(f, E_CONFIG, "http.tls_client_ca", "a PEM file with at least one CA", "none");
        set->has_client_ca = true;
    }
    *ret = TAKE(set);
    return E_OK;
}

void
tls_set_unref(struct tls_set *set)
{
    if (set && atomic_fetch_sub(&set->references, 1) == 1)
        arena_free(set->mem);
}

void
tls_current_init(struct tls_current *current)
{
    current->set = NULL;
    pthread_mutex_init(&current->lock, NULL);
}

void
tls_current_done(struct tls_current *current)
{
    tls_set_unref(current->set);
    current->set = NULL;
    pthread_mutex_destroy(&current->lock);
}

void
tls_current_put(struct tls_current *current, struct tls_set *take_set)
{
    pthread_mutex_lock(&current->lock);
    struct tls_set *old = current->set;
    current->set = take_set;
    pthread_mutex_unlock(&current->lock);
    tls_set_unref(old);
}

struct tls_set *
tls_current_get(struct tls_current *current)
{
    pthread_mutex_lock(&current->lock);
    struct tls_set *set = current->set;
    if (set)
        atomic_fetch_add(&set->references, 1);
    pthread_mutex_unlock(&current->lock);
    return set;
}

bool
tls_set_has_client_ca(const struct tls_set *set)
{
    return set->has_client_ca;
}

err
tls_set_apply(struct tls_set *set, gnutls_session_t session)
{
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, set->credentials) != GNUTLS_E_SUCCESS)
        return E_INTERNAL;
    /* Asked for, never required: who comes without one may hold a token, and is no peer. */
    gnutls_certificate_server_set_request(session,
                                          set->has_client_ca ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
    return E_OK;
}

struct chain {
    gnutls_x509_crt_t certificates[TLS_CHAIN_MAX];
    unsigned n;
};

static void
chain_done(struct chain *chain)
{
    for (unsigned i = 0; i < chain->n; i++)
        gnutls_x509_crt_deinit(chain->certificates[i]);
}

static err
read_chain(const gnutls_datum_t *der, unsigned n, struct chain *chain)
{
    if (n > TLS_CHAIN_MAX)
        return E_CLIENT_CERT;
    for (unsigned i = 0; i < n; i++) {
        if (gnutls_x509_crt_init(&chain->certificates[i]) != GNUTLS_E_SUCCESS)
            return E_INTERNAL;
        chain->n = i + 1;
        if (gnutls_x509_crt_import(chain->certificates[i], &der[i], GNUTLS_X509_FMT_DER) != GNUTLS_E_SUCCESS)
            return E_CLIENT_CERT;
    }
    return E_OK;
}

static const char *
status_text(unsigned status)
{
    if (status & GNUTLS_CERT_EXPIRED)
        return "a certificate that has expired";
    if (status & GNUTLS_CERT_NOT_ACTIVATED)
        return "a certificate that is not yet valid";
    if (status & GNUTLS_CERT_REVOKED)
        return "a certificate that is revoked";
    if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
        return "a certificate of another issuer";
    if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
        return "a certificate that is not for TLS clients";
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
        return "a certificate with a weak algorithm";
    return "a certificate that does not verify";
}

/* gnutls_certificate_verify_peers would judge by the CAs of the handshake; a CA that was taken out since must
 * count. */
static err
verify_chain(const struct tls_set *set, const struct chain *chain, struct fault *f)
{
    gnutls_x509_trust_list_t trusted = NULL;
    gnutls_certificate_get_trust_list(set->credentials, &trusted);
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    unsigned status = GNUTLS_CERT_INVALID;
    int code = gnutls_x509_trust_list_verify_crt2(
        trusted, (gnutls_x509_crt_t *)(uintptr_t)chain->certificates, chain->n, &purpose, 1,
        GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status, NULL);
    if (code != GNUTLS_E_SUCCESS || status != 0)
        return fault_set(f, E_CLIENT_CERT, "TLS client certificate", "a valid certificate of a listed CA",
                         status_text(status));
    return E_OK;
}

err
tls_set_verify(const struct tls_set *set, gnutls_session_t session, view *ret_der, struct fault *f)
{
    unsigned n = 0;
    const gnutls_datum_t *der = set->has_client_ca ? gnutls_certificate_get_peers(session, &n) : NULL;
    if (!der || n == 0) {
        *ret_der = VIEW_NONE;
        return E_OK;
    }
    if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509)
        return fault_set(f, E_CLIENT_CERT, "TLS client certificate", "an X.509 certificate", "another kind");
    struct chain chain AUTO_DONE(chain_done) = {.n = 0};
    err e = read_chain(der, n, &chain);
    if (e != E_OK)
        return fault_set(f, e, "TLS client certificate", "a chain of at most 10 certificates",
                         "another form");
    TRY(verify_chain(set, &chain, f));
    *ret_der = view_make(der[0].data, der[0].size);
    return E_OK;
}
