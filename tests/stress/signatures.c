/* room: signing
 *
 * Keys, kept contexts and headers, and the XML library from many threads at once; threads come and go as
 * connections do. */
#include "base/digest.h"
#include "signing/log/receipt.h"
#include "signing/xml/xmldsig.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, GENERATIONS = 3, ROUNDS = 40, KEYS = 3 };

static struct key *keys[KEYS];
static view detached[KEYS]; /* signatures over body */
static const char body[] = "{\"resourceType\":\"Bundle\"}";
static const char plain[] = "<record xmlns=\"urn:police\"><no>A1</no></record>";
static view record;
static atomic_int wrong;

static void
need(bool right)
{
    if (!right)
        atomic_fetch_add(&wrong, 1);
}

static void
jws_round(arena *mem, int i)
{
    struct jws_parts parts;
    view fresh = VIEW_NONE, payload = view_of(body);
    need(jws_split(detached[i % KEYS], mem, &parts, NULL) == E_OK);
    need(jws_verify(&parts, payload, keys[i % KEYS]->alg, keys[i % KEYS]->pkey, mem, NULL) == E_OK);
    need(jws_verify(&parts, V("other"), keys[i % KEYS]->alg, keys[i % KEYS]->pkey, mem, NULL) ==
         E_SIGNATURE_MISMATCH);
    need(jws_sign(keys[i % KEYS], VIEW_NONE, payload, false, mem, &fresh) == E_OK);
    need(jws_split(fresh, mem, &parts, NULL) == E_OK);
    need(jws_verify(&parts, VIEW_NONE, keys[i % KEYS]->alg, keys[i % KEYS]->pkey, mem, NULL) == E_OK);
}

static void
xml_round(arena *mem)
{
    struct xmldsig_result r;
    need(xmldsig_verify(record, mem, &r, NULL) == E_OK && view_eq(r.octets, view_of(plain)));
    char *altered = arena_cstr(mem, record);
    char *at = altered ? strstr(altered, "A1") : NULL;
    if (at)
        at[1] = '2';
    need(at && xmldsig_verify(view_make(altered, record.n), mem, &r, NULL) == E_DIGEST_MISMATCH);
}

static void *
worker(void *self)
{
    arena *mem AUTO(arena_free) = arena_new(4 << 20);
    for (int i = 0; i < ROUNDS; i++) {
        jws_round(mem, i);
        xml_round(mem);
        arena_reset(mem);
    }
    return self;
}

/* The XML signer takes files; they are gone before the threads start. */
static void
record_make(const char *key_file, const char *cert_file, arena *mem)
{
    X509 *x = X509_new();
    FILE *key_in = fopen(key_file, "re"), *out = fopen(cert_file, "we");
    EVP_PKEY *pkey = key_in ? PEM_read_PrivateKey(key_in, NULL, NULL, NULL) : NULL;
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)"s", -1,
                               -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    if (!out || !pkey || !X509_set_pubkey(x, pkey) || !X509_sign(x, pkey, EVP_sha256()) ||
        !PEM_write_X509(out, x))
        abort();
    fclose(out);
    fclose(key_in);
    X509_free(x);
    EVP_PKEY_free(pkey);
    if (xmldsig_sign(view_of(plain), key_file, cert_file, mem, &record, NULL) != E_OK)
        abort();
}

static void
prepare(arena *mem)
{
    static const enum jose_alg algs[KEYS] = {ALG_ES256, ALG_RS256, ALG_ED25519};
    char dir[] = "/tmp/claimgate-stress-XXXXXX", key_file[64], cert_file[64];
    if (!mkdtemp(dir))
        abort();
    snprintf(cert_file, sizeof cert_file, "%s/c.pem", dir);
    for (int i = 0; i < KEYS; i++) {
        snprintf(key_file, sizeof key_file, "%s/k%d.pem", dir, i);
        if (key_create(key_file, algs[i], &keys[i], NULL) != E_OK ||
            jws_sign(keys[i], VIEW_NONE, view_of(body), true, mem, &detached[i]) != E_OK)
            abort();
        if (i == 0)
            record_make(key_file, cert_file, mem);
        unlink(key_file);
    }
    unlink(cert_file);
    rmdir(dir);
}

int
main(void)
{
    digest_start();
    xmldsig_start();
    arena *mem AUTO(arena_free) = arena_new(4 << 20);
    prepare(mem);
    for (int g = 0; g < GENERATIONS; g++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            if (pthread_create(&threads[i], NULL, worker, NULL) != 0)
                abort();
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < KEYS; i++)
        key_free(keys[i]);
    return atomic_load(&wrong) == 0 ? 0 : 1;
}
