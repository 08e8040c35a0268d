#include "adapters/wallet/inside.h"

#include "base/text.h"

#define DID_MAX 512
#define CODEC_SIZE 3

/* base58btc, big-endian; leading '1's are zero bytes.  Quadratic, so the length is bounded first. */
static bool
base58_decode(view text, uint8_t *out, size_t room, size_t *ret_n)
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    size_t used = 0, zeros = 0;
    while (zeros < text.n && text.p[zeros] == '1')
        zeros++;
    for (size_t i = zeros; i < text.n; i++) {
        const char *at = text.p[i] ? strchr(alphabet, text.p[i]) : NULL;
        unsigned carry = at ? (unsigned)(at - alphabet) : 0;
        if (!at)
            return false;
        for (size_t k = 0; k < used; k++) {
            carry += out[room - 1 - k] * 58u;
            out[room - 1 - k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry) {
            if (used == room)
                return false;
            out[room - 1 - used++] = (uint8_t)carry;
        }
    }
    if (zeros + used > room)
        return false;
    memmove(out + zeros, out + room - used, used);
    memset(out, 0, zeros);
    *ret_n = zeros + used;
    return true;
}

err
did_key_read(view did, arena *mem, void **ret_pkey, enum jose_alg *ret_alg, struct fault *f)
{
    static const uint8_t jwk_jcs_pub[CODEC_SIZE] = {0xd1, 0xd6, 0x03};
    view head = V("did:key:z"), kid;
    uint8_t bytes[DID_MAX];
    size_t n = 0;
    json_t *jwk = NULL;
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    bool good = view_starts(did, head) && did.n <= DID_MAX &&
                base58_decode(view_sub(did, head.n, did.n), bytes, sizeof bytes, &n) && n > CODEC_SIZE &&
                memcmp(bytes, jwk_jcs_pub, CODEC_SIZE) == 0 &&
                json_load(view_make(bytes + CODEC_SIZE, n - CODEC_SIZE), mem, &jwk, NULL) == E_OK &&
                jwk_read(jwk, &pkey, &alg, &kid, mem, NULL) == E_OK;
    if (!good)
        return fault_set(f, E_HOLDER_KEY, "did", "did:key of a P-256 key", "another");
    if (!arena_defer(mem, pkey_free, pkey))
        return E_TOO_LARGE;
    *ret_pkey = pkey;
    *ret_alg = alg;
    return E_OK;
}
