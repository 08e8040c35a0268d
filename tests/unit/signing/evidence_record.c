#include "sandbox_pki.h"

#include "signing/sandbox/pki_answer.h"
#include "signing/time/evidence_record.h"
#include "signing/time/tsp.h"

/* A token of that authority over the root of a tree. */
static view
stamp(const char *authority, const struct wide_digest *root, instant at, arena *mem)
{
    AUTO(X509_free) X509 *signer = x509_of(authority);
    AUTO(X509_free) X509 *issuer = x509_of("tsaca");
    AUTO(EVP_PKEY_free) EVP_PKEY *pkey = key_of(authority);
    struct pki_clock c = {.signer = signer, .signer_key = pkey, .issuer = issuer, .at = at};
    view request, response, anchors[] = {certificate_der("root", mem)};
    cr_assert(tsp_request(wide_digest_view(root), V(""), NULL, mem, &request, NULL) == E_OK);
    cr_assert(pki_answer_time(request, &c, mem, &response) == E_OK);
    struct tsp_question q = {.imprint = wide_digest_view(root), .anchors = anchors, .n_anchors = 1};
    struct tsp_token t;
    cr_assert(tsp_answer(response, &q, mem, &t, NULL) == E_OK);
    return t.token;
}

/* Days from the first call: one test sees one present. */
static instant
day(int n)
{
    static instant today;
    if (today.us == 0)
        today = instant_of_unix(instant_unix(clock_now()));
    return instant_add(today, SPAN_DAYS(n));
}

/* A stamp on top of the record, with its leaf among `others`. */
static void
renew(struct evidence_record *r, view object, bool begins_chain, size_t hash, size_t others,
      const char *authority, instant at, arena *mem)
{
    struct wide_digest leaves[20], root;
    struct archive_stamp s = {.begins_chain = begins_chain, .hash = hash};
    size_t mine = others / 2;
    for (size_t i = 0; i <= others; i++)
        leaves[i] = wide_hash(hash, &(view){"other", i % 5}, 1);
    cr_assert(evidence_record_leaf(r, object, begins_chain, hash, &leaves[mine]) == E_OK);
    struct hash_tree *tree = NULL;
    cr_assert(hash_tree_make(leaves, others + 1, mem, &tree) == E_OK);
    cr_assert(hash_tree_path(tree, mine, mem, &s.tree) == E_OK);
    root = *hash_tree_root(tree);
    s.token = stamp(authority, &root, at, mem);
    r->stamps[r->n++] = s;
}

static err
judge(const struct evidence_record *r, view object, instant now, arena *mem, struct record_proof *ret,
      struct fault *f)
{
    view anchors[] = {certificate_der("root", mem)};
    struct record_question q = {.object = object, .anchors = anchors, .n_anchors = 1, .now = now};
    fault_init(f);
    return evidence_record_verify(r, &q, mem, ret, f);
}

/* Printed, read again and judged: what leaves the gateway is what is judged. */
static err
judge_printed(const struct evidence_record *r, view object, instant now, arena *mem, struct record_proof *ret,
              struct fault *f)
{
    static struct evidence_record again;
    view der = VIEW_NONE, twice = VIEW_NONE;
    fault_init(f);
    cr_assert(evidence_record_print(r, mem, &der) == E_OK);
    cr_assert(evidence_record_read(der, &again, f) == E_OK, "%s", f->found);
    cr_assert(evidence_record_print(&again, mem, &twice) == E_OK);
    cr_assert(view_eq(der, twice), "a record that was read prints as it stood");
    return judge(&again, object, now, mem, ret, f);
}

Test(evidence_record, a_stamp_lives_as_long_as_its_authority_and_longer_when_renewed)
{
    AUTO(arena_free) arena *mem = test_arena();
    static struct evidence_record r;
    view head = V("a head of the log");
    struct record_proof p;
    struct fault f;
    renew(&r, head, true, 32, 0, "tsa", day(-2), mem);
    cr_assert(judge_printed(&r, head, day(0), mem, &p, &f) == E_OK, "%s %s %s", f.where, f.expected, f.found);
    cr_expect(p.at.us == day(-2).us && p.stamps == 1 && p.chains == 1 && p.until.us > day(600).us);
    cr_expect(judge(&r, head, day(800), mem, &p, &f) == E_CERT_TIME, "its authority's certificate has ended");
    renew(&r, head, false, 32, 6, "tsa-next", day(650), mem);
    cr_assert(judge_printed(&r, head, day(800), mem, &p, &f) == E_OK, "%s %s %s", f.where, f.expected,
              f.found);
    cr_expect(p.at.us == day(-2).us && p.latest.us == day(650).us && p.stamps == 2 && p.chains == 1);
    cr_expect(judge(&r, V("another head"), day(800), mem, &p, &f) == E_TIME_STAMP);
    renew(&r, head, true, 64, 3, "tsa-next", day(700), mem);
    renew(&r, head, false, 64, 0, "tsa-next", day(701), mem);
    cr_assert(judge_printed(&r, head, day(900), mem, &p, &f) == E_OK, "%s %s %s", f.where, f.expected,
              f.found);
    cr_expect(p.at.us == day(-2).us && p.stamps == 4 && p.chains == 2);
    cr_expect(judge(&r, V("another head"), day(900), mem, &p, &f) == E_TIME_STAMP);
}

Test(evidence_record, a_renewal_that_came_too_late_does_not_hold)
{
    AUTO(arena_free) arena *mem = test_arena();
    static struct evidence_record r;
    struct record_proof p;
    struct fault f;
    renew(&r, V("head"), true, 32, 0, "tsa", day(-2), mem);
    renew(&r, V("head"), false, 32, 0, "tsa-next", day(710), mem);
    cr_expect(judge(&r, V("head"), day(720), mem, &p, &f) == E_CERT_TIME && strcmp(f.where, "stamps[0]") == 0,
              "%s", f.where);
}

Test(evidence_record, stamps_out_of_order_of_another_object_or_over_another_chain_are_refused)
{
    AUTO(arena_free) arena *mem = test_arena();
    static struct evidence_record r, other, mixed;
    struct record_proof p;
    struct fault f;
    renew(&r, V("head"), true, 32, 0, "tsa", day(-2), mem);
    renew(&r, V("head"), true, 48, 2, "tsa", day(-1), mem);
    renew(&other, V("other"), true, 32, 0, "tsa", day(-2), mem);
    renew(&other, V("other"), true, 48, 2, "tsa", day(-1), mem);
    cr_assert(judge(&r, V("head"), day(0), mem, &p, &f) == E_OK, "%s %s", f.expected, f.found);
    mixed = r;
    mixed.stamps[1] = other.stamps[1];
    cr_expect(judge(&mixed, V("head"), day(0), mem, &p, &f) == E_TIME_STAMP, "a chain over another one");
    mixed = r;
    mixed.stamps[0] = other.stamps[0];
    cr_expect(judge(&mixed, V("head"), day(0), mem, &p, &f) == E_TIME_STAMP, "the first stamp changed");
    static struct evidence_record back;
    renew(&back, V("head"), true, 32, 0, "tsa", day(-1), mem);
    renew(&back, V("head"), false, 32, 0, "tsa", day(-2), mem);
    cr_expect(judge(&back, V("head"), day(0), mem, &p, &f) == E_TIME_STAMP,
              "a renewal before what it renews");
    mixed.n = 0;
    cr_expect(judge(&mixed, V("head"), day(0), mem, &p, &f) == E_TIME_STAMP, "no stamp at all");
}

Test(evidence_record, every_leaf_of_a_tree_has_a_path)
{
    AUTO(arena_free) arena *mem = test_arena();
    static struct evidence_record r;
    struct record_proof p;
    struct fault f;
    for (size_t others = 0; others < 12; others++) {
        r.n = 0;
        renew(&r, V("head"), true, 32, others, "tsa", day(-1), mem);
        cr_expect(judge(&r, V("head"), day(0), mem, &p, &f) == E_OK, "one of %zu: %s", others + 1, f.found);
        cr_expect((r.stamps[0].tree.n == 0) == (others == 0));
    }
}

/* No changed byte gives a record that holds and says another time. */
Test(evidence_record, every_byte_of_a_record)
{
    AUTO(arena_free) arena *mem = test_arena();
    static struct evidence_record r;
    view der = VIEW_NONE, anchors[] = {certificate_der("root", mem)};
    renew(&r, V("head"), true, 32, 0, "tsa", day(-2), mem);
    renew(&r, V("head"), true, 64, 2, "tsa", day(-1), mem);
    cr_assert(evidence_record_print(&r, mem, &der) == E_OK);
    char *own = malloc(der.n);
    size_t held = 0;
    for (size_t i = 0; i < der.n; i++) {
        AUTO(arena_free) arena *each = arena_new(1 << 20);
        static struct evidence_record read;
        struct record_proof p;
        memcpy(own, der.p, der.n);
        own[i] = (char)(own[i] ^ 1);
        struct record_question q = {.object = V("head"), .anchors = anchors, .n_anchors = 1, .now = day(0)};
        if (evidence_record_read(view_make(own, der.n), &read, NULL) != E_OK ||
            evidence_record_verify(&read, &q, each, &p, NULL) != E_OK)
            continue;
        held++;
        cr_expect(p.at.us == day(-2).us && p.latest.us == day(-1).us, "byte %zu", i);
    }
    free(own);
    cr_expect(held < der.n / 4, "%zu of %zu bytes do not count", held, der.n);
}
