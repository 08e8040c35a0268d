/* Pinned CAs and client certificates, against a TLS server in the test process. */
#include "kit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

static struct server server;
static arena *mem;
static struct net_reply reply;
static struct fault fault;

struct pair {
    X509 *crt;
    EVP_PKEY *key;
};

static void
add_extension(X509 *crt, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, crt, crt, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    cr_assert_not_null(extension);
    X509_add_ext(crt, extension, -1);
    X509_EXTENSION_free(extension);
}

static struct pair
make_pair(const char *name, const struct pair *issuer, const char *alternative, long till)
{
    static long serial = 1;
    struct pair p = {X509_new(), EVP_EC_gen("P-256")};
    X509_set_version(p.crt, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.crt), serial++);
    X509_gmtime_adj(X509_getm_notBefore(p.crt), -7200);
    X509_gmtime_adj(X509_getm_notAfter(p.crt), till);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(p.crt), "CN", MBSTRING_ASC, (const unsigned char *)name,
                               -1, -1, 0);
    X509_set_issuer_name(p.crt, X509_get_subject_name(issuer ? issuer->crt : p.crt));
    X509_set_pubkey(p.crt, p.key);
    add_extension(p.crt, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    add_extension(p.crt, NID_key_usage, issuer ? "digitalSignature" : "keyCertSign");
    if (alternative)
        add_extension(p.crt, NID_subject_alt_name, alternative);
    cr_assert_gt(X509_sign(p.crt, issuer ? issuer->key : p.key, EVP_sha256()), 0);
    return p;
}

static void
free_pair(struct pair *p)
{
    X509_free(p->crt);
    EVP_PKEY_free(p->key);
}

static view
pem_of(BIO *bio)
{
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    view copy = arena_dup(mem, view_make(text, (size_t)n));
    BIO_free(bio);
    return copy;
}

static view
crt_pem(const struct pair *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, p->crt);
    return pem_of(bio);
}

static view
key_pem(const struct pair *p)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, p->key, NULL, NULL, 0, NULL, NULL);
    return pem_of(bio);
}

static struct pair ca, other_ca, client;
static SSL_CTX *context;

/* till: life of the server's certificate in seconds; peers: must clients show one of ca? */
static void
start(const char *alternative, long till, bool peers)
{
    cr_assert_eq(net_start(), E_OK);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    mem = arena_new(1 << 22);
    ca = make_pair("ca", NULL, NULL, 86400);
    other_ca = make_pair("other ca", NULL, NULL, 86400);
    client = make_pair("client", &ca, NULL, 86400);
    struct pair own = make_pair("server", &ca, alternative, till);
    context = SSL_CTX_new(TLS_server_method());
    cr_assert_eq(SSL_CTX_use_certificate(context, own.crt), 1);
    cr_assert_eq(SSL_CTX_use_PrivateKey(context, own.key), 1);
    if (peers) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.crt);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    free_pair(&own);
    server_start(&server, context);
}

static void
stop(void)
{
    server_stop(&server);
    SSL_CTX_free(context);
    free_pair(&ca);
    free_pair(&other_ca);
    free_pair(&client);
    arena_free(mem);
    net_stop();
}

static err
fetch(struct net_request rq)
{
    rq.method = "GET";
    rq.url = url_of(&server, "/ok", mem);
    fault_init(&fault);
    return net_fetch(&sandbox, &rq, mem, &reply, &fault);
}

Test(tls, pinned_ca)
{
    start("IP:127.0.0.1", 86400, false);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_OK);
    cr_expect_eq(reply.status, 200);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&other_ca)}), E_NETWORK);
    cr_expect_str_eq(fault.found, "a server certificate that does not verify");
    cr_expect(!reply.was_sent);
    cr_expect_eq(fetch((struct net_request){0}), E_NETWORK, "the system's bundle does not hold it");
    cr_expect_eq(fetch((struct net_request){.ca_pem = V("no PEM")}), E_NETWORK);
    cr_expect_eq(server.requests, 1);
    stop();
}

Test(tls, name_and_time)
{
    start("DNS:other.test", 86400, false);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_NETWORK, "another name");
    stop();
    start("IP:127.0.0.1", -3600, false);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_NETWORK, "expired");
    stop();
}

Test(tls, client_certificate)
{
    start("IP:127.0.0.1", 86400, true);
    struct net_request rq = {
        .ca_pem = crt_pem(&ca), .cert_pem = crt_pem(&client), .key_pem = key_pem(&client)};
    cr_expect_eq(fetch(rq), E_OK);
    cr_expect_eq(server.peers, 1);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_NETWORK, "the server wants one");
    rq.key_pem = key_pem(&ca);
    cr_expect_eq(fetch(rq), E_NETWORK, "key of another");
    cr_expect_str_eq(fault.found, "a client certificate or CA that cannot be used");
    stop();
}

Test(tls, old_versions_are_refused)
{
    start("IP:127.0.0.1", 86400, false);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_NETWORK);
    cr_expect_eq(server.requests, 0);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    cr_expect_eq(fetch((struct net_request){.ca_pem = crt_pem(&ca)}), E_OK);
    stop();
}

struct count {
    int ok, failed;
};

static void
note(void *user, err e, const struct net_reply *r, const struct fault *f)
{
    struct count *count = user;
    (void)f;
    count->ok += e == E_OK && r->status == 200;
    count->failed += e != E_OK;
}

/* An open connection is not used for a request that pins other CAs or shows another certificate. */
Test(tls, connections_are_not_shared_between_pins)
{
    start("IP:127.0.0.1", 86400, false);
    struct net_pool *pool = NULL;
    struct net_pool_options o = {.policy = {.allow_private = true}};
    cr_assert_eq(net_pool_new(&o, &pool), E_OK);
    view url = url_of(&server, "/ok", mem), right = crt_pem(&ca), wrong = crt_pem(&other_ca);
    view certificate = crt_pem(&client), key = key_pem(&client);
    struct count a = {0, 0}, b = {0, 0}, c = {0, 0};
    for (int i = 0; i < 5; i++) {
        struct net_request good = {.method = "GET", .url = url, .ca_pem = right};
        struct net_request bad = {.method = "GET", .url = url, .ca_pem = wrong};
        struct net_request own = {
            .method = "GET", .url = url, .ca_pem = right, .cert_pem = certificate, .key_pem = key};
        cr_assert_eq(net_pool_add(pool, &good, note, &a, NULL), E_OK);
        while (net_pool_poll(pool, SPAN_SECONDS(1)) > 0)
            continue;
        cr_assert_eq(net_pool_add(pool, &bad, note, &b, NULL), E_OK);
        cr_assert_eq(net_pool_add(pool, &own, note, &c, NULL), E_OK);
        while (net_pool_poll(pool, SPAN_SECONDS(1)) > 0)
            continue;
    }
    cr_expect(a.ok == 5 && a.failed == 0, "%d %d", a.ok, a.failed);
    cr_expect(b.ok == 0 && b.failed == 5, "%d %d", b.ok, b.failed);
    cr_expect(c.ok == 5 && c.failed == 0, "%d %d", c.ok, c.failed);
    cr_expect_leq(server.connections, 7 + 5, "%d", server.connections);
    net_pool_free(pool);
    stop();
}
