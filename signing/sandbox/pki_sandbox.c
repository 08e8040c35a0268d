#include "signing/sandbox/pki_sandbox.h"

#include "signing/sandbox/pki_issue.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_AUTO(BIO *, BIO_free_all)
DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)
DEFINE_AUTO(X509_CRL *, X509_CRL_free)

const struct sandbox_party sandbox_parties[] = {
#define PARTY(name, ca, shape, subject, organisation, licence, common_name)                                  \
    {name, ca, SUBJECT_##subject, organisation, licence, common_name},
#include "signing/sandbox/pki_sandbox.def"
#undef PARTY
};
const size_t sandbox_parties_count = COUNT_OF(sandbox_parties);

static const enum pki_shape party_shapes[] = {
#define PARTY(name, ca, shape, subject, organisation, licence, common_name) SHAPE_##shape,
#include "signing/sandbox/pki_sandbox.def"
#undef PARTY
};

static const struct authority_row {
    const char *name, *parent;
    enum trust_use use; /* USE_COUNT: in no list */
    const char *common_name;
} authorities[] = {
#define AUTHORITY(name, parent, use, common_name) {name, parent, USE_##use, common_name},
#include "signing/sandbox/pki_sandbox.def"
#undef AUTHORITY
};

static const char *const bare_keys[] = {
#define BARE_KEY(name) name,
#include "signing/sandbox/pki_sandbox.def"
#undef BARE_KEY
};

#define FILE_MAX (256 * 1024)

struct sandbox {
    const char *dir;
    instant now;
    X509 *ca[COUNT_OF(authorities)];
    EVP_PKEY *ca_key[COUNT_OF(authorities)];
    X509 *revoked; /* the one of SHAPE_REVOKED, for its CA's list */
    const char *revoked_by;
    struct buf index; /* index.json while it grows */
    struct fault *f;
};

static void
sandbox_done(struct sandbox *s)
{
    for (size_t i = 0; i < COUNT_OF(authorities); i++) {
        X509_free(s->ca[i]);
        EVP_PKEY_free(s->ca_key[i]);
    }
    X509_free(s->revoked);
    buf_done(&s->index);
}

static instant
days_from(instant t, int days)
{
    return instant_add(t, SPAN_DAYS(days));
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static err
write_file(const struct sandbox *s, const char *name, const char *ending, mode_t mode, view bytes)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s%s", s->dir, name, ending);
    if (n < 0 || (size_t)n >= sizeof path)
        return fault_setf(s->f, E_FILE, "a path below 1 KiB", "longer", "%s", s->dir);
    AUTO_DONE(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fault_setf(s->f, E_FILE, "a new file", errno == EEXIST ? "there is one" : "cannot be made",
                          "%s", path);
    while (bytes.n > 0) {
        ssize_t done = write(fd, bytes.p, bytes.n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fault_setf(s->f, E_FILE, "room for a file", "cannot be written", "%s", path);
        bytes = view_sub(bytes, (size_t)done, bytes.n);
    }
    return E_OK;
}

static err
write_bio(const struct sandbox *s, const char *name, const char *ending, mode_t mode, BIO *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(out, &p);
    return write_file(s, name, ending, mode, view_make(p, (size_t)n));
}

static err
failed(const struct sandbox *s, const char *name)
{
    ERR_clear_error();
    return fault_setf(s->f, E_INTERNAL, "a new key or certificate", "OpenSSL made none", "sandbox: %s", name);
}

static err
write_key(const struct sandbox *s, const char *name, EVP_PKEY *pkey)
{
    AUTO(BIO_free_all) BIO *out = BIO_new(BIO_s_mem());
    if (!out || PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(s, name);
    return write_bio(s, name, ".key", 0400, out);
}

/* x and, when given, its issuer behind it. */
static err
write_certificates(const struct sandbox *s, const char *name, const char *ending, X509 *x, X509 *issuer)
{
    AUTO(BIO_free_all) BIO *out = BIO_new(BIO_s_mem());
    if (!out || PEM_write_bio_X509(out, x) != 1 || (issuer && PEM_write_bio_X509(out, issuer) != 1))
        return failed(s, name);
    return write_bio(s, name, ending, 0644, out);
}

static EVP_PKEY *
new_key(bool rsa)
{
    return rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
               : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static size_t
authority_index(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(authorities); i++)
        if (strcmp(authorities[i].name, name) == 0)
            return i;
    return COUNT_OF(authorities);
}

static err
make_authority(struct sandbox *s, size_t i)
{
    const struct authority_row *row = &authorities[i];
    size_t parent = row->parent[0] ? authority_index(row->parent) : i;
    s->ca_key[i] = new_key(false);
    struct pki_order order = {
        .shape = SHAPE_CA,
        .subject = SUBJECT_UNKNOWN,
        .organisation = "",
        .licence = "",
        .common_name = row->common_name,
        .pkey = s->ca_key[i],
        .issuer = parent == i ? NULL : s->ca[parent],
        .issuer_key = s->ca_key[parent],
        .from = days_from(s->now, -1100),
        .until = days_from(s->now, 3650),
    };
    s->ca[i] = s->ca_key[i] ? pki_issue(&order) : NULL;
    if (!s->ca[i])
        return failed(s, row->name);
    TRY(write_key(s, row->name, s->ca_key[i]));
    return write_certificates(s, row->name, ".crt", s->ca[i], NULL);
}

static void
index_member(struct buf *b, const char *name, const char *text)
{
    BUF_LIT(b, ", ");
    buf_add_json(b, view_of(name));
    BUF_LIT(b, ": ");
    buf_add_json(b, view_of(text));
}

static void
index_party(struct sandbox *s, const struct sandbox_party *p, const struct certificate_facts *facts)
{
    static const char *const shape_words[] = {
        [SHAPE_CA] = "ca",          [SHAPE_SIGNER] = "signer",      [SHAPE_EXPIRED] = "signer",
        [SHAPE_REVOKED] = "signer", [SHAPE_CLIENT] = "client",      [SHAPE_SERVER] = "server",
        [SHAPE_TSA] = "timestamp",  [SHAPE_TSA_NEXT] = "timestamp", [SHAPE_OCSP] = "ocsp",
        [SHAPE_SEALER] = "signer",
    };
    struct buf *b = &s->index;
    size_t ca = authority_index(p->ca);
    buf_add_view(b, b->n > 0 ? V(",\n  {\"name\": ") : V("  {\"name\": "));
    buf_add_json(b, view_of(p->name));
    index_member(b, "ca", p->ca);
    index_member(b, "for", shape_words[party_shapes[p - sandbox_parties]]);
    index_member(b, "use", trust_use_word(authorities[ca].use));
    index_member(b, "subject", subject_word(p->subject));
    index_member(b, "organisation", p->organisation);
    index_member(b, "licence", p->licence);
    index_member(b, "common_name", p->common_name);
    BUF_LIT(b, ", \"fingerprint\": \"");
    buf_add_hex(b, digest_view(&facts->fingerprint));
    BUF_LIT(b, "\"}");
}

static err
describe(struct sandbox *s, const struct sandbox_party *p, X509 *x)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    struct certificate_facts facts;
    err e = n > 0 ? certificate_describe(x, view_make(der, (size_t)n), &facts, s->f) : failed(s, p->name);
    OPENSSL_free(der);
    if (e == E_OK)
        index_party(s, p, &facts);
    return e;
}

static err
make_party(struct sandbox *s, size_t i)
{
    const struct sandbox_party *p = &sandbox_parties[i];
    enum pki_shape shape = party_shapes[i];
    size_t ca = authority_index(p->ca);
    bool is_expired = shape == SHAPE_EXPIRED;
    AUTO(EVP_PKEY_free)
    EVP_PKEY *pkey =
        new_key(shape == SHAPE_SEALER || (p->subject == SUBJECT_HOSPITAL && shape == SHAPE_SIGNER));
    struct pki_order order = {
        .shape = shape,
        .subject = p->subject,
        .organisation = p->organisation,
        .licence = p->licence,
        .common_name = p->common_name,
        .pkey = pkey,
        .issuer = s->ca[ca],
        .issuer_key = s->ca_key[ca],
        .from = days_from(s->now, is_expired ? -1000 : -30),
        .until = days_from(s->now, is_expired                ? -30
                                   : shape == SHAPE_TSA_NEXT ? 3000
                                                             : 700),
    };
    AUTO(X509_free) X509 *x = pkey ? pki_issue(&order) : NULL;
    if (!x)
        return failed(s, p->name);
    TRY(write_key(s, p->name, pkey));
    TRY(write_certificates(s, p->name, ".crt", x, NULL));
    TRY(write_certificates(s, p->name, ".chain.pem", x, s->ca[ca]));
    TRY(describe(s, p, x));
    if (shape == SHAPE_REVOKED) {
        s->revoked = TAKE(x);
        s->revoked_by = p->ca;
    }
    return E_OK;
}

static err
make_crl(const struct sandbox *s, size_t i)
{
    const char *name = authorities[i].name;
    bool has_revoked = s->revoked && strcmp(s->revoked_by, name) == 0;
    struct pki_revoked revoked = {
        .serial = has_revoked ? X509_get0_serialNumber(s->revoked) : NULL,
        .at = days_from(s->now, -1),
        .reason = CRL_REASON_KEY_COMPROMISE,
    };
    struct pki_list order = {
        .issuer = s->ca[i],
        .issuer_key = s->ca_key[i],
        .number = 1,
        .this_update = instant_add(s->now, SPAN_SECONDS(-3600)),
        .next_update = days_from(s->now, SANDBOX_LIST_DAYS),
        .revoked = &revoked,
        .n_revoked = has_revoked,
    };
    AUTO(X509_CRL_free) X509_CRL *list = pki_issue_crl(&order);
    AUTO(BIO_free_all) BIO *out = BIO_new(BIO_s_mem());
    if (!list || !out || PEM_write_bio_X509_CRL(out, list) != 1)
        return failed(s, name);
    return write_bio(s, name, ".crl", 0644, out);
}

static err
write_trust(const struct sandbox *s)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, FILE_MAX);
    BUF_LIT(&b, "{\n  \"environment\": \"sandbox\",\n  \"uses\": {");
    bool first = true;
    for (size_t i = 0; i < COUNT_OF(authorities); i++) {
        const char *name = authorities[i].name;
        if (authorities[i].use == USE_COUNT)
            continue;
        buf_printf(&b,
                   "%s\n    \"%s\": {\"roots\": [\"%s.crt\"], \"intermediates\": [\"%s.crt\"], "
                   "\"crls\": [\"%s.crl\", \"%s.crl\"]}",
                   first ? "" : ",", trust_use_word(authorities[i].use), authorities[i].parent, name, name,
                   authorities[i].parent);
        first = false;
    }
    BUF_LIT(&b, "\n  }\n}\n");
    if (b.failed)
        return failed(s, "trust.json");
    return write_file(s, "trust", ".json", 0644, buf_view(&b));
}

static err
write_index(const struct sandbox *s)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, FILE_MAX);
    BUF_LIT(&b, "{\"certificates\": [\n");
    buf_add_view(&b, buf_view(&s->index));
    BUF_LIT(&b, "\n]}\n");
    if (b.failed || s->index.failed)
        return failed(s, "index.json");
    return write_file(s, "index", ".json", 0644, buf_view(&b));
}

static err
make_bare_key(const struct sandbox *s, const char *name)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = new_key(false);
    if (!pkey)
        return failed(s, name);
    return write_key(s, name, pkey);
}

err
pki_sandbox_make(const char *dir, struct fault *f)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fault_setf(f, E_FILE, "a folder", "cannot be made", "%s", dir);
    AUTO_DONE(sandbox_done) struct sandbox s = {.dir = dir, .now = clock_now(), .f = f};
    buf_init(&s.index, FILE_MAX);
    for (size_t i = 0; i < COUNT_OF(authorities); i++)
        TRY(make_authority(&s, i));
    for (size_t i = 0; i < sandbox_parties_count; i++)
        TRY(make_party(&s, i));
    for (size_t i = 0; i < COUNT_OF(authorities); i++)
        TRY(make_crl(&s, i));
    for (size_t i = 0; i < COUNT_OF(bare_keys); i++)
        TRY(make_bare_key(&s, bare_keys[i]));
    TRY(write_index(&s));
    return write_trust(&s);
}
