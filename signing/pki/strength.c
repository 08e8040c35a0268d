#include "signing/pki/certificate.h"

/* Days since 1970 of a rule's date are counted at compile time: 2031-01-01 is 22280. */
const struct strength_rule strength_rules[] = {
#define STRENGTH(key, bits, from_day) {#key, bits, {(from_day)*86400LL * 1000000}},
#include "signing/signing.def"
#undef STRENGTH
};
const size_t strength_rules_count = COUNT_OF(strength_rules);

err
certificate_check_strength(const X509 *x, instant at, const char *where, struct fault *f)
{
    EVP_PKEY *pkey = X509_get0_pubkey(x);
    bool known = false;
    for (size_t i = 0; pkey && i < COUNT_OF(strength_rules); i++) {
        const struct strength_rule *rule = &strength_rules[i];
        if (!EVP_PKEY_is_a(pkey, rule->key) || at.us < rule->from.us)
            continue;
        known = true;
        if (EVP_PKEY_get_bits(pkey) < rule->bits)
            return fault_set(f, E_ALGORITHM, where, "a key long enough for this time", "a shorter one");
    }
    if (pkey && EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) % 8 != 0)
        return fault_set(f, E_ALGORITHM, where, "an RSA key of whole bytes", "another length");
    if (!known)
        return fault_set(f, E_ALGORITHM, where, "an RSA, EC or Ed25519 key", "another kind");
    return E_OK;
}
