#include "cli/check/verify.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/evidence/export.h"

#include <stdio.h>
#include <unistd.h>
#include <zip.h>

/* Evidence packages: written once, as a zip that any office opens, and checked by a process that has only the package and public keys. */
#define ENTRIES_MAX 20000
#define ENTRY_MAX (64u << 20)

/* -- writing -- */

static err
zip_failed(struct fault *f, const char *path)
{
    return fault_set(f, E_FILE, path, "a package that can be written", "an error of the archive");
}

static err
write_package(const char *path, const struct export_file *files, struct fault *f)
{
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
    if (!zip)
        return fault_set(f, E_FILE, path, "a new file",
                         code == ZIP_ER_EXISTS ? "it exists" : "it cannot be made");
    for (; files; files = files->next) {
        zip_source_t *source = zip_source_buffer(zip, files->bytes.p, files->bytes.n, 0);
        if (!source || zip_file_add(zip, files->name, source, ZIP_FL_ENC_UTF_8) < 0) {
            zip_source_free(source);
            zip_discard(zip);
            return zip_failed(f, path);
        }
    }
    if (zip_close(zip) == 0)
        return E_OK;
    zip_discard(zip);
    return zip_failed(f, path);
}

int
run_evidence_export(struct args *a)
{
    AUTO(config_free) struct config *c = NULL;
    AUTO(gateway_close) struct gateway *g = NULL;
    struct export_file *files = NULL;
    struct fault f;
    case_id id;
    fault_init(&f);
    digest_start();
    const char *out = args_value(a, "out");
    if (a->n_positional != 1 || !out)
        return command_usage(a, "needs a case and --out FILE");
    if (case_id_parse(view_of(a->positional[0]), &id) != E_OK)
        return command_fail(a, fault_set(&f, E_NOT_FOUND, "", "case-…", "another form"), &f);
    err e = args_config(a, &c, &f);
    if (e == E_OK)
        e = gateway_open_read(c, &g, &f);
    if (e == E_OK)
        e = export_case(g, id, clock_now(), a->mem, &files, &f);
    if (e == E_OK)
        e = write_package(out, files, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf(a->lang == LANG_ZH ? "已寫入 %s。查驗：claimgate verify package %s --keys keys.json\n"
                              : "Wrote %s. To check: claimgate verify package %s --keys keys.json\n",
           out, out);
    return EXIT_OK;
}

/* -- checking -- */

struct package {
    struct args *a;
    struct report *r;
    const struct key_list *keys;
    zip_t *zip;
    json_t *list;
};

static err
entry_read(const struct package *p, const char *name, view *ret, struct fault *f)
{
    zip_stat_t about;
    zip_stat_init(&about);
    if (zip_stat(p->zip, name, 0, &about) != 0 || !(about.valid & ZIP_STAT_SIZE) || about.size > ENTRY_MAX)
        return fault_set(f, E_FILE, name, "a file of the package, at most 64 MiB", "none");
    char *bytes = arena_alloc(p->a->mem, (size_t)about.size + 1);
    zip_file_t *file = bytes ? zip_fopen(p->zip, name, 0) : NULL;
    if (!file)
        return fault_set(f, E_FILE, name, "a file that can be unpacked", "it cannot");
    zip_int64_t n = zip_fread(file, bytes, about.size + 1);
    bool whole = zip_fclose(file) == 0 && n == (zip_int64_t)about.size;
    *ret = view_make(bytes, (size_t)about.size);
    return whole ? E_OK : fault_set(f, E_FILE, name, "a file that can be unpacked", "it cannot");
}

static err
check_signature(struct package *p, struct fault *f)
{
    struct jws_parts parts;
    view list = VIEW_NONE, jws = VIEW_NONE;
    void *pkey = NULL;
    TRY(entry_read(p, EXPORT_LIST, &list, f));
    TRY(entry_read(p, EXPORT_SIGNATURE, &jws, f));
    TRY(jws_split(view_trim(jws), p->a->mem, &parts, f));
    TRY(keys_find(p->keys, parts.header.kid, &pkey, f));
    if (!view_eq(parts.header.typ, V(EXPORT_TYPE)))
        return fault_set(f, E_SIGNATURE_FORM, "typ", EXPORT_TYPE, "another");
    TRY(jws_verify(&parts, list, ALG_ES256, pkey, p->a->mem, f));
    return json_load(list, p->a->mem, &p->list, f);
}

static err
check_entry(struct package *p, const json_t *item, struct fault *f)
{
    char hex[65];
    view bytes = VIEW_NONE, name = json_text(item, "name");
    char path[512];
    snprintf(path, sizeof path, "%.*s", VIEW_ARG(name));
    TRY(entry_read(p, path, &bytes, f));
    digest d = sha256(bytes);
    for (size_t i = 0; i < sizeof d.b; i++)
        snprintf(hex + 2 * i, 3, "%02x", d.b[i]);
    return view_eq(view_of(hex), json_text(item, "sha256"))
               ? E_OK
               : fault_set(f, E_DIGEST_MISMATCH, path, "the bytes of the list", "others");
}

static err
check_list(struct package *p, struct fault *f)
{
    size_t i;
    const json_t *item, *files = json_object_get(p->list, "files");
    zip_int64_t n = zip_get_num_entries(p->zip, 0);
    if (n < 0 || n > ENTRIES_MAX || (size_t)n != json_array_size(files) + 2)
        return fault_set(f, E_DIGEST_MISMATCH, EXPORT_LIST, "as many files as the list names",
                         "another number");
    json_array_foreach(files, i, item)
    {
        TRY(check_entry(p, item, f));
    }
    return E_OK;
}

static bool
hex_digest(view hex, arena *mem, digest *ret)
{
    view bytes = VIEW_NONE;
    if (text_hex_decode(hex, mem, &bytes) != E_OK || bytes.n != sizeof ret->b)
        return false;
    memcpy(ret->b, bytes.p, sizeof ret->b);
    return true;
}

/* The entry's data hashes to the receipt's leaf, and its commitment opens to this document, this verdict and this case. */
static err
check_leaf(struct package *p, view leaf_json, const struct receipt *receipt, struct fault *f)
{
    json_t *leaf = NULL, *data = NULL;
    view salt = VIEW_NONE;
    digest link, commit;
    TRY(json_load(leaf_json, p->a->mem, &leaf, f));
    view text = json_text(leaf, "data");
    digest hash = merkle_leaf(text);
    TRY(json_load(text, p->a->mem, &data, f));
    bool read = text_hex_decode(json_text(leaf, "salt"), p->a->mem, &salt) == E_OK &&
                hex_digest(json_text(leaf, "link"), p->a->mem, &link) &&
                hex_digest(json_text(data, "commit"), p->a->mem, &commit);
    const view parts[] = {salt, digest_view(&receipt->document), digest_view(&receipt->verdict),
                          digest_view(&link)};
    digest opened = sha256_parts(parts, COUNT_OF(parts));
    bool good = read && digest_eq(&hash, &receipt->leaf) && digest_eq(&opened, &commit);
    return good ? E_OK
                : fault_set(f, E_DIGEST_MISMATCH, "leaf.json", "the entry that the receipt names", "another");
}

static err
check_digest_of(struct package *p, const char *name, const digest *want, struct fault *f)
{
    view bytes = VIEW_NONE;
    TRY(entry_read(p, name, &bytes, f));
    digest d = sha256(bytes);
    return digest_eq(&d, want)
               ? E_OK
               : fault_set(f, E_DIGEST_MISMATCH, name, "the bytes that the receipt names", "others");
}

/* The entry stands below a head that an authority stamped. */
static void
check_time(struct package *p, const char *folder, const struct receipt *receipt)
{
    char name[640], proof_name[640];
    struct log_head head = {.n = 0};
    struct fault f;
    view time = VIEW_NONE, proof = VIEW_NONE;
    fault_init(&f);
    snprintf(name, sizeof name, "%stime.json", folder);
    snprintf(proof_name, sizeof proof_name, "%stime-proof.json", folder);
    if (zip_name_locate(p->zip, name, 0) < 0) /* of a gateway from before there were time-stamps */
        return;
    err e = entry_read(p, name, &time, &f);
    bool has_proof = zip_name_locate(p->zip, proof_name, 0) >= 0;
    if (e == E_OK && has_proof)
        e = entry_read(p, proof_name, &proof, &f);
    if (e != E_OK) {
        (void)report_check(p->r, STEP_TIME, e, &f, "%s", name);
        return;
    }
    if (has_proof && verify_inclusion(p->r, p->keys, receipt, proof, p->a->mem, &head) != E_OK)
        return;
    verify_time(p->r, p->keys, &head, time, p->a->mem);
}

/* One receipt of the package, with what stands beside it in its folder. */
static void
check_folder(struct package *p, const char *folder, bool has_content, const char *media)
{
    struct receipt receipt;
    struct log_head head;
    struct fault f;
    char name[640];
    view text = VIEW_NONE;
    fault_init(&f);
    snprintf(name, sizeof name, "%sreceipt.jws", folder);
    err e = entry_read(p, name, &text, &f);
    if (e == E_OK)
        e = verify_receipt_text(p->keys, view_trim(text), p->a->mem, &receipt, &f);
    if (report_check(p->r, STEP_RECEIPT_SIGNATURE, e, &f, "%s", folder) != E_OK)
        return;
    fault_init(&f);
    if (has_content) {
        snprintf(name, sizeof name, "%soriginal.%s", folder, media);
        (void)report_check(p->r, STEP_DOCUMENT_DIGEST, check_digest_of(p, name, &receipt.document, &f), &f,
                           "%s", name);
        fault_init(&f);
        snprintf(name, sizeof name, "%sverdict.json", folder);
        (void)report_check(p->r, STEP_VERDICT_DIGEST, check_digest_of(p, name, &receipt.verdict, &f), &f,
                           "%s", name);
        fault_init(&f);
    }
    snprintf(name, sizeof name, "%sleaf.json", folder);
    e = entry_read(p, name, &text, &f);
    if (e == E_OK)
        e = check_leaf(p, text, &receipt, &f);
    (void)report_check(p->r, STEP_LEAF, e, &f, "%s", name);
    fault_init(&f);
    snprintf(name, sizeof name, "%sproof.json", folder);
    e = entry_read(p, name, &text, &f);
    if (e == E_OK)
        (void)verify_inclusion(p->r, p->keys, &receipt, text, p->a->mem, &head);
    else
        (void)report_check(p->r, STEP_INCLUSION, e, &f, "%s", name);
    check_time(p, folder, &receipt);
}

static void
check_folders(struct package *p)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(p->list, "files"), i, item)
    {
        char folder[512], original[560];
        view name = json_text(item, "name");
        if (!view_ends(name, V("/receipt.jws")))
            continue;
        snprintf(folder, sizeof folder, "%.*s", (int)(name.n - (sizeof "receipt.jws" - 1)), name.p);
        snprintf(original, sizeof original, "%soriginal.xml", folder);
        bool is_xml = zip_name_locate(p->zip, original, 0) >= 0;
        snprintf(original, sizeof original, "%soriginal.json", folder);
        check_folder(p, folder, is_xml || zip_name_locate(p->zip, original, 0) >= 0, is_xml ? "xml" : "json");
    }
}

static void
check_package(struct package *p)
{
    struct fault f;
    fault_init(&f);
    if (report_check(p->r, STEP_PACKAGE_SIGNATURE, check_signature(p, &f), &f, NULL) != E_OK)
        return;
    fault_init(&f);
    (void)report_check(p->r, STEP_PACKAGE_LIST, check_list(p, &f), &f, "%zu",
                       json_array_size(json_object_get(p->list, "files")));
    check_folders(p);
}

int
run_verify_package(struct args *a)
{
    struct key_list keys AUTO_DONE(keys_done) = {0};
    struct report r = {.a = a};
    struct package p = {.a = a, .r = &r, .keys = &keys};
    struct fault f;
    fault_init(&f);
    digest_start();
    if (a->n_positional != 1 || !args_value(a, "keys"))
        return command_usage(a, "needs a package and --keys FILE");
    err e = keys_read(args_value(a, "keys"), a->mem, &keys, &f);
    if (e == E_OK && !(p.zip = zip_open(a->positional[0], ZIP_RDONLY | ZIP_CHECKCONS, NULL)))
        e = fault_set(&f, E_FILE, a->positional[0], "an evidence package (zip)", "another form");
    if (e != E_OK)
        return command_fail(a, e, &f);
    check_package(&p);
    zip_discard(p.zip);
    return report_end(&r);
}
