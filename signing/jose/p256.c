/* Tables of fixed multiples have no successor in OpenSSL 3 and stay in it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "signing/jose/p256.h"

#include <gmp.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 32
#define POINT (1 + 2 * BYTES)
/* A table is paid back after about a thousand uses. */
#define BUSY 256
#define TABLES 64
#define KNOWN 512

struct p256_key {
    uint8_t point[POINT];
    unsigned holders; /* under the lock, like all but the next two */
    atomic_uint uses;
    _Atomic(EC_GROUP *)
        group; /* the curve with this key's point for generator and a table for it; stays while it is held */
    bool is_taken;
};

static struct {
    pthread_mutex_t lock;     /* of keys */
    pthread_mutex_t building; /* one at a time: the others go on without */
    struct p256_key keys[KNOWN];
    unsigned tables;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER, .building = PTHREAD_MUTEX_INITIALIZER};

/* The order of the group and the field's prime, FIPS 186-5 via SP 800-186 section 3.2.1.3. */
static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char prime_hex[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

struct p256_scratch {
    EC_GROUP *curve;
    BN_CTX *ctx;
    EC_POINT *left, *right;
    BIGNUM *a, *b;
    mpz_t n, p, r, s, e, x, z, t;
};

struct p256_scratch *
p256_scratch_new(void)
{
    struct p256_scratch *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    s->ctx = BN_CTX_new();
    s->left = s->curve ? EC_POINT_new(s->curve) : NULL;
    s->right = s->curve ? EC_POINT_new(s->curve) : NULL;
    s->a = BN_new();
    s->b = BN_new();
    if (!s->ctx || !s->left || !s->right || !s->a || !s->b)
        abort();
    if (mpz_init_set_str(s->n, order_hex, 16) || mpz_init_set_str(s->p, prime_hex, 16))
        abort();
    mpz_inits(s->r, s->s, s->e, s->x, s->z, s->t, NULL);
    return s;
}

void
p256_scratch_free(struct p256_scratch *s)
{
    if (!s)
        return;
    mpz_clears(s->n, s->p, s->r, s->s, s->e, s->x, s->z, s->t, NULL);
    BN_free(s->a);
    BN_free(s->b);
    EC_POINT_free(s->left);
    EC_POINT_free(s->right);
    BN_CTX_free(s->ctx);
    EC_GROUP_free(s->curve);
    free(s);
}

/* -- known keys -- */

static bool
point_of(EVP_PKEY *pkey, uint8_t ret[POINT])
{
    char group[32];
    size_t n = 0;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) != 1 ||
        strcmp(group, SN_X9_62_prime256v1) != 0)
        return false;
    uint8_t *bytes = NULL;
    n = EVP_PKEY_get1_encoded_public_key(pkey, &bytes);
    bool good = n == POINT && bytes[0] == POINT_CONVERSION_UNCOMPRESSED;
    if (good)
        memcpy(ret, bytes, POINT);
    OPENSSL_free(bytes);
    return good;
}

/* The key's own place, else a free one, else one that nobody holds, rather without a table. */
static struct p256_key *
place_for(const uint8_t point[POINT])
{
    struct p256_key *free_one = NULL, *idle = NULL;
    for (size_t i = 0; i < KNOWN; i++) {
        struct p256_key *k = &known.keys[i];
        if (k->is_taken && memcmp(k->point, point, POINT) == 0)
            return k;
        if (!k->is_taken)
            free_one = free_one ? free_one : k;
        else if (!k->holders && (!idle || atomic_load(&idle->group)))
            idle = k;
    }
    return free_one ? free_one : idle;
}

static void
table_drop(struct p256_key *k)
{
    EC_GROUP *group = atomic_exchange(&k->group, NULL);
    known.tables -= group != NULL;
    EC_GROUP_free(group);
}

struct p256_key *
p256_key_hold(EVP_PKEY *pkey)
{
    uint8_t point[POINT];
    if (!point_of(pkey, point))
        return NULL;
    pthread_mutex_lock(&known.lock);
    struct p256_key *k = place_for(point);
    if (k && (!k->is_taken || memcmp(k->point, point, POINT) != 0)) {
        table_drop(k);
        memcpy(k->point, point, POINT);
        atomic_store(&k->uses, 0);
        k->is_taken = true;
    }
    if (k)
        k->holders++;
    pthread_mutex_unlock(&known.lock);
    return k;
}

void
p256_key_release(struct p256_key *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&known.lock);
    k->holders--;
    pthread_mutex_unlock(&known.lock);
}

/* -- tables -- */

static EC_GROUP *
table_make(const struct p256_key *k)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    BN_CTX *ctx = BN_CTX_new();
    bool good = point && ctx && EC_POINT_oct2point(group, point, k->point, POINT, ctx) == 1 &&
                EC_GROUP_set_generator(group, point, EC_GROUP_get0_order(group),
                                       EC_GROUP_get0_cofactor(group)) == 1 &&
                EC_GROUP_precompute_mult(group, ctx) == 1;
    EC_POINT_free(point);
    BN_CTX_free(ctx);
    if (good)
        return group;
    EC_GROUP_free(group);
    return NULL;
}

/* Room for one more: a table that nobody holds goes. */
static bool
table_room(void)
{
    for (size_t i = 0; i < KNOWN && known.tables >= TABLES; i++) {
        if (!known.keys[i].holders)
            table_drop(&known.keys[i]);
    }
    return known.tables < TABLES;
}

static void
table_build(struct p256_key *k)
{
    if (pthread_mutex_trylock(&known.building))
        return;
    EC_GROUP *group = atomic_load(&k->group) ? NULL : table_make(k);
    if (group) {
        pthread_mutex_lock(&known.lock);
        if (table_room()) {
            atomic_store(&k->group, group);
            known.tables++;
            group = NULL;
        }
        pthread_mutex_unlock(&known.lock);
        EC_GROUP_free(group);
    }
    pthread_mutex_unlock(&known.building);
}

bool
p256_key_is_busy(struct p256_key *k)
{
    if (!k)
        return false;
    if (atomic_load_explicit(&k->group, memory_order_acquire))
        return true;
    /* When there was no room or another table was made, it is tried again as many uses later. */
    if (atomic_fetch_add_explicit(&k->uses, 1, memory_order_relaxed) % BUSY == BUSY - 1)
        table_build(k);
    return atomic_load_explicit(&k->group, memory_order_acquire) != NULL;
}

/* -- verification -- */

static void
number_of(mpz_t ret, const uint8_t *bytes)
{
    mpz_import(ret, BYTES, 1, 1, 1, 0, bytes);
}

static bool
number_to_bn(const mpz_t from, BIGNUM *ret)
{
    uint8_t bytes[BYTES];
    size_t n = 0;
    mpz_export(bytes, &n, 1, 1, 1, 0, from); /* reduced: never longer */
    return BN_bin2bn(bytes, (int)n, ret) != NULL;
}

static bool
number_of_bn(mpz_t ret, const BIGNUM *from)
{
    uint8_t bytes[BYTES];
    if (BN_bn2binpad(from, bytes, BYTES) != BYTES)
        return false;
    number_of(ret, bytes);
    return true;
}

/* u1 = e / s and u2 = r / s modulo the order, into a and b. */
static bool
scalars(struct p256_scratch *s)
{
    if (!mpz_invert(s->t, s->s, s->n))
        return false;
    mpz_mul(s->e, s->e, s->t);
    mpz_mod(s->e, s->e, s->n);
    mpz_mul(s->z, s->r, s->t);
    mpz_mod(s->z, s->z, s->n);
    return number_to_bn(s->e, s->a) && number_to_bn(s->z, s->b);
}

/* Whether x · z² is the point's X, for x = r and, where that is below the prime, x = r + n: the affine x is r modulo the order, without the division that
 * makes it affine. */
static bool
x_is_r(struct p256_scratch *s)
{
    if (EC_POINT_get_Jprojective_coordinates_GFp(s->curve, s->left, s->a, NULL, s->b, s->ctx) != 1 ||
        !number_of_bn(s->x, s->a) || !number_of_bn(s->z, s->b))
        return false;
    mpz_mul(s->z, s->z, s->z);
    mpz_mod(s->z, s->z, s->p);
    for (; mpz_cmp(s->r, s->p) < 0; mpz_add(s->r, s->r, s->n)) {
        mpz_mul(s->t, s->r, s->z);
        mpz_mod(s->t, s->t, s->p);
        if (mpz_cmp(s->t, s->x) == 0)
            return true;
    }
    return false;
}

static bool
is_scalar(const struct p256_scratch *s, const mpz_t x)
{
    return mpz_sgn(x) > 0 && mpz_cmp(x, s->n) < 0;
}

bool
p256_verify(const struct p256_key *k, struct p256_scratch *s, const uint8_t hash[BYTES],
            const uint8_t signature[2 * BYTES])
{
    const EC_GROUP *own = atomic_load_explicit(&k->group, memory_order_acquire);
    number_of(s->r, signature);
    number_of(s->s, signature + BYTES);
    number_of(s->e, hash);
    if (!is_scalar(s, s->r) || !is_scalar(s, s->s) || !scalars(s))
        return false;
    return EC_POINT_mul(s->curve, s->left, s->a, NULL, NULL, s->ctx) == 1 &&
           EC_POINT_mul(own, s->right, s->b, NULL, NULL, s->ctx) == 1 &&
           EC_POINT_add(s->curve, s->left, s->left, s->right, s->ctx) == 1 &&
           !EC_POINT_is_at_infinity(s->curve, s->left) && x_is_r(s);
}
