#include "fixture.h"

#include "signing/log/merkle.h"

enum { LEAVES_MAX = 70, LEVELS = 8 };

/* Hashes of complete subtrees as the store would keep them. */
struct shelf {
    digest node[LEVELS][LEAVES_MAX + 1];
    uint64_t n;
    struct merkle_tail tail;
    size_t fail_after; /* counts down to a failing call when > 0 */
};

static err
shelf_read(void *self, unsigned level, uint64_t index, digest *ret)
{
    struct shelf *s = self;
    if (level >= LEVELS || ((index + 1) << level) > s->n)
        return E_NOT_FOUND; /* not complete: nobody may ask for it */
    *ret = s->node[level][index];
    return E_OK;
}

static err
shelf_emit(void *self, unsigned level, uint64_t index, const digest *hash)
{
    struct shelf *s = self;
    if (s->fail_after && --s->fail_after == 0)
        return E_STORE;
    s->node[level][index] = *hash;
    return E_OK;
}

static view
leaf_data(uint64_t i, char out[16])
{
    out[0] = (char)(i & 0xff);
    out[1] = (char)(i * 7 & 0xff);
    return view_make(out, (size_t)(i % 3));
}

static void
shelf_fill(struct shelf *s, uint64_t n)
{
    char data[16];
    while (s->n < n) {
        digest leaf = merkle_leaf(leaf_data(s->n, data));
        cr_assert_eq(merkle_append(&s->tail, &leaf, shelf_emit, s), E_OK);
        s->n++;
    }
}

/* RFC 6962 2.1 as it is written, over leaf hashes: the second opinion. */
static digest
plain_root(const digest *leaves, uint64_t n)
{
    if (n == 0)
        return sha256(V(""));
    if (n == 1)
        return leaves[0];
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    digest l = plain_root(leaves, k), r = plain_root(leaves + k, n - k);
    return merkle_node(&l, &r);
}

/* The leaves and roots that Certificate Transparency's implementations share. */
static const char *const ct_leaves[8] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const ct_roots[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

Test(merkle, known_roots)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static struct shelf s;
    for (uint64_t n = 0; n <= 8; n++) {
        view want = fx_bytes_of_hex(mem, ct_roots[n]);
        digest root;
        cr_assert_eq(merkle_root(shelf_read, &s, n, &root), E_OK);
        cr_expect(view_eq(digest_view(&root), want), "n %d", (int)n);
        root = merkle_tail_root(&s.tail);
        cr_expect(view_eq(digest_view(&root), want), "tail, n %d", (int)n);
        if (n == 8)
            break;
        digest leaf = merkle_leaf(*ct_leaves[n] ? fx_bytes_of_hex(mem, ct_leaves[n]) : VIEW_NONE);
        cr_assert_eq(merkle_append(&s.tail, &leaf, shelf_emit, &s), E_OK);
        s.n++;
    }
}

Test(merkle, roots_agree_with_the_definition)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static struct shelf s;
    for (uint64_t n = 0; n <= LEAVES_MAX; n++) {
        shelf_fill(&s, n);
        digest want = plain_root(s.node[0], n), root, tail = merkle_tail_root(&s.tail);
        cr_assert_eq(merkle_root(shelf_read, &s, n, &root), E_OK);
        cr_expect(digest_eq(&root, &want) && digest_eq(&tail, &want), "n %d", (int)n);
    }
    cr_expect(mem != NULL);
}

/* Every hash of the path with one bit turned, the path too short, too long, at another place. */
static void
inclusion_is_tight(const struct shelf *s, uint64_t index, uint64_t n, digest *path, size_t length,
                   const digest *root)
{
    const digest *leaf = &s->node[0][index];
    for (size_t i = 0; i < length; i++) {
        path[i].b[i % 32] ^= (uint8_t)(1 << (index % 8));
        cr_expect_eq(merkle_check_inclusion(leaf, index, n, path, length, root), E_SIGNATURE_MISMATCH);
        path[i].b[i % 32] ^= (uint8_t)(1 << (index % 8));
    }
    if (length > 0)
        cr_expect_eq(merkle_check_inclusion(leaf, index, n, path, length - 1, root), E_SIGNATURE_MISMATCH);
    path[length] = *root;
    cr_expect_eq(merkle_check_inclusion(leaf, index, n, path, length + 1, root), E_SIGNATURE_MISMATCH);
    for (uint64_t other = 0; other < n; other++)
        if (other != index)
            cr_expect_eq(merkle_check_inclusion(leaf, other, n, path, length, root), E_SIGNATURE_MISMATCH);
    cr_expect_eq(merkle_check_inclusion(leaf, n, n, path, length, root), E_SIGNATURE_MISMATCH);
}

Test(merkle, every_inclusion_proof_holds_and_no_other)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static struct shelf s;
    /* All leaves differ here, so that a proof cannot hold for another place by chance. */
    for (uint64_t i = 0; i < LEAVES_MAX; i++) {
        char data[2] = {(char)i, (char)(i >> 8)};
        digest leaf = merkle_leaf(view_make(data, 2));
        cr_assert_eq(merkle_append(&s.tail, &leaf, shelf_emit, &s), E_OK);
        s.n++;
    }
    for (uint64_t n = 1; n <= LEAVES_MAX; n++) {
        digest root = plain_root(s.node[0], n), path[MERKLE_PATH_MAX];
        size_t length = 99;
        for (uint64_t i = 0; i < n; i++) {
            cr_assert_eq(merkle_inclusion(shelf_read, &s, i, n, path, &length), E_OK);
            cr_expect_eq(merkle_check_inclusion(&s.node[0][i], i, n, path, length, &root), E_OK, "%d of %d",
                         (int)i, (int)n);
            inclusion_is_tight(&s, i, n, path, length, &root);
        }
        cr_expect_eq(merkle_inclusion(shelf_read, &s, n, n, path, &length), E_OUT_OF_RANGE);
    }
    cr_expect(mem != NULL);
}

static void
consistency_is_tight(uint64_t m, const digest *old, uint64_t n, const digest *root, digest *path,
                     size_t length)
{
    for (size_t i = 0; i < length; i++) {
        path[i].b[i % 32] ^= 0x10;
        cr_expect_eq(merkle_check_consistency(m, old, n, root, path, length), E_SIGNATURE_MISMATCH, "%d %d",
                     (int)m, (int)n);
        path[i].b[i % 32] ^= 0x10;
    }
    if (length > 0)
        cr_expect_eq(merkle_check_consistency(m, old, n, root, path, length - 1), E_SIGNATURE_MISMATCH);
    path[length] = *root;
    cr_expect_eq(merkle_check_consistency(m, old, n, root, path, length + 1), E_SIGNATURE_MISMATCH);
    digest other = *old;
    other.b[0] ^= 1;
    cr_expect_eq(merkle_check_consistency(m, &other, n, root, path, length), E_SIGNATURE_MISMATCH);
    other = *root;
    other.b[31] ^= 1;
    if (m > 0) /* every tree follows from the empty one */
        cr_expect_eq(merkle_check_consistency(m, old, n, &other, path, length), E_SIGNATURE_MISMATCH);
    cr_expect_eq(merkle_check_consistency(n + 1, root, n, root, path, length), E_SIGNATURE_MISMATCH);
}

Test(merkle, every_consistency_proof_holds_and_no_other)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static struct shelf s;
    shelf_fill(&s, LEAVES_MAX);
    for (uint64_t n = 0; n <= LEAVES_MAX; n++)
        for (uint64_t m = 0; m <= n; m++) {
            digest old = plain_root(s.node[0], m), root = plain_root(s.node[0], n), path[MERKLE_PATH_MAX];
            size_t length = 99;
            cr_assert_eq(merkle_consistency(shelf_read, &s, m, n, path, &length), E_OK);
            cr_expect_eq(merkle_check_consistency(m, &old, n, &root, path, length), E_OK, "%d %d", (int)m,
                         (int)n);
            consistency_is_tight(m, &old, n, &root, path, length);
        }
    digest path[MERKLE_PATH_MAX];
    size_t length;
    cr_expect_eq(merkle_consistency(shelf_read, &s, 5, 4, path, &length), E_OUT_OF_RANGE);
    cr_expect(mem != NULL);
}

Test(merkle, a_failed_append_leaves_the_tail_as_it_was)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static struct shelf s;
    shelf_fill(&s, 7); /* the eighth leaf completes four subtrees */
    digest before = merkle_tail_root(&s.tail), leaf = merkle_leaf(V("x"));
    for (size_t k = 1; k <= 4; k++) {
        s.fail_after = k;
        cr_expect_eq(merkle_append(&s.tail, &leaf, shelf_emit, &s), E_STORE);
        digest after = merkle_tail_root(&s.tail);
        cr_expect(s.tail.n == 7 && digest_eq(&before, &after));
    }
    s.fail_after = 0;
    cr_expect_eq(merkle_append(&s.tail, &leaf, shelf_emit, &s), E_OK);
    cr_expect(mem != NULL);
}

/* ---- checkpoint ---- */

#define ORIGIN "gateway.example/log"

static view
checkpoint_of(const struct key *k, uint64_t n, arena *mem)
{
    digest root = sha256(V("root"));
    view text;
    cr_assert_eq(checkpoint_print(V(ORIGIN), n, &root, k, mem, &text), E_OK);
    return text;
}

Test(checkpoint, says_what_was_signed)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    static const uint64_t sizes[] = {0, 1, 9, 10, 20852163, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        view text = checkpoint_of(k, sizes[i], mem);
        uint64_t n = 77;
        digest root, want = sha256(V("root"));
        cr_assert_eq(checkpoint_check(text, V(ORIGIN), k->pkey, &n, &root, NULL), E_OK);
        cr_expect(n == sizes[i] && digest_eq(&root, &want));
        cr_expect(view_starts(text, arena_printf(mem, ORIGIN "\n%llu\n", (unsigned long long)sizes[i])));
    }
}

/* Key id and signature as the note format has them for type 0x02, checked with OpenSSL alone. */
Test(checkpoint, is_a_note_of_signature_type_2)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view text = checkpoint_of(k, 42, mem), bytes;
    size_t body_n = view_find(text, V("\n\n")) + 1;
    view line = view_sub(text, body_n + 1, text.n);
    view mark = V("\xe2\x80\x94 " ORIGIN " ");
    cr_assert(view_starts(line, mark) && view_ends(line, V("\n")));
    cr_assert_eq(text_base64_decode(view_sub(line, mark.n, line.n - mark.n - 1), mem, &bytes), E_OK);
    digest spki = pkey_spki_digest(k->pkey);
    cr_expect_eq(memcmp(bytes.p, spki.b, 4), 0);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    cr_assert(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1);
    cr_expect_eq(EVP_DigestVerify(ctx, (const unsigned char *)bytes.p + 4, bytes.n - 4,
                                  (const unsigned char *)text.p, body_n),
                 1);
    EVP_MD_CTX_free(ctx);
}

Test(checkpoint, no_flipped_bit_is_accepted)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    view text = checkpoint_of(k, 123456, mem);
    char *copy = arena_cstr(mem, text);
    uint64_t n;
    digest root;
    for (size_t bit = 0; bit < 8 * text.n; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
        cr_expect_neq(checkpoint_check(view_make(copy, text.n), V(ORIGIN), k->pkey, &n, &root, NULL), E_OK,
                      "bit %zu", bit);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
    }
    for (size_t cut = 0; cut < text.n; cut++)
        cr_expect_neq(checkpoint_check(view_sub(text, 0, cut), V(ORIGIN), k->pkey, &n, &root, NULL), E_OK);
}

Test(checkpoint, other_signatures_are_passed_over_but_never_enough)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem), *other AUTO(key_free) = fx_key(ALG_ES256, mem);
    view text = checkpoint_of(k, 5, mem);
    view witnessed = arena_printf(mem, "%.*s\xe2\x80\x94 witness.example AAAAAQIDBAUGBwg=\n", VIEW_ARG(text));
    uint64_t n;
    digest root;
    cr_expect_eq(checkpoint_check(witnessed, V(ORIGIN), k->pkey, &n, &root, NULL), E_OK);
    cr_expect_eq(checkpoint_check(witnessed, V(ORIGIN), other->pkey, &n, &root, NULL), E_SIGNATURE_MISMATCH);
    cr_expect_eq(checkpoint_check(text, V("another.example/log"), k->pkey, &n, &root, NULL),
                 E_SIGNATURE_MISMATCH);
    /* A second line of the same key that does not hold spoils the note. */
    size_t line = view_find(text, V("\n\n")) + 2;
    view foreign = checkpoint_of(k, 6, mem);
    view spoiled =
        arena_printf(mem, "%.*s%.*s", VIEW_ARG(text), VIEW_ARG(view_sub(foreign, line, foreign.n)));
    cr_expect_eq(checkpoint_check(spoiled, V(ORIGIN), k->pkey, &n, &root, NULL), E_SIGNATURE_MISMATCH);
}

Test(checkpoint, forms_that_are_refused)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem), *rsa AUTO(key_free) = fx_key(ALG_RS256, mem);
    digest root = sha256(V("r"));
    view text;
    uint64_t n;
    static const char *const bodies[] = {
        "",
        "\n",
        "\n\n",
        ORIGIN "\n5\n",
        ORIGIN "\n05\nAAAA\n\n\xe2\x80\x94 a b\n",
        ORIGIN "\n5\nAAAA\n\n\xe2\x80\x94 a AAAAAAAA\n",
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        cr_expect_eq(checkpoint_check(view_of(bodies[i]), V(ORIGIN), k->pkey, &n, &root, NULL),
                     E_SIGNATURE_FORM, "%zu", i);
    cr_expect_eq(checkpoint_print(V("with space"), 1, &root, k, mem, &text), E_SYNTAX);
    cr_expect_eq(checkpoint_print(V("a+b"), 1, &root, k, mem, &text), E_SYNTAX);
    cr_expect_eq(checkpoint_print(V(""), 1, &root, k, mem, &text), E_SYNTAX);
    cr_expect_eq(checkpoint_print(V("a\nb"), 1, &root, k, mem, &text), E_SYNTAX);
    cr_expect_eq(checkpoint_print(V(ORIGIN), 1, &root, rsa, mem, &text), E_ALGORITHM);
}
