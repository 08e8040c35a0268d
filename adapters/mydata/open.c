/* A package: JWE, outer archive, and the signed inner archive of each data provider. */
#include "adapters/mydata/archive.h"
#include "adapters/mydata/manifest.h"
#include "adapters/mydata/mydata.h"

#include "base/json.h"
#include "base/text.h"
#include "signing/jose/jwe.h"
#include "signing/jose/jws.h"

#define MANIFEST "META-INFO/manifest.xml"
#define CERTIFICATE "META-INFO/certificate.cer"
#define SIGNATURE "META-INFO/manifest.sha256withrsa"
#define OVERHEAD 3 /* the three above */

static err
malformed(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_PACKAGE_FORM, where, expected, found);
}

/* ---- the envelope ---- */

/* "application/zip;data:<base64>", in either alphabet, with or without padding: implementations differ. */
static err
data_decode(view text, arena *mem, view *ret, struct fault *f)
{
    view marker = V("application/zip;data:");
    if (!view_starts(text, marker))
        return malformed(f, "/data", "application/zip;data:", "something else");
    text = view_sub(text, marker.n, text.n);
    if (text_base64_decode(text, mem, ret) == E_OK || text_base64url_decode(text, mem, ret) == E_OK)
        return E_OK;
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    return text_base64url_decode(text, mem, ret) == E_OK
               ? E_OK
               : malformed(f, "/data", "base64 or base64url", "something else");
}

static err
envelope_open(const struct mydata_policy *p, const struct mydata_notice *notice, view jwe, arena *mem,
              view *ret_zip, struct fault *f)
{
    view plain;
    json_t *json = NULL;
    TRY(jwe_open_wrapped(notice->key, jwe, mem, &plain, f));
    TRY(json_load(plain, mem, &json, f));
    view expected = arena_printf(mem, "%.*s.zip", VIEW_ARG(p->client->client_id));
    if (!view_eq(json_text(json, "filename"), expected))
        return malformed(f, "/filename", "our client id and .zip", "another name");
    return data_decode(json_text(json, "data"), mem, ret_zip, f);
}

/* ---- one provider's archive ---- */

static err
digest_read(view text, arena *mem, digest *ret, struct fault *f)
{
    view bytes = VIEW_NONE;
    if ((text_hex_decode(text, mem, &bytes) != E_OK || bytes.n != sizeof ret->b) &&
        (text_base64_decode(text, mem, &bytes) != E_OK || bytes.n != sizeof ret->b))
        return malformed(f, MANIFEST, "SHA-256 in hex or base64", "something else");
    memcpy(ret->b, bytes.p, sizeof ret->b);
    return E_OK;
}

/* Every file of the manifest is there with its digest, and no other file is. */
static err
files_check(const struct archive *a, const struct manifest *m, arena *mem, struct mydata_part *part,
            struct fault *f)
{
    part->files = arena_make_array(mem, m->n, struct mydata_file);
    if (!part->files)
        return E_TOO_LARGE;
    if (a->n != m->n + OVERHEAD)
        return malformed(f, "inner archive", "the files of its manifest and no other", "another number");
    for (size_t i = 0; i < m->n; i++) {
        const struct archive_file *file = archive_find(a, m->rows[i].filename);
        struct mydata_file *to = &part->files[part->n_files];
        digest stated;
        if (!file || view_starts(file->name, V("META-INFO/")))
            return malformed(f, MANIFEST, "names of files that are there", "another name");
        TRY(digest_read(m->rows[i].digest, mem, &stated, f));
        to->name = file->name;
        to->bytes = file->bytes;
        to->sum = sha256(file->bytes);
        if (!digest_eq(&stated, &to->sum))
            return fault_setf(f, E_DIGEST_MISMATCH, "the digest of the manifest", "another",
                              "inner archive, file %zu", i);
        part->n_files++;
    }
    return E_OK;
}

/* The signature alone says little: the certificate travels beside it.  What it leads to and whose it is, decides. */
static err
signer_check(const struct mydata_policy *p, view organisation, arena *mem, struct mydata_part *part,
             struct fault *f)
{
    struct signer read;
    struct revocation_used used;
    void *pkey = NULL;
    TRY(certificate_read(part->certificate_der, mem, &read, &part->certificate_der, f));
    TRY(trust_judge_copy(p->trust, part->certificate_der, NULL, 0, p->now, mem, &part->signer, &part->level,
                         &used, &pkey, f));
    if (pkey_verify(pkey, ALG_RS256, part->manifest, part->signature) != E_OK)
        return fault_set(f, E_SIGNATURE_MISMATCH, SIGNATURE, "the certificate's signature of the manifest",
                         "another");
    if (part->signer.use != USE_GCA ||
        (part->signer.subject != SUBJECT_AGENCY && part->signer.subject != SUBJECT_APPLICATION))
        return fault_set(f, E_SIGNER_WRONG_KIND, CERTIFICATE, "a government agency's, or its application's",
                         "another");
    if (!organisation.n || !view_eq(part->signer.organisation, organisation))
        return fault_set(f, E_SIGNER_WRONG_ORG, CERTIFICATE, "the provider registered for this data set",
                         "another agency");
    return E_OK;
}

static err
part_open(const struct mydata_policy *p, view zip, view organisation, arena *mem, struct mydata_part *part,
          struct fault *f)
{
    struct archive *a = arena_make(mem, struct archive);
    struct manifest *m = arena_make(mem, struct manifest);
    if (!a || !m)
        return E_TOO_LARGE;
    TRY(archive_read(zip, mem, a, f));
    const struct archive_file *manifest = archive_find(a, V(MANIFEST)),
                              *certificate = archive_find(a, V(CERTIFICATE)),
                              *signature = archive_find(a, V(SIGNATURE));
    if (!manifest || !certificate || !signature)
        return malformed(f, "inner archive", "manifest, certificate and signature", "one missing");
    part->manifest = manifest->bytes;
    part->certificate_der = certificate->bytes;
    part->signature = signature->bytes;
    TRY(signer_check(p, organisation, mem, part, f));
    TRY(manifest_read(manifest->bytes, mem, m, f));
    return files_check(a, m, mem, part, f);
}

/* ---- the outer archive ---- */

static const struct mydata_resource *
resource_of(const struct mydata_policy *p, view id)
{
    for (size_t i = 0; i < p->n_resources; i++)
        if (view_eq(p->resources[i].id, id))
            return &p->resources[i];
    return NULL;
}

static err
row_open(const struct mydata_policy *p, const struct archive *a, const struct manifest_row *row, arena *mem,
         struct mydata_package *ret, size_t *n_files, struct fault *f)
{
    const struct mydata_resource *asked = resource_of(p, row->resource_id);
    const struct archive_file *file = archive_find(a, row->filename);
    int64_t code = 0;
    if (!asked || ret->n == MYDATA_RESOURCES_MAX)
        return malformed(f, "outer manifest", "data sets that were asked for", "another");
    for (size_t i = 0; i < ret->n; i++)
        if (view_eq(ret->parts[i].resource_id, row->resource_id))
            return malformed(f, "outer manifest", "each data set once", "one twice");
    if (text_to_i64(row->code, &code) != E_OK || code < 100 || code > 599)
        return malformed(f, "outer manifest", "a status", "something else");
    struct mydata_part *part = &ret->parts[ret->n++];
    *part = (struct mydata_part){
        .resource_id = row->resource_id, .resource_name = row->resource_name, .code = (int)code};
    if (code != 200)
        return E_OK;
    if (!file || view_starts(file->name, V("META-INFO/")))
        return malformed(f, "outer archive", "the file that its manifest names", "none");
    ++*n_files;
    return part_open(p, file->bytes, asked->organisation, mem, part, f);
}

err
mydata_open(const struct mydata_policy *p, const struct mydata_notice *notice, view jwe, arena *mem,
            struct mydata_package *ret, struct fault *f)
{
    struct archive *a = arena_make(mem, struct archive);
    struct manifest *m = arena_make(mem, struct manifest);
    size_t n_files = 0;
    view zip;
    if (!a || !m)
        return E_TOO_LARGE;
    *ret = (struct mydata_package){.n = 0};
    TRY(envelope_open(p, notice, jwe, mem, &zip, f));
    TRY(archive_read(zip, mem, a, f));
    const struct archive_file *manifest = archive_find(a, V(MANIFEST));
    if (!manifest)
        return malformed(f, "outer archive", MANIFEST, "none");
    TRY(manifest_read(manifest->bytes, mem, m, f));
    for (size_t i = 0; i < m->n; i++)
        TRY(row_open(p, a, &m->rows[i], mem, ret, &n_files, f));
    return a->n == n_files + 1
               ? E_OK
               : malformed(f, "outer archive", "the files of its manifest and no other", "another number");
}
