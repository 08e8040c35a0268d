#include "cli/check/verify.h"

#include "base/json.h"
#include "base/text.h"
#include "signing/jose/jws.h"
#include "signing/log/note.h"
#include "signing/log/witness.h"

#include <sys/stat.h>

/* Offline: only public keys and what a party holds.  Each check is told in plain words. */

err
verify_head(const struct key_list *keys, view text, view origin, struct log_head *ret, struct fault *f)
{
    err e = fault_set(f, E_SIGNER_UNKNOWN, "keys", "a key of the log", "none");
    ret->text = text;
    for (size_t i = 0; i < keys->n; i++) {
        fault_init(f);
        e = checkpoint_check(text, origin, keys->pkeys[i], &ret->n, &ret->root, f);
        if (e == E_OK)
            return E_OK;
    }
    return e;
}

err
verify_receipt_text(const struct key_list *keys, view jws, arena *mem, struct receipt *ret, struct fault *f)
{
    struct jws_parts parts;
    void *pkey = NULL;
    TRY(jws_split(jws, mem, &parts, f));
    TRY(keys_find(keys, parts.header.kid, &pkey, f));
    return receipt_check(jws, pkey, mem, ret, f);
}

static err
check_path(const struct receipt *receipt, const struct log_proof *p, const struct log_head *head,
           struct fault *f)
{
    if (p->is_consistency || p->size != head->n)
        return fault_set(f, E_SIGNATURE_FORM, "tree_size", "a proof of inclusion in the tree of its head",
                         "another");
    if (merkle_check_inclusion(&receipt->leaf, p->first, p->size, p->path, p->n, &head->root) != E_OK)
        return fault_set(f, E_SIGNATURE_MISMATCH, "path", "a path from the receipt's leaf to the head",
                         "another");
    return E_OK;
}

err
verify_inclusion(struct report *r, const struct key_list *keys, const struct receipt *receipt,
                 view proof_json, arena *mem, struct log_head *ret)
{
    struct log_proof p;
    struct fault f;
    fault_init(&f);
    err e = proof_read(proof_json, mem, &p, &f);
    if (e == E_OK)
        e = verify_head(keys, p.checkpoint, receipt->log_id, ret, &f);
    unsigned long long n = e == E_OK ? ret->n : 0;
    TRY(report_check(r, STEP_HEAD_SIGNATURE, e, &f, "%llu", n));
    fault_init(&f);
    e = check_path(receipt, &p, ret, &f);
    return report_check(r, STEP_INCLUSION, e, &f, "%llu/%llu", (unsigned long long)p.first,
                        (unsigned long long)p.size);
}

/* -- witnesses -- */

static err
read_witnesses(const char *file, arena *mem, struct witness_key *ret, size_t *ret_n, struct fault *f)
{
    view text = VIEW_NONE;
    json_t *list = NULL, *item;
    size_t i;
    TRY(file_read(file, mem, &text, f));
    TRY(json_load(text, mem, &list, f));
    json_array_foreach(list, i, item)
    {
        if (*ret_n == NOTE_SIGNATURES_MAX)
            return fault_set(f, E_TOO_LARGE, file, "at most 16 witnesses", "more");
        enum jose_alg alg;
        view kid;
        TRY(jwk_read(json_object_get(item, "key"), &ret[*ret_n].pkey, &alg, &kid, mem, f));
        ret[(*ret_n)++].name = json_text(item, "name");
    }
    return E_OK;
}

void
verify_witnesses(struct report *r, const struct log_head *head, arena *mem)
{
    struct witness_key witnesses[NOTE_SIGNATURES_MAX] = {{{0}, NULL}};
    const char *file = args_value(r->a, "witnesses");
    size_t n = 0, good = 0;
    instant last;
    struct fault f;
    fault_init(&f);
    if (!file)
        return;
    long quorum = args_number(r->a, "quorum", 1);
    err e = read_witnesses(file, mem, witnesses, &n, &f);
    if (e == E_OK)
        e = cosignatures_count(head->text, witnesses, n, &good, &last, &f);
    if (e == E_OK && (long)good < quorum)
        e = fault_set(&f, E_SIGNATURE_MISSING, "head", "cosignatures of more witnesses", "too few");
    (void)report_check(r, STEP_WITNESSES, e, &f, "%zu/%zu, %ld", good, n, quorum);
    for (size_t i = 0; i < n; i++)
        pkey_free(witnesses[i].pkey);
}

/* -- two heads -- */

static err
compare_heads(const struct log_head *older, const struct log_head *newer, const char *file, arena *mem,
              struct fault *f)
{
    struct log_proof p;
    view text = VIEW_NONE;
    if (older->n == newer->n)
        return digest_eq(&older->root, &newer->root)
                   ? E_OK
                   : fault_set(f, E_SIGNATURE_MISMATCH, "root", "one root for one size",
                               "two: the log has two histories");
    if (!file)
        return fault_set(f, E_SIGNATURE_MISSING, "consistency", "a proof between two sizes (--consistency)",
                         "none");
    TRY(file_read(file, mem, &text, f));
    TRY(proof_read(text, mem, &p, f));
    if (!p.is_consistency || p.first != older->n || p.size != newer->n)
        return fault_set(f, E_SIGNATURE_FORM, file, "a proof between the sizes of the two heads", "another");
    if (merkle_check_consistency(older->n, &older->root, newer->n, &newer->root, p.path, p.n) != E_OK)
        return fault_set(f, E_SIGNATURE_MISMATCH, file, "a path between the two heads",
                         "another: the log was rewritten");
    return E_OK;
}

/* Of the first head and the one in `text`, whichever is older. */
static void
check_other_head(struct report *r, const struct key_list *keys, const struct log_head *head, view text,
                 view origin, arena *mem)
{
    struct log_head other;
    struct fault f;
    fault_init(&f);
    err e = verify_head(keys, text, origin, &other, &f);
    if (report_check(r, STEP_OTHER_HEAD_SIGNATURE, e, &f, "%llu",
                     e == E_OK ? (unsigned long long)other.n : 0ULL) != E_OK)
        return;
    bool is_older = other.n < head->n;
    const struct log_head *older = is_older ? &other : head, *newer = is_older ? head : &other;
    fault_init(&f);
    e = compare_heads(older, newer, args_value(r->a, "consistency"), mem, &f);
    (void)report_check(r, STEP_CONSISTENCY, e, &f, "%llu → %llu", (unsigned long long)older->n,
                       (unsigned long long)newer->n);
}

/* The proof's own checkpoint is the later head when no other is given. */
static err
later_head_text(struct args *a, const char *option, view *ret, struct fault *f)
{
    struct log_proof p;
    view text = VIEW_NONE;
    *ret = VIEW_NONE;
    if (args_value(a, option))
        return file_read(args_value(a, option), a->mem, ret, f);
    if (!args_value(a, "consistency"))
        return E_OK;
    TRY(file_read(args_value(a, "consistency"), a->mem, &text, f));
    TRY(proof_read(text, a->mem, &p, f));
    *ret = p.checkpoint;
    return E_OK;
}

/* -- receipt -- */

static err
check_bytes(struct args *a, const struct receipt *receipt, size_t *ret_n, struct fault *f)
{
    view bytes = VIEW_NONE;
    const char *file = args_value(a, "document");
    TRY(file_read(file, a->mem, &bytes, f));
    digest d = sha256(bytes);
    *ret_n = bytes.n;
    return digest_eq(&d, &receipt->document)
               ? E_OK
               : fault_set(f, E_DIGEST_MISMATCH, file, "the bytes that the receipt names", "others");
}

static void
check_promise(struct report *r, const struct receipt *receipt, bool included)
{
    char when[32];
    struct fault f;
    fault_init(&f);
    view by = instant_print(receipt->include_by, when);
    if (included || clock_now().us <= receipt->include_by.us)
        (void)report_check(r, STEP_INCLUDE_BY, E_OK, &f, "%.*s", VIEW_ARG(by));
    else
        report_note(r, STEP_INCLUDE_BY, "the promised time is over: ask for a proof and give it with --proof",
                    "已逾承諾列入期限：請取得證明並以 --proof 提供");
}

static err
check_receipt(struct args *a, struct report *r, const struct key_list *keys, struct fault *f)
{
    struct receipt receipt;
    struct log_head head;
    view jws = VIEW_NONE, proof = VIEW_NONE, other = VIEW_NONE;
    char id[ID_TEXT_SIZE];
    size_t n = 0;
    TRY(file_read(a->positional[0], a->mem, &jws, f));
    err e = verify_receipt_text(keys, view_trim(jws), a->mem, &receipt, f);
    view sub = e == E_OK ? submission_id_print(receipt.submission, id) : V("");
    if (report_check(r, STEP_RECEIPT_SIGNATURE, e, f, "%.*s", VIEW_ARG(sub)) != E_OK)
        return E_OK;
    if (args_value(a, "document")) {
        e = check_bytes(a, &receipt, &n, f);
        (void)report_check(r, STEP_DOCUMENT_DIGEST, e, f, "%zu", n);
        fault_init(f);
    }
    if (!args_value(a, "proof")) {
        check_promise(r, &receipt, false);
        return E_OK;
    }
    TRY(file_read(args_value(a, "proof"), a->mem, &proof, f));
    e = verify_inclusion(r, keys, &receipt, proof, a->mem, &head);
    check_promise(r, &receipt, e == E_OK);
    TRY(later_head_text(a, "head", &other, f));
    if (e == E_OK && other.n)
        check_other_head(r, keys, &head, other, receipt.log_id, a->mem);
    if (e == E_OK)
        verify_witnesses(r, &head, a->mem);
    if (e != E_OK || !args_value(a, "time"))
        return E_OK;
    TRY(file_read(args_value(a, "time"), a->mem, &other, f));
    verify_time(r, keys, &head, other, a->mem);
    return E_OK;
}

/* One file checked with the gateway's keys. */
static int
with_keys(struct args *a, const char *usage,
          err (*check)(struct args *a, struct report *r, const struct key_list *keys, struct fault *f))
{
    struct key_list keys AUTO_DONE(keys_done) = {0};
    struct report r = {.a = a};
    struct fault f;
    fault_init(&f);
    digest_start();
    if (a->n_positional != 1 || !args_value(a, "keys"))
        return command_usage(a, usage);
    err e = keys_read(args_value(a, "keys"), a->mem, &keys, &f);
    if (e == E_OK)
        e = check(a, &r, &keys, &f);
    return e == E_OK ? report_end(&r) : command_fail(a, e, &f);
}

int
run_verify_receipt(struct args *a)
{
    return with_keys(a, "needs a receipt and --keys FILE", check_receipt);
}

/* -- log -- */

static err
check_log(struct args *a, struct report *r, const struct key_list *keys, struct fault *f)
{
    struct log_head head;
    view text = VIEW_NONE, other = VIEW_NONE;
    struct stat st;
    bool is_folder = stat(a->positional[0], &st) == 0 && S_ISDIR(st.st_mode);
    view file = arena_printf(a->mem, is_folder ? "%s/checkpoint" : "%s", a->positional[0]);
    TRY(file_read(file.p, a->mem, &text, f));
    view rest = text, own = view_cut(&rest, '\n', NULL);
    view origin = args_value(a, "origin") ? view_of(args_value(a, "origin")) : own;
    err e = verify_head(keys, text, origin, &head, f);
    if (report_check(r, STEP_HEAD_SIGNATURE, e, f, "%llu", e == E_OK ? (unsigned long long)head.n : 0ULL) !=
        E_OK)
        return E_OK;
    fault_init(f);
    if (is_folder)
        verify_tiles(r, a->positional[0], &head);
    verify_witnesses(r, &head, a->mem);
    TRY(later_head_text(a, "older", &other, f));
    if (other.n)
        check_other_head(r, keys, &head, other, origin, a->mem);
    return E_OK;
}

int
run_verify_log(struct args *a)
{
    return with_keys(a, "needs a head and --keys FILE", check_log);
}
