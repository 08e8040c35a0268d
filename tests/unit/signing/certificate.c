#include "sandbox.h"

#include "signing/pki/certificate.h"
#include "signing/sandbox/pki_issue.h"

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)

static view
der_of(X509 *x, arena *mem)
{
    unsigned char *out = NULL;
    int n = i2d_X509(x, &out);
    cr_assert(n > 0);
    view der = arena_dup(mem, view_make(out, (size_t)n));
    OPENSSL_free(out);
    return der;
}

static EVP_PKEY *
new_key(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static X509 *
issue(enum pki_shape shape, enum subject_kind subject, const char *organisation, EVP_PKEY *pkey)
{
    struct pki_order order = {.shape = shape,
                              .subject = subject,
                              .organisation = organisation,
                              .licence = "990001",
                              .common_name = "沙箱",
                              .pkey = pkey,
                              .issuer_key = pkey,
                              .from = {0},
                              .until = instant_add(clock_now(), SPAN_DAYS(10))};
    X509 *x = pki_issue(&order);
    cr_assert(x);
    return x;
}

/* A hospital's certificate whose subject directory attributes are these bytes; times says how often the
 * extension stands. */
static view
with_directory(view sda, int times, arena *mem)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = new_key();
    AUTO(X509_free) X509 *x = issue(SHAPE_SIGNER, SUBJECT_HOSPITAL, "9901010016", pkey);
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_subject_directory_attributes, -1)));
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, (const unsigned char *)sda.p, (int)sda.n);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_subject_directory_attributes, 0, octets);
    for (int i = 0; i < times; i++)
        cr_assert(X509_add_ext(x, e, -1) == 1);
    cr_assert(X509_sign(x, pkey, EVP_sha256()) > 0);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    return der_of(x, mem);
}

/* Subject type institution, 2.16.886.1.100.3.2.21 */
#define TYPE "\x30\x15\x06\x07\x60\x86\x76\x01\x64\x02\x01\x31\x0a\x06\x08\x60\x86\x76\x01\x64\x03\x02\x15"
/* Attribute 2.16.886.1.100.2.111 with one value of ten octets behind a tag and length */
#define CODE_HEAD "\x30\x17\x06\x07\x60\x86\x76\x01\x64\x02\x6f\x31\x0c"

static const struct directory_case {
    const char *name;
    view sda;
    int times;
    enum subject_kind subject;
    const char *organisation;
} directory_cases[] = {
    {"type and code",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "9901010016",
      50},
     1,
     SUBJECT_HOSPITAL,
     "9901010016"},
    {"printable code",
     {"\x30\x30" TYPE CODE_HEAD "\x13\x0a"
      "9901010016",
      50},
     1,
     SUBJECT_HOSPITAL,
     "9901010016"},
    {"code in UTF-16",
     {"\x30\x30" TYPE CODE_HEAD "\x1e\x0a"
      "\0009\0009\0000\0001\0000",
      50},
     1,
     SUBJECT_HOSPITAL,
     "99010"},
    {"code with a control character",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "99010100\n6",
      50},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code with a NUL",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "99010100\0006",
      50},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code that is no UTF-8",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "99010100\xff"
      "6",
      50},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code as octets",
     {"\x30\x30" TYPE CODE_HEAD "\x04\x0a"
      "9901010016",
      50},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code twice",
     {"\x30\x49" TYPE CODE_HEAD "\x0c\x0a"
      "9901010016" CODE_HEAD "\x0c\x0a"
      "9901020021",
      75},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code with two values",
     {"\x30\x3c" TYPE "\x30\x23\x06\x07\x60\x86\x76\x01\x64\x02\x6f\x31\x18\x0c\x0a"
      "9901010016"
      "\x0c\x0a"
      "9901020021",
      62},
     1,
     SUBJECT_HOSPITAL,
     ""},
    {"code as an OID",
     {"\x30\x28" TYPE "\x30\x0f\x06\x07\x60\x86\x76\x01\x64\x02\x6f\x31\x04\x06\x02\x55\x04", 42},
     1,
     SUBJECT_HOSPITAL,
     "2.5.4"},
    {"type alone", {"\x30\x17" TYPE, 25}, 1, SUBJECT_HOSPITAL, ""},
    {"type twice", {"\x30\x2e" TYPE TYPE, 48}, 1, SUBJECT_UNKNOWN, ""},
    {"code alone",
     {"\x30\x19" CODE_HEAD "\x0c\x0a"
      "9901010016",
      27},
     1,
     SUBJECT_UNKNOWN,
     ""},
    {"unknown type",
     {"\x30\x17\x30\x15\x06\x07\x60\x86\x76\x01\x64\x02\x01\x31\x0a\x06\x08\x60\x86\x76\x01\x64\x03\x02\x16",
      25},
     1,
     SUBJECT_UNKNOWN,
     ""},
    {"extension twice",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "9901010016",
      50},
     2,
     SUBJECT_UNKNOWN,
     ""},
    {"bytes behind",
     {"\x30\x30" TYPE CODE_HEAD "\x0c\x0a"
      "9901010016"
      "\x05\x00",
      52},
     1,
     SUBJECT_UNKNOWN,
     ""},
    {"no sequence", {"\x04\x02\x05\x00", 4}, 1, SUBJECT_UNKNOWN, ""},
    {"empty", {"", 0}, 1, SUBJECT_UNKNOWN, ""},
};

Test(certificate, subject_directory_attributes)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(directory_cases); i++) {
        const struct directory_case *c = &directory_cases[i];
        view der = with_directory(c->sda, c->times, mem);
        struct signer s;
        cr_assert(certificate_read(der, mem, &s, NULL, NULL) == E_OK, "%s", c->name);
        cr_expect(s.subject == c->subject, "%s: %s", c->name, subject_word(s.subject));
        cr_expect(view_eq(s.organisation, view_of(c->organisation)), "%s: %.*s", c->name,
                  VIEW_ARG(s.organisation));
        cr_expect(s.use == USE_COUNT);
    }
}

Test(certificate, all_subject_types_of_the_table_are_known)
{
    static const struct {
        const char *oid;
        enum subject_kind subject;
    } types[] = {
#define SUBJECT(id, word, oid, attribute) {oid, SUBJECT_##id},
#define SUBJECT_ALSO(id, oid) {oid, SUBJECT_##id},
#include "signing/signing.def"
#undef SUBJECT
#undef SUBJECT_ALSO
    };
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!types[i].oid[0])
            continue;
        unsigned char oid[32], sda[64];
        unsigned char *p = oid;
        ASN1_OBJECT *object = OBJ_txt2obj(types[i].oid, 1);
        int n = i2d_ASN1_OBJECT(object, &p);
        ASN1_OBJECT_free(object);
        memcpy(sda, "\x30\x00\x30\x00\x06\x07\x60\x86\x76\x01\x64\x02\x01\x31\x00", 15);
        memcpy(sda + 15, oid, (size_t)n);
        sda[14] = (unsigned char)n;
        sda[3] = (unsigned char)(n + 11);
        sda[1] = (unsigned char)(n + 13);
        view der = with_directory(view_make(sda, (size_t)n + 15), 1, mem);
        struct signer s;
        cr_assert(certificate_read(der, mem, &s, NULL, NULL) == E_OK);
        cr_expect(s.subject == types[i].subject, "%s is %s", types[i].oid, subject_word(s.subject));
    }
}

Test(certificate, a_persons_name_is_never_read)
{
    AUTO(arena_free) arena *mem = test_arena();
    static const char *const names[] = {"person-wang", "h1-dr-lin", "server"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct signer s;
        cr_assert(certificate_read(certificate_der(names[i], mem), mem, &s, NULL, NULL) == E_OK);
        cr_expect(s.common_name.n == 0, "%s", names[i]);
        cr_expect(view_eq(s.organisation, i == 0 ? V("0001") : V("")), "%s", names[i]);
    }
}

Test(certificate, pem_and_der_give_the_same)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = certificate_der("h1", mem), from_pem = VIEW_NONE, from_der = VIEW_NONE;
    view pem = read_whole(in_sandbox("h1.crt"));
    struct signer a, b;
    cr_assert(certificate_read(pem, mem, &a, &from_pem, NULL) == E_OK);
    cr_assert(certificate_read(der, mem, &b, &from_der, NULL) == E_OK);
    cr_assert(view_eq(from_pem, der) && view_eq(from_der, der));
    cr_assert(digest_eq(&a.fingerprint, &b.fingerprint) && digest_eq(&a.spki, &b.spki));
    digest expected = sha256(der);
    cr_assert(digest_eq(&a.fingerprint, &expected));
    cr_assert(a.not_before.us < clock_now().us && clock_now().us < a.not_after.us);
    free((void *)pem.p);
}

static void
expect_form_fault(view bytes, arena *mem, const char *name)
{
    struct signer s;
    struct fault f;
    fault_init(&f);
    cr_expect(certificate_read(bytes, mem, &s, NULL, &f) == E_CERT_FORM, "%s", name);
    cr_expect(f.code == E_CERT_FORM, "%s", name);
}

Test(certificate, other_bytes_are_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = certificate_der("k1", mem);
    char *longer = malloc(der.n + 2), *huge = calloc(1, 40000);
    memcpy(longer, der.p, der.n);
    longer[der.n] = 0;
    expect_form_fault(view_make(longer, der.n + 1), mem, "a byte behind");
    /* 30 82 hh ll … with its length in three octets: BER, another fingerprint for the same certificate */
    memcpy(longer, "\x30\x83\x00", 3);
    memcpy(longer + 3, der.p + 2, der.n - 2);
    expect_form_fault(view_make(longer, der.n + 1), mem, "BER length");
    memcpy(huge, "\x30\x82\x9c\x3c", 4);
    expect_form_fault(view_make(huge, 40000), mem, "too large");
    expect_form_fault(VIEW_NONE, mem, "nothing");
    expect_form_fault(V("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), mem, "bad PEM");
    expect_form_fault(V("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
                        "00000000000000000000000000000000\n\nAAAA\n-----END CERTIFICATE-----\n"),
                      mem, "PEM that asks for a passphrase");
    free(longer);
    free(huge);
}

Test(certificate, no_prefix_of_a_certificate_is_one)
{
    AUTO(arena_free) arena *mem = test_arena();
    view der = certificate_der("l1", mem);
    for (size_t n = 0; n < der.n; n++) {
        char *part = malloc(n + 1); /* its own block, so that an overrun is seen */
        memcpy(part, der.p, n);
        X509 *x = NULL;
        cr_expect(certificate_parse(view_make(part, n), &x, NULL) == E_CERT_FORM, "%zu bytes", n);
        free(part);
    }
}

static const struct usage_case {
    const char *name;
    bool may_sign, may_connect;
} usage_cases[] = {
    {"h1", true, true},       {"h1-dr-lin", true, true}, {"person-wang", true, true}, {"h1-tls", false, true},
    {"server", false, false}, {"tsa", false, false},     {"hca-ocsp", false, false},  {"hca", false, false},
};

Test(certificate, usages)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < COUNT_OF(usage_cases); i++) {
        AUTO(X509_free) X509 *x = NULL;
        cr_assert(certificate_parse(certificate_der(usage_cases[i].name, mem), &x, NULL) == E_OK);
        cr_expect(certificate_may_sign(x) == usage_cases[i].may_sign, "%s", usage_cases[i].name);
        cr_expect(certificate_may_connect(x) == usage_cases[i].may_connect, "%s", usage_cases[i].name);
        cr_expect(certificate_has_policy(x, SANDBOX_POLICY_OID));
        cr_expect(!certificate_has_policy(x, "2.16.886.101.0.3.3"));
    }
}

Test(certificate, without_key_usage_nothing_is_signed)
{
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = new_key();
    AUTO(X509_free) X509 *x = issue(SHAPE_SIGNER, SUBJECT_COMPANY, "99000116", pkey);
    cr_assert(certificate_may_sign(x));
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_key_usage, -1)));
    cr_assert(X509_sign(x, pkey, EVP_sha256()) > 0);
    X509 *again = X509_dup(x); /* the first keeps the flags that it has computed */
    cr_assert(!certificate_may_sign(again));
    cr_assert(certificate_may_connect(again));
    X509_free(again);
}

Test(certificate, files)
{
    STACK_OF(X509) *list = NULL;
    struct fault f;
    fault_init(&f);
    cr_assert(certificates_read_pem(in_sandbox("h1.chain.pem"), &list, &f) == E_OK);
    cr_assert(sk_X509_num(list) == 2);
    certificate_stack_free(list);
    cr_assert(certificates_read_pem(in_sandbox("absent.crt"), &list, &f) == E_FILE);
    fault_init(&f);
    cr_assert(certificates_read_pem(in_sandbox("trust.json"), &list, &f) == E_CERT_FORM);
    fault_init(&f);
    write_text(in_sandbox("half.pem"), "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    cr_assert(certificates_read_pem(in_sandbox("half.pem"), &list, &f) == E_CERT_FORM);
}
