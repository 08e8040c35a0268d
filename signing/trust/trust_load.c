/* Reads a trust list's file.  Everything that could make the list mean something else than its author thought
 * stops the start. */
#include "signing/trust/trust_list.h"

#include "base/json.h"
#include "signing/trust/authority.h"
#include "signing/trust/revocation_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_FILE_MAX (1 << 20)
#define CERTIFICATES_MAX 256 /* of one use */
#define CRLS_MAX 256
#define POLICIES_MAX 64

static void
use_list_done(struct use_list *u)
{
    X509_STORE_free(u->store);
    certificate_stack_free(u->roots);
    certificate_stack_free(u->pinned);
    for (size_t i = 0; i < u->n_crls; i++)
        crl_free(u->crls[i]);
    free(u->crls);
    sk_ASN1_OBJECT_pop_free(u->policies, ASN1_OBJECT_free);
    free(u->ocsp_url);
    free(u->crl_url);
}

struct trust *
trust_ref(struct trust *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void
trust_unref(struct trust *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < USE_COUNT; i++)
        use_list_done(&t->use[i]);
    trust_cache_free(t->cache);
    revocation_policy_unref(t->policy);
    authority_rules_unref(t->authority);
    free(t);
}

bool
trust_is_sandbox(const struct trust *t)
{
    return t->sandbox;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static err
read_file(const char *file, arena *mem, view *ret, struct fault *f)
{
    AUTO_DONE(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return fault_setf(f, E_FILE, "a readable trust list", "cannot be opened", "%s", file);
    if (!S_ISREG(st.st_mode) || st.st_size > LIST_FILE_MAX)
        return fault_setf(f, E_FILE, "a file of at most 1 MiB", "something else", "%s", file);
    size_t n = (size_t)st.st_size;
    char *text = arena_alloc(mem, n + 1);
    if (!text)
        return fault_set(f, E_TOO_LARGE, file, "", "");
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(fd, text + done, n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fault_setf(f, E_FILE, "a readable trust list", "cannot be read", "%s", file);
        done += (size_t)got;
    }
    *ret = view_make(text, n);
    return E_OK;
}

/* What is being read, for faults and relative paths. */
struct reading {
    const char *file;
    view folder; /* with the slash; empty for the working directory */
    arena *mem;
    struct trust *trust;
    struct fault *f;
};

static err
config_fault(const struct reading *r, const char *place, const char *expected, const char *found)
{
    return fault_setf(r->f, E_CONFIG, expected, found, "%s: %s", r->file, place);
}

static const char *
path_of(const struct reading *r, view name)
{
    bool absolute = name.n > 0 && name.p[0] == '/';
    view folder = absolute ? V("") : r->folder;
    return arena_printf(r->mem, "%.*s%.*s", VIEW_ARG(folder), VIEW_ARG(name)).p;
}

/* The nth path of an array of strings; NULL when it is none. */
static const char *
path_at(const struct reading *r, const json_t *array, size_t i)
{
    const json_t *item = json_array_get(array, i);
    if (!json_is_string(item) || json_string_length(item) == 0)
        return NULL;
    return path_of(r, view_make(json_string_value(item), json_string_length(item)));
}

static err
check_ca(const struct reading *r, const char *place, X509 *x)
{
    if (X509_check_ca(x) <= 0)
        return config_fault(r, place, "certificates of CAs", "a certificate that is none");
    if (!r->trust->sandbox && certificate_has_policy(x, SANDBOX_POLICY_OID))
        return fault_setf(r->f, E_SANDBOX_ROOT, "no certificate with the sandbox policy", "one", "%s: %s",
                          r->file, place);
    return E_OK;
}

/* OpenSSL reads a certificate's extensions and its policies at their first use and keeps them in it.  Another
 * thread may see the policies half read (3.0 publishes that cache before it is filled, and tests its pointer
 * without the lock), so both are read now, while no other thread has the certificate.  The second of the two
 * stands for the anchor, whose policies are not read. */
static void
read_whole(X509 *x)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_POLICY_TREE *tree = NULL;
    int is_explicit = 0;
    (void)X509_check_purpose(x, -1, 0);
    if (!chain || sk_X509_push(chain, x) <= 0 || sk_X509_push(chain, x) <= 0)
        abort();
    (void)X509_policy_check(&tree, &is_explicit, chain, NULL, 0);
    X509_policy_tree_free(tree);
    sk_X509_free(chain);
}

static err
read_certificates(const struct reading *r, const char *place, const json_t *array, STACK_OF(X509) * *ret)
{
    AUTO(certificate_stack_free) STACK_OF(X509) *all = sk_X509_new_null();
    if (!all)
        abort();
    if (array && !json_is_array(array))
        return config_fault(r, place, "an array of file names", "something else");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *file = path_at(r, array, i);
        if (!file)
            return config_fault(r, place, "an array of file names", "something else");
        AUTO(certificate_stack_free) STACK_OF(X509) *list = NULL;
        TRY(certificates_read_pem(file, &list, r->f));
        while (sk_X509_num(list) > 0) {
            X509 *x = sk_X509_shift(list);
            if (sk_X509_num(all) >= CERTIFICATES_MAX || sk_X509_push(all, x) <= 0) {
                X509_free(x);
                return config_fault(r, place, "at most 256 certificates", "more");
            }
            TRY(check_ca(r, place, x));
            read_whole(x);
        }
    }
    *ret = TAKE(all);
    return E_OK;
}

static err
make_store(const struct reading *r, const char *place, struct use_list *u)
{
    u->store = X509_STORE_new();
    if (!u->store)
        abort();
    if (sk_X509_num(u->roots) == 0)
        return config_fault(r, place, "at least one root", "none");
    for (int i = 0; i < sk_X509_num(u->roots); i++) {
        X509 *root = sk_X509_value(u->roots, i);
        if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(root)) != 0)
            return config_fault(r, place, "self-signed roots", "an intermediate");
        if (X509_STORE_add_cert(u->store, root) != 1)
            return config_fault(r, place, "usable roots", "one that OpenSSL refuses");
    }
    return E_OK;
}

static err
read_crls(const struct reading *r, const char *place, const json_t *array, struct use_list *u)
{
    if (!array)
        return E_OK;
    size_t n = json_array_size(array);
    if (!json_is_array(array) || n > CRLS_MAX)
        return config_fault(r, place, "an array of at most 256 file names", "something else");
    AUTO(certificate_stack_free) STACK_OF(X509) *cas = X509_chain_up_ref(u->roots);
    u->crls = calloc(n + 1, sizeof(struct crl *));
    if (!cas || !u->crls)
        abort();
    for (int i = 0; i < sk_X509_num(u->pinned); i++) {
        X509 *ca = sk_X509_value(u->pinned, i);
        if (X509_up_ref(ca) != 1 || sk_X509_push(cas, ca) <= 0)
            abort();
    }
    for (size_t i = 0; i < n; i++) {
        const char *file = path_at(r, array, i);
        if (!file)
            return config_fault(r, place, "an array of file names", "something else");
        TRY(crl_read_file(file, cas, &u->crls[u->n_crls], r->f));
        u->n_crls++;
    }
    return E_OK;
}

static err
read_policies(const struct reading *r, const char *place, const json_t *array, struct use_list *u)
{
    if (!array)
        return E_OK;
    if (!json_is_array(array) || json_array_size(array) == 0 || json_array_size(array) > POLICIES_MAX)
        return config_fault(r, place, "an array of 1 to 64 policy OIDs", "something else");
    u->policies = sk_ASN1_OBJECT_new_null();
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        ASN1_OBJECT *policy = text ? OBJ_txt2obj(text, 1) : NULL;
        if (!policy || !u->policies || sk_ASN1_OBJECT_push(u->policies, policy) <= 0) {
            ASN1_OBJECT_free(policy);
            return config_fault(r, place, "an array of 1 to 64 policy OIDs", "another text");
        }
    }
    return E_OK;
}

static err
read_profile(const struct reading *r, const char *place, const json_t *word, struct use_list *u)
{
    const char *text = word ? json_string_value(word) : "rfc5280";
    if (!text || (strcmp(text, "rfc5280") != 0 && strcmp(text, "lenient") != 0))
        return config_fault(r, place, "profile rfc5280 or lenient", "something else");
    u->lenient = strcmp(text, "lenient") == 0;
    return E_OK;
}

/* Where the use's status is asked instead of where its certificates say. */
static err
read_url(const struct reading *r, const char *place, const json_t *value, char **ret)
{
    if (!value)
        return E_OK;
    view text = view_make(json_string_value(value), json_string_length(value));
    if (!text.p || text.n > 1024 || (!view_starts(text, V("http://")) && !view_starts(text, V("https://"))))
        return config_fault(r, place, "an http or https URL", "something else");
    *ret = strdup(text.p);
    if (!*ret)
        abort();
    return E_OK;
}

static err
read_use(const struct reading *r, const char *word, const json_t *list, struct use_list *u)
{
    static const char *const known[] = {"roots",   "intermediates", "crls", "policies",
                                        "profile", "ocsp",          "crl"};
    const char *name;
    json_t *value;
    if (!json_is_object(list))
        return config_fault(r, word, "an object", "something else");
    json_object_foreach((json_t *)list, name, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < COUNT_OF(known); i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (!is_known)
            return config_fault(r, word, "roots, intermediates, crls, policies, profile, ocsp, crl",
                                "another member");
    }
    TRY(read_certificates(r, word, json_object_get(list, "roots"), &u->roots));
    TRY(read_certificates(r, word, json_object_get(list, "intermediates"), &u->pinned));
    TRY(make_store(r, word, u));
    TRY(read_policies(r, word, json_object_get(list, "policies"), u));
    TRY(read_profile(r, word, json_object_get(list, "profile"), u));
    TRY(read_url(r, word, json_object_get(list, "ocsp"), &u->ocsp_url));
    TRY(read_url(r, word, json_object_get(list, "crl"), &u->crl_url));
    return read_crls(r, word, json_object_get(list, "crls"), u);
}

static enum trust_use
use_of(const char *word)
{
    for (int i = 0; i < USE_COUNT; i++)
        if (strcmp(word, trust_use_word((enum trust_use)i)) == 0)
            return (enum trust_use)i;
    return USE_COUNT;
}

static bool
share_a_certificate(STACK_OF(X509) * a, STACK_OF(X509) * b)
{
    for (int i = 0; i < sk_X509_num(a); i++)
        for (int k = 0; k < sk_X509_num(b); k++)
            if (X509_cmp(sk_X509_value(a, i), sk_X509_value(b, k)) == 0)
                return true;
    return false;
}

/* The government root issues HCA, GCA, MOICA and MOEACA: without pinned intermediates a hospital's chain
 * would hold under the police's use as well. */
static err
check_uses_apart(const struct reading *r)
{
    for (int i = 0; i < USE_COUNT; i++)
        for (int k = i + 1; k < USE_COUNT; k++) {
            const struct use_list *a = &r->trust->use[i], *b = &r->trust->use[k];
            if (share_a_certificate(a->pinned, b->pinned))
                return config_fault(r, trust_use_word((enum trust_use)k), "intermediates of one use only",
                                    "one that stands in another use too");
            bool pinned = sk_X509_num(a->pinned) > 0 && sk_X509_num(b->pinned) > 0;
            if (!pinned && share_a_certificate(a->roots, b->roots))
                return config_fault(r, trust_use_word((enum trust_use)k),
                                    "pinned intermediates where uses share a root", "none");
        }
    return E_OK;
}

static err
check_environment(const struct reading *r, const json_t *root)
{
    view environment = json_text(root, "environment");
    if (!view_eq(environment, V("sandbox")) && !view_eq(environment, V("production")))
        return config_fault(r, "environment", "sandbox or production", "something else");
    bool is_sandbox = view_eq(environment, V("sandbox"));
    if (is_sandbox && !r->trust->sandbox)
        return fault_setf(r->f, E_SANDBOX_ROOT, "a production trust list", "a sandbox list",
                          "%s: environment", r->file);
    if (!is_sandbox && r->trust->sandbox)
        return config_fault(r, "environment", "a sandbox list in sandbox mode", "production");
    return E_OK;
}

static err
read_list(const struct reading *r, const json_t *root)
{
    TRY(check_environment(r, root));
    const json_t *uses = json_member(root, "uses");
    if (!json_is_object(uses) || json_object_size(uses) == 0)
        return config_fault(r, "uses", "an object with at least one use", "something else");
    const char *word;
    json_t *list;
    json_object_foreach((json_t *)uses, word, list)
    {
        enum trust_use use = use_of(word);
        if (use == USE_COUNT)
            return config_fault(r, "uses", "hca, gca, moica, moeaca, twca, private, tsa", "an unknown use");
        TRY(read_use(r, word, list, &r->trust->use[use]));
    }
    return check_uses_apart(r);
}

static view
folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? view_make(file, (size_t)(slash - file) + 1) : V("");
}

err
trust_load(const char *file, bool sandbox, struct trust **ret, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(4 * LIST_FILE_MAX);
    AUTO(trust_unref) struct trust *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    atomic_init(&t->refs, 1);
    t->sandbox = sandbox;
    t->cache = trust_cache_new();
    view text = VIEW_NONE;
    TRY(read_file(file, mem, &text, f));
    json_t *root;
    TRY(json_load(text, mem, &root, f));
    struct reading r = {.file = file, .folder = folder_of(file), .mem = mem, .trust = t, .f = f};
    TRY(read_list(&r, root));
    *ret = TAKE(t);
    return E_OK;
}
