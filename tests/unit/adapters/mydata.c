/* MyData packages made here by an agency of the sandbox, each defect with its code; the synthetic ones of the optional data. */
#include "../signing/sandbox.h"
#include "zip_kit.h"

#include "adapters/mydata/archive.h"
#include "adapters/mydata/manifest.h"
#include "adapters/mydata/mydata.h"
#include "base/text.h"
#include "signing/jose/aes_cbc.h"
#include "signing/jose/jwe.h"
#include "signing/jose/jws.h"

#define KEK "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS"
#define RESOURCE "API.police"

static const struct mydata_client client = {V_INIT("https://mydata.example.gov.tw"), V_INIT("CLI.test"),
                                            V_INIT("0123456789abcdef"), V_INIT("fedcba9876543210")};
static const struct mydata_resource resources[] = {{V_INIT(RESOURCE), V_INIT("A99310000D")}};

/* A package as a list of what may be wrong with it; zero is right. */
struct order {
    const char *signer;    /* "d1" */
    const char *altered;   /* content put into the archive in place of what was digested */
    bool manifest_altered; /* after signing */
    bool short_signature;
    const char *more;     /* a further file in the inner archive */
    const char *code;     /* "200" */
    const char *filename; /* of the envelope */
    const char *resource; /* of the outer manifest */
    bool base64_digest;
    const char *outer_more;
    const char *xml_head; /* before <files> of the inner manifest */
};

static view
sign(const char *signer, view bytes, arena *mem)
{
    AUTO(key_free) struct key *k = NULL;
    char file[64];
    view signature = VIEW_NONE;
    snprintf(file, sizeof file, "%s.key", signer);
    cr_assert_eq(key_load_pem(in_sandbox(file), &k, NULL), E_OK);
    cr_assert_eq(key_sign(k, bytes, mem, &signature), E_OK);
    return signature;
}

static view
inner_zip(const struct order *o, arena *mem)
{
    view content = V("{\"case_no\":\"11506AC1230001\"}");
    digest d = sha256(content);
    view sum = o->base64_digest ? text_base64(mem, digest_view(&d)) : text_hex(mem, digest_view(&d));
    view manifest = arena_printf(
        mem, "%s<files>\n<file><filename>accident.json</filename><digest>%.*s</digest></file></files>",
        o->xml_head ? o->xml_head : "", VIEW_ARG(sum));
    view signature = sign(o->signer ? o->signer : "d1", manifest, mem);
    if (o->manifest_altered)
        manifest = arena_printf(mem, "%.*s ", VIEW_ARG(manifest));
    if (o->short_signature)
        signature = view_sub(signature, 0, signature.n - 1);
    const struct kit_file files[] = {
        {.name = "accident.json", .bytes = o->altered ? view_of(o->altered) : content},
        {.name = "META-INFO/manifest.xml", .bytes = manifest},
        {.name = "META-INFO/certificate.cer", .bytes = certificate_der(o->signer ? o->signer : "d1", mem)},
        {.name = "META-INFO/manifest.sha256withrsa", .bytes = signature},
        {.name = o->more ? o->more : "", .bytes = V("x")},
    };
    return kit_zip(mem, files, o->more ? 5 : 4);
}

static view
package(const struct order *o, arena *mem)
{
    const char *code = o->code ? o->code : "200";
    view manifest = arena_printf(
        mem,
        "<?xml version=\"1.0\"?><files><file><filename>p.zip</filename><resource_id>%s"
        "</resource_id><resource_name>交通事故資料</resource_name><code>%s</code></file></files>",
        o->resource ? o->resource : RESOURCE, code);
    const struct kit_file files[] = {{.name = "META-INFO/manifest.xml", .bytes = manifest},
                                     {.name = "p.zip", .bytes = inner_zip(o, mem)},
                                     {.name = o->outer_more ? o->outer_more : "", .bytes = V("x")}};
    size_t n = o->outer_more ? 3 : strcmp(code, "200") == 0 ? 2 : 1;
    view zip = kit_zip(mem, files, n), jwe = VIEW_NONE;
    view plain = arena_printf(mem, "{\"filename\":\"%s\",\"data\":\"application/zip;data:%.*s\"}",
                              o->filename ? o->filename : "CLI.test.zip", VIEW_ARG(text_base64(mem, zip)));
    cr_assert_eq(jwe_seal_wrapped(V(KEK), plain, mem, &jwe), E_OK);
    return jwe;
}

static err
open_package(view jwe, arena *mem, struct mydata_package *ret, struct fault *f)
{
    AUTO(trust_unref) struct trust *t = sandbox_trust();
    const struct mydata_policy p = {&client, resources, 1, t, clock_now()};
    const struct mydata_notice n = {.tx_id = V("t"), .permission_ticket = V("p"), .key = V(KEK)};
    return mydata_open(&p, &n, jwe, mem, ret, f);
}

Test(mydata, a_right_package_gives_files_with_the_providers_name)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct mydata_package p;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(open_package(package(&(struct order){0}, mem), mem, &p, &f), E_OK, "%s %s", f.where,
                 f.found);
    cr_assert(p.n == 1 && p.parts[0].n_files == 1 && p.parts[0].code == 200);
    cr_expect(view_eq(p.parts[0].files[0].name, V("accident.json")));
    cr_expect(view_eq(p.parts[0].signer.organisation, V("A99310000D")));
    cr_expect_eq(p.parts[0].level, LEVEL_VERIFIED_CRL);
    cr_assert_eq(open_package(package(&(struct order){.base64_digest = true}, mem), mem, &p, &f), E_OK);
}

Test(mydata, a_data_set_that_the_platform_does_not_have_is_named_and_is_no_document)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct mydata_package p;
    cr_assert_eq(open_package(package(&(struct order){.code = "204"}, mem), mem, &p, NULL), E_OK);
    cr_expect(p.n == 1 && p.parts[0].code == 204 && p.parts[0].n_files == 0);
}

static const struct {
    const char *name;
    struct order order;
    err expected;
} bad[] = {
    {"file altered", {.altered = "{\"case_no\":\"11506AC1230002\"}"}, E_DIGEST_MISMATCH},
    {"manifest altered", {.manifest_altered = true}, E_SIGNATURE_MISMATCH},
    {"signature cut", {.short_signature = true}, E_SIGNATURE_MISMATCH},
    {"signed by another agency", {.signer = "d2"}, E_SIGNER_WRONG_ORG},
    {"signed by a hospital", {.signer = "h1"}, E_SIGNER_WRONG_KIND},
    {"signed by nobody's CA", {.signer = "rogue-h1"}, E_CHAIN},
    {"revoked signer", {.signer = "h1-revoked"}, E_CERT_REVOKED},
    {"expired signer", {.signer = "h1-expired"}, E_CERT_TIME},
    {"a file that the manifest does not list", {.more = "extra.json"}, E_PACKAGE_FORM},
    {"path traversal", {.more = "../../etc/passwd"}, E_PACKAGE_NAME},
    {"absolute path", {.more = "/etc/passwd"}, E_PACKAGE_NAME},
    {"backslash", {.more = "..\\windows"}, E_PACKAGE_NAME},
    {"drive", {.more = "c:x"}, E_PACKAGE_NAME},
    {"two folders", {.more = "a/b/c"}, E_PACKAGE_NAME},
    {"control character", {.more = "a\nb"}, E_PACKAGE_NAME},
    {"name twice, which libzip sees itself", {.more = "accident.json"}, E_PACKAGE_FORM},
    {"name twice but for case", {.more = "ACCIDENT.json"}, E_PACKAGE_NAME},
    {"certificate twice", {.more = "META-INFO/certificate.CER"}, E_PACKAGE_NAME},
    {"another client's envelope", {.filename = "CLI.other.zip"}, E_PACKAGE_FORM},
    {"a data set not asked for", {.resource = "API.other"}, E_PACKAGE_FORM},
    {"a status that is none", {.code = "ok"}, E_PACKAGE_FORM},
    {"further file outside", {.outer_more = "other.zip"}, E_PACKAGE_FORM},
    {"DOCTYPE", {.xml_head = "<!DOCTYPE files [<!ENTITY a \"b\">]>"}, E_XML_DOCTYPE},
    {"no XML", {.xml_head = "<x"}, E_XML_SYNTAX},
};

Test(mydata, each_defect_has_its_code)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(arena_free) arena *mem = test_arena();
        struct mydata_package p;
        struct fault f;
        fault_init(&f);
        err e = open_package(package(&bad[i].order, mem), mem, &p, &f);
        cr_expect_eq(e, bad[i].expected, "%s: %s at %s", bad[i].name, err_info(e)->code, f.where);
    }
}

/* ---- archives ---- */

static err
archive_of(const struct kit_file *files, size_t n)
{
    AUTO(arena_free) arena *mem = arena_new(96u << 20);
    struct archive *a = arena_make(mem, struct archive);
    return archive_read(kit_zip(mem, files, n), mem, a, NULL);
}

static const uint8_t deflated[] = {0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00};

Test(archive, what_is_stated_must_be_true_and_bounded)
{
    view packed = view_make(deflated, sizeof deflated);
    const struct kit_file right = {.name = "a", .bytes = packed, .size = 17, .crc = 0, .method = 8};
    struct kit_file f = right;
    f.crc = kit_crc(V("hello hello hello"));
    cr_expect_eq(archive_of(&f, 1), E_OK);
    f.size = 16; /* more comes out than stated */
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM);
    f.size = 18;
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM);
    f.size = 17;
    f.crc ^= 1;
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM);
    f = (struct kit_file){.name = "bomb", .bytes = packed, .size = 31u << 20, .method = 8};
    cr_expect_eq(archive_of(&f, 1), E_TOO_LARGE, "10 bytes that become 31 MiB");
    f.size = 33u << 20;
    cr_expect_eq(archive_of(&f, 1), E_TOO_LARGE);
    f = (struct kit_file){.name = "a", .bytes = V("x"), .flags = 1};
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM, "encrypted");
    f = (struct kit_file){.name = "a", .bytes = V("x"), .method = 12};
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM, "bzip2");
    f = (struct kit_file){.name = "a", .bytes = V("/etc/passwd"), .unix_mode = 0120777};
    cr_expect_eq(archive_of(&f, 1), E_PACKAGE_FORM, "a link");
}

Test(archive, sixty_four_files_and_no_more)
{
    struct kit_file files[ARCHIVE_FILES_MAX + 1];
    char names[ARCHIVE_FILES_MAX + 1][8];
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        files[i] = (struct kit_file){.name = names[i], .bytes = V("x")};
    }
    cr_expect_eq(archive_of(files, ARCHIVE_FILES_MAX), E_OK);
    cr_expect_eq(archive_of(files, ARCHIVE_FILES_MAX + 1), E_PACKAGE_FORM);
    cr_expect_eq(archive_of(files, 0), E_PACKAGE_FORM);
}

/* Every byte of a small archive: it opens to the same content, or not at all. */
Test(archive, no_changed_byte_changes_a_file)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    const struct kit_file file = {.name = "a.json", .bytes = V("{\"content\":true}")};
    view zip = kit_zip(mem, &file, 1);
    char *copy = arena_cstr(mem, zip);
    for (size_t i = 0; i < zip.n; i++) {
        AUTO(arena_free) arena *inner = arena_new(1u << 20);
        struct archive *a = arena_make(inner, struct archive);
        copy[i] = (char)(copy[i] ^ 0x41);
        if (archive_read(view_make(copy, zip.n), inner, a, NULL) == E_OK)
            for (size_t k = 0; k < a->n; k++)
                cr_expect(view_eq(a->files[k].bytes, file.bytes), "byte %zu", i);
        copy[i] = (char)(copy[i] ^ 0x41);
    }
}

/* ---- the exchange ---- */

Test(mydata, the_person_is_sent_there_without_a_number)
{
    AUTO(arena_free) arena *mem = test_arena();
    const view ids[] = {V("API.UZQkKbsOpz"), V("API.b")};
    view url;
    cr_assert_eq(mydata_redirect(&client, ids, 2, V("7da68500-1e15-3f41-a83e-b6255069dc3d"),
                                 V("https://gw.example.tw/cb?x=1"), mem, &url, NULL),
                 E_OK);
    cr_expect(
        view_eq(url,
                V("https://mydata.example.gov.tw/service/CLI.test/QVBJLlVaUWtLYnNPcHo6QVBJLmI%3D/"
                  "7da68500-1e15-3f41-a83e-b6255069dc3d?returnUrl=https%3A%2F%2Fgw.example.tw%2Fcb%3Fx%3D1")),
        "%.*s", VIEW_ARG(url));
    cr_expect_eq(mydata_redirect(&client, ids, 0, V("t"), V("u"), mem, &url, NULL), E_PARAMETER);
}

static view
notice_of(arena *mem, const char *ticket, view key)
{
    view sealed = VIEW_NONE;
    cr_assert_eq(aes_cbc_seal(V("0123456789abcdef0123456789abcdef"), client.iv, key, mem, &sealed), E_OK);
    return arena_printf(mem,
                        "{\"tx_id\":\"t-1\",\"permission_ticket\":\"%s\",\"secret_key\":\"%.*s\","
                        "\"unable_to_deliver\":[\"API.b\"]}",
                        ticket, VIEW_ARG(text_base64(mem, sealed)));
}

Test(mydata, the_notice_opens_under_our_secret_only)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct mydata_notice n;
    struct mydata_client other = client;
    struct adapter_call call;
    other.secret = V("fedcba9876543210");
    view text = notice_of(mem, "51sR2mk9e7UnOYXc-fAnKUVdp", V(KEK));
    cr_assert_eq(mydata_notice_read(&client, text, mem, &n, NULL), E_OK);
    cr_expect(view_eq(n.key, V(KEK)) && n.n_undelivered == 1 && view_eq(n.undelivered[0], V("API.b")));
    cr_expect_eq(mydata_notice_read(&other, text, mem, &n, NULL), E_SIGNATURE_MISMATCH);
    cr_expect_eq(mydata_notice_read(&client, notice_of(mem, "ticket", V("short")), mem, &n, NULL),
                 E_SIGNATURE_MISMATCH);
    cr_expect_eq(mydata_notice_read(&client, notice_of(mem, "a b", V(KEK)), mem, &n, NULL), E_SCHEMA);
    cr_expect_eq(mydata_notice_read(&client, notice_of(mem, "a\\r\\nX: y", V(KEK)), mem, &n, NULL), E_SCHEMA,
                 "no header may be smuggled in");
    cr_expect_eq(mydata_notice_read(&client, V("{}"), mem, &n, NULL), E_SCHEMA);
    cr_assert_eq(mydata_fetch_call(&client, &n, mem, &call), E_OK);
    cr_expect(view_eq(call.url, V("https://mydata.example.gov.tw/service/data")) && call.n_headers == 2);
}

Test(mydata, what_the_platforms_answers_mean)
{
    static const struct {
        int status;
        const char *media;
        err expected;
    } rows[] = {{200, "application/jwe; charset=UTF-8", E_OK},
                {200, "text/html", E_MEDIA_TYPE},
                {201, "", E_MYDATA_TAKEN},
                {401, "", E_MYDATA_REFUSED},
                {403, "", E_MYDATA_REFUSED},
                {429, "", E_MYDATA_NOT_READY},
                {504, "", E_MYDATA_REFUSED},
                {302, "", E_MYDATA_REFUSED},
                {500, "", E_MYDATA_REFUSED}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct adapter_answer a = {.status = rows[i].status, .media_type = view_of(rows[i].media)};
        cr_expect_eq(mydata_fetch_judge(&a, NULL), rows[i].expected, "%d", rows[i].status);
    }
}

/* ---- optional data: packages made by others ---- */

static const char *
shared(arena *mem, const char *path)
{
    const char *folder = getenv("CLAIMGATE_SHARED");
    view full = folder ? arena_printf(mem, "%s/taiwan/synthetic/%s", folder, path)
                       : arena_printf(mem, "%s/../shared/taiwan/synthetic/%s", TEST_SOURCE_DIR, path);
    return access(full.p, R_OK) == 0 ? full.p : NULL;
}

static view
shared_file(arena *mem, const char *path)
{
    view bytes = read_whole(shared(mem, path));
    view copy = arena_dup(mem, bytes);
    free((void *)bytes.p);
    return copy;
}

static err
open_shared(arena *mem, const char *jwe, const struct mydata_resource *asked, struct mydata_package *ret,
            struct fault *f)
{
    const struct mydata_client c = {V("https://mydata.nat.gov.tw"), V("CLI.TESTclient"),
                                    V("0123456789abcdef"), V("fedcba9876543210")};
    AUTO(trust_unref) struct trust *t = NULL;
    struct mydata_notice n;
    view list = arena_printf(mem,
                             "{\"environment\":\"production\",\"uses\":{\"gca\":{\"roots\":[\"%s\"],"
                             "\"intermediates\":[\"%s\"]}}}",
                             shared(mem, "nhi_sign/test_root.crt"), shared(mem, "nhi_sign/test_gca.crt"));
    const char *file = in_sandbox("mydata-trust.json");
    write_text(file, list.p);
    TRY(trust_load(file, false, &t, f));
    TRY(mydata_notice_read(&c, shared_file(mem, "mydata/sp_notify.json"), mem, &n, f));
    const struct mydata_policy p = {&c, asked, 1, t, instant_of_unix(1781000000)};
    return mydata_open(&p, &n, view_trim(shared_file(mem, jwe)), mem, ret, f);
}

Test(mydata, synthetic_packages_of_the_optional_data)
{
    AUTO(arena_free) arena *mem = test_arena();
    struct mydata_resource asked = {V("API.TESTpolice"), V("")};
    struct mydata_package p;
    struct fault f;
    fault_init(&f);
    if (!shared(mem, "mydata/ok.service_data.jwe"))
        cr_skip_test("the optional data are not here");
    cr_expect_eq(open_shared(mem, "mydata/ok.service_data.jwe", &asked, &p, &f), E_SIGNER_WRONG_ORG, "%s %s",
                 f.where, f.found);
    fault_init(&f);
    asked.organisation = p.parts[0].signer.organisation;
    cr_assert(asked.organisation.n);
    cr_assert_eq(open_shared(mem, "mydata/ok.service_data.jwe", &asked, &p, &f), E_OK, "%s %s", f.where,
                 f.found);
    cr_expect(p.n == 1 && p.parts[0].n_files == 2 && p.parts[0].level == LEVEL_PENDING);
    cr_expect_eq(open_shared(mem, "mydata/tampered.service_data.jwe", &asked, &p, NULL), E_DIGEST_MISMATCH);
}
