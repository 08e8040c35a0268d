/* TLS in the listener itself: versions, client certificates of every kind, reload under load.  Certificates
 * are made at run time. */
#include "kit.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <time.h>

static struct kit kit;
static char folder[] = "/tmp/claimgate-tls-XXXXXX";

struct pair {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

enum use { USE_CA, USE_SERVER, USE_CLIENT };

/* Valid from now + from to now + till, in seconds. */
static struct pair
make_pair(const char *name, enum use use, const struct pair *issuer, long from, long till)
{
    static unsigned char serial = 1;
    struct pair p;
    time_t now = (time_t)instant_unix(clock_now());
    unsigned char number[2] = {serial++, 1};
    gnutls_x509_crt_init(&p.crt);
    gnutls_x509_privkey_init(&p.key);
    cr_assert_eq(gnutls_x509_privkey_generate(p.key, GNUTLS_PK_EC,
                                              GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                 0);
    gnutls_x509_crt_set_version(p.crt, 3);
    gnutls_x509_crt_set_serial(p.crt, number, sizeof number);
    gnutls_x509_crt_set_dn_by_oid(p.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
    gnutls_x509_crt_set_activation_time(p.crt, now + from);
    gnutls_x509_crt_set_expiration_time(p.crt, now + till);
    gnutls_x509_crt_set_key(p.crt, p.key);
    gnutls_x509_crt_set_basic_constraints(p.crt, use == USE_CA, -1);
    gnutls_x509_crt_set_key_usage(p.crt,
                                  use == USE_CA ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (use != USE_CA)
        gnutls_x509_crt_set_key_purpose_oid(
            p.crt, use == USE_SERVER ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT, 0);
    if (use == USE_SERVER)
        gnutls_x509_crt_set_subject_alt_name(p.crt, GNUTLS_SAN_DNSNAME, "gateway.test", 12, GNUTLS_FSAN_SET);
    cr_assert_eq(gnutls_x509_crt_sign2(p.crt, issuer ? issuer->crt : p.crt, issuer ? issuer->key : p.key,
                                       GNUTLS_DIG_SHA256, 0),
                 0);
    return p;
}

static void
free_pair(struct pair *p)
{
    gnutls_x509_crt_deinit(p->crt);
    gnutls_x509_privkey_deinit(p->key);
}

static void
write_file(const char *name, const char *ending, const gnutls_datum_t *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fwrite(text->data, 1, text->size, file);
    fclose(file);
}

static const char *
path_of(const char *name, const char *ending)
{
    static char paths[8][200];
    static int at;
    at = (at + 1) % 8;
    snprintf(paths[at], sizeof paths[at], "%s/%s.%s", folder, name, ending);
    return paths[at];
}

static void
save(const struct pair *p, const char *name)
{
    gnutls_datum_t text;
    cr_assert_eq(gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(name, "crt", &text);
    gnutls_free(text.data);
    cr_assert_eq(gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(name, "key", &text);
    gnutls_free(text.data);
}

static struct pair ca, other_ca, server, good, rogue, expired, early, wrong_use;

static void
make_world(void)
{
    memcpy(folder, "/tmp/claimgate-tls-XXXXXX", sizeof folder);
    cr_assert_not_null(mkdtemp(folder));
    ca = make_pair("ca", USE_CA, NULL, -3600, 86400);
    other_ca = make_pair("other ca", USE_CA, NULL, -3600, 86400);
    server = make_pair("server", USE_SERVER, &ca, -3600, 86400);
    good = make_pair("good", USE_CLIENT, &ca, -3600, 86400);
    rogue = make_pair("rogue", USE_CLIENT, &other_ca, -3600, 86400);
    expired = make_pair("expired", USE_CLIENT, &ca, -7200, -3600);
    early = make_pair("early", USE_CLIENT, &ca, 3600, 7200);
    wrong_use = make_pair("wrong use", USE_SERVER, &ca, -3600, 86400);
    save(&ca, "ca");
    save(&other_ca, "other_ca");
    save(&server, "server");
}

static void
free_world(void)
{
    struct pair *all[] = {&ca, &other_ca, &server, &good, &rogue, &expired, &early, &wrong_use};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        free_pair(all[i]);
    static const char *const names[] = {"ca", "other_ca", "server", "second"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        unlink(path_of(names[i], "crt"));
        unlink(path_of(names[i], "key"));
    }
    rmdir(folder);
}

static void
start(bool with_client_ca)
{
    make_world();
    kit_start(&kit, (struct http_options){
                        .tls_cert = path_of("server", "crt"),
                        .tls_key = path_of("server", "key"),
                        .tls_client_ca = with_client_ca ? path_of("ca", "crt") : "",
                    });
}

static void
stop(void)
{
    kit_stop(&kit);
    free_world();
}

struct client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    int handshake;
};

/* A client that shows its certificate whatever issuers the server names. */
static struct client
client_open(const struct pair *own, const char *priorities)
{
    struct client c;
    c.fd = kit_connect(kit.port);
    gnutls_certificate_allocate_credentials(&c.credentials);
    if (own) {
        gnutls_x509_crt_t list[1] = {own->crt};
        cr_assert_eq(gnutls_certificate_set_x509_key(c.credentials, list, 1, own->key), 0);
    }
    gnutls_init(&c.session, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_NO_SIGNAL);
    cr_assert_eq(gnutls_priority_set_direct(c.session, priorities, NULL), 0, "%s", priorities);
    gnutls_credentials_set(c.session, GNUTLS_CRD_CERTIFICATE, c.credentials);
    gnutls_transport_set_int(c.session, c.fd);
    do
        c.handshake = gnutls_handshake(c.session);
    while (c.handshake < 0 && !gnutls_error_is_fatal(c.handshake));
    return c;
}

static void
client_close(struct client *c)
{
    gnutls_bye(c->session, GNUTLS_SHUT_WR);
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
    close(c->fd);
}

/* Status of one request, 0 when the connection was cut.  body: at least 2048 bytes, gets the JSON. */
static int
client_ask(struct client *c, char *body)
{
    static const char request[] = "GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n";
    struct kit_reply r = {.text = calloc(1, KIT_REPLY_MAX)};
    int64_t status = 0;
    gnutls_record_send(c->session, request, sizeof request - 1);
    while (!kit_is_whole(&r, false)) {
        ssize_t n = gnutls_record_recv(c->session, r.text + r.n, KIT_REPLY_MAX - r.n);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            continue;
        if (n <= 0)
            break;
        r.n += (size_t)n;
    }
    if (r.n > 12 && text_to_i64(view_make(r.text + 9, 3), &status) != E_OK)
        status = 0;
    if (body)
        snprintf(body, 2048, "%.*s", VIEW_ARG(r.body));
    kit_free(&r);
    return (int)status;
}

#define TLS_NORMAL "NORMAL"

static int
ask_once(const struct pair *own, const char *priorities, char *body)
{
    struct client c = client_open(own, priorities);
    int status = c.handshake == 0 ? client_ask(&c, body) : 0;
    client_close(&c);
    return status;
}

static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"};

Test(tls, client_certificates)
{
    start(true);
    char body[2048];
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        kit.certificate_n = 99;
        cr_expect_eq(ask_once(NULL, versions[i], body), 200, "none is no peer");
        cr_expect_eq(kit.certificate_n, 0);
        cr_expect(strstr(body, "\"peer\":\"0000000000"), "%s", body);
        cr_expect_eq(ask_once(&good, versions[i], body), 200);
        gnutls_datum_t der;
        gnutls_x509_crt_export2(good.crt, GNUTLS_X509_FMT_DER, &der);
        cr_expect(view_eq(view_make(kit.certificate, kit.certificate_n), view_make(der.data, der.size)));
        gnutls_free(der.data);
        cr_expect_null(strstr(body, "\"peer\":\"0000000000"));
        int asked = kit.asked, handled = kit.handled;
        cr_expect_eq(ask_once(&rogue, versions[i], body), 401);
        cr_expect(strstr(body, "client-certificate") && strstr(body, "another issuer"), "%s", body);
        cr_expect_eq(ask_once(&expired, versions[i], body), 401);
        cr_expect(strstr(body, "has expired"), "%s", body);
        cr_expect_eq(ask_once(&early, versions[i], body), 401);
        cr_expect(strstr(body, "not yet valid"), "%s", body);
        cr_expect_eq(ask_once(&wrong_use, versions[i], body), 401);
        cr_expect(strstr(body, "not for TLS clients"), "%s", body);
        cr_expect_eq(kit.asked, asked, "nobody is asked about a rogue certificate");
        cr_expect_eq(kit.handled, handled);
    }
    stop();
}

Test(tls, no_client_ca_means_no_peer)
{
    start(false);
    char body[2048];
    kit.certificate_n = 99;
    cr_expect_eq(ask_once(&good, TLS_NORMAL, body), 200);
    cr_expect_eq(kit.certificate_n, 0);
    stop();
}

static const struct {
    const char *priorities;
    bool is_accepted;
} suites[] = {
    {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", false},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT", false},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC", false},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+NULL", false},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+ARCFOUR-128", false},
};

Test(tls, ab_t_20_versions_and_suites)
{
    start(true);
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        int status = ask_once(NULL, suites[i].priorities, NULL);
        cr_expect_eq(status == 200, suites[i].is_accepted, "%s: %d", suites[i].priorities, status);
    }
    int fd = kit_connect(kit.port);
    kit_write(fd, V("GET /v1/claims/x HTTP/1.1\r\n" KIT_AUTH "\r\n"));
    struct kit_reply r = kit_read(fd);
    cr_expect_eq(r.status, 0, "plain HTTP is not answered");
    kit_free(&r);
    close(fd);
    stop();
}

/* A connection keeps its verdict while nothing changes; a CA that is taken out counts at once, also for
 * connections that are open. */
Test(tls, reload_of_the_client_ca)
{
    start(true);
    struct fault f;
    fault_init(&f);
    char body[2048];
    struct client c = client_open(&good, TLS_NORMAL);
    cr_assert_eq(c.handshake, 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(client_ask(&c, body), 200);
    cr_assert_eq(http_reload_tls(kit.server, path_of("server", "crt"), path_of("server", "key"),
                                 path_of("other_ca", "crt"), &f),
                 E_OK);
    cr_expect_eq(client_ask(&c, body), 401);
    client_close(&c);
    cr_expect_eq(ask_once(&good, TLS_NORMAL, body), 401);
    cr_expect_eq(ask_once(&rogue, TLS_NORMAL, body), 200, "the other CA is now the listed one");
    cr_assert_eq(http_reload_tls(kit.server, path_of("server", "crt"), path_of("server", "key"), "", &f),
                 E_OK);
    cr_expect_eq(ask_once(NULL, TLS_NORMAL, body), 200);
    stop();
}

Test(tls, bad_files)
{
    start(true);
    static const struct {
        const char *cert, *cert_ending, *key, *ca;
        err want;
    } rows[] = {
        {"none", "crt", "server", "ca", E_FILE},       {"server", "crt", "none", "ca", E_FILE},
        {"server", "crt", "ca", "ca", E_CONFIG},     /* key of another */
        {"server", "key", "server", "ca", E_CONFIG}, /* no certificate */
        {"server", "crt", "server", "none", E_CONFIG},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fault f;
        fault_init(&f);
        err e = http_reload_tls(kit.server, path_of(rows[i].cert, rows[i].cert_ending),
                                path_of(rows[i].key, "key"), path_of(rows[i].ca, "crt"), &f);
        cr_expect_eq(e, rows[i].want, "%zu: %s", i, err_info(e)->code);
        cr_expect_eq(f.code, rows[i].want);
    }
    char body[2048];
    cr_expect_eq(ask_once(&good, TLS_NORMAL, body), 200, "the old set still serves");
    stop();
}

struct load {
    _Atomic bool end;
    _Atomic int served, failed;
};

static void *
load_thread(void *self)
{
    struct load *load = self;
    while (!load->end) {
        struct client c = client_open(&good, TLS_NORMAL);
        bool is_ok = c.handshake == 0;
        for (int i = 0; i < 5 && is_ok; i++)
            is_ok = client_ask(&c, NULL) == 200;
        load->served += is_ok ? 5 : 0;
        load->failed += !is_ok;
        client_close(&c);
    }
    return NULL;
}

Test(tls, reload_under_load)
{
    start(true);
    struct pair second = make_pair("second", USE_SERVER, &ca, -3600, 86400);
    save(&second, "second");
    struct load load = {false, 0, 0};
    pthread_t threads[3];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_create(&threads[i], NULL, load_thread, &load);
    int reloads = 0;
    while (reloads < 50 || load.served < 200) {
        struct fault f;
        fault_init(&f);
        const char *name = reloads % 2 ? "server" : "second";
        cr_assert_eq(
            http_reload_tls(kit.server, path_of(name, "crt"), path_of(name, "key"), path_of("ca", "crt"), &f),
            E_OK);
        reloads++;
        int before = load.served;
        while (load.served < before + 4 && load.failed == 0)
            sched_yield();
        if (load.failed > 0)
            break;
    }
    load.end = true;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(load.failed, 0);
    cr_expect_geq(load.served, 200);
    free_pair(&second);
    stop();
}

/* The certificate that is served is the new one. */
Test(tls, reload_of_the_server_certificate)
{
    start(false);
    struct pair second = make_pair("second", USE_SERVER, &ca, -3600, 86400);
    save(&second, "second");
    struct fault f;
    fault_init(&f);
    cr_assert_eq(http_reload_tls(kit.server, path_of("second", "crt"), path_of("second", "key"), NULL, &f),
                 E_OK);
    struct client c = client_open(NULL, TLS_NORMAL);
    cr_assert_eq(c.handshake, 0);
    unsigned n = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(c.session, &n);
    gnutls_datum_t want;
    gnutls_x509_crt_export2(second.crt, GNUTLS_X509_FMT_DER, &want);
    cr_assert_geq(n, 1);
    cr_expect(view_eq(view_make(shown->data, shown->size), view_make(want.data, want.size)));
    gnutls_free(want.data);
    client_close(&c);
    free_pair(&second);
    stop();
}

Test(tls, a_key_is_needed)
{
    struct http_server *s = NULL;
    struct fault f;
    fault_init(&f);
    static const handler none[ROUTE_COUNT];
    struct auth_ops auth = {0};
    struct http_options o = {.listen = "127.0.0.1:0",
                             .tls_cert = "/nowhere",
                             .connections = 4,
                             .arena_ceiling = 1000,
                             .handlers = none,
                             .auth = &auth};
    cr_expect_eq(http_start(&o, &s, &f), E_CONFIG);
    cr_expect_str_eq(f.where, "http.tls_key");
}
