#include "signing/jose/status_list.h"
#include "sd_kit.h"
#include "signing/inflate.h"

#define URI "https://issuer.example.tw/status/1"

static const char zlib_two[] = "eNrbuRgAAhcBXQ"; /* 0xb9 0xa3, from the draft */

static view
bytes_of(arena *mem, const char *base64url)
{
    view bytes = VIEW_NONE;
    cr_assert_eq(text_base64url_decode(view_of(base64url), mem, &bytes), E_OK);
    return bytes;
}

Test(status_list, the_two_formats_count_from_opposite_ends)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static const unsigned lsb[16] = {1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1};
    struct status_list l;
    unsigned value = 9;
    cr_assert_eq(status_list_unpack(bytes_of(mem, zlib_two), 1, mem, &l, NULL), E_OK);
    for (uint64_t i = 0; i < 16; i++) {
        cr_assert_eq(status_list_get(&l, i, &value, NULL), E_OK);
        cr_expect_eq(value, lsb[i]);
    }
    l.order = STATUS_MSB_FIRST;
    for (uint64_t i = 0; i < 16; i++) {
        cr_assert_eq(status_list_get(&l, i, &value, NULL), E_OK);
        cr_expect_eq(value, lsb[i / 8 * 8 + 7 - i % 8]);
    }
    cr_expect_eq(status_list_get(&l, 16, &value, NULL), E_STATUS_INDEX);
    cr_expect_eq(status_list_get(&l, UINT64_MAX, &value, NULL), E_STATUS_INDEX);
}

Test(status_list, entries_of_two_four_and_eight_bits)
{
    arena *mem AUTO(arena_free) = fx_arena();
    static const unsigned two[4] = {1, 2, 3, 2}, four[2] = {9, 11};
    struct status_list l;
    unsigned value = 99;
    cr_assert_eq(status_list_unpack(bytes_of(mem, zlib_two), 2, mem, &l, NULL), E_OK);
    for (uint64_t i = 0; i < 4; i++)
        cr_expect(status_list_get(&l, i, &value, NULL) == E_OK && value == two[i]);
    l.bits = 4;
    for (uint64_t i = 0; i < 2; i++)
        cr_expect(status_list_get(&l, i, &value, NULL) == E_OK && value == four[i]);
    l.bits = 8;
    cr_expect(status_list_get(&l, 1, &value, NULL) == E_OK && value == 0xa3);
    cr_expect_eq(status_list_get(&l, 2, &value, NULL), E_STATUS_INDEX);
    for (unsigned bits = 0; bits < 10; bits++)
        if (bits != 1 && bits != 2 && bits != 4 && bits != 8)
            cr_expect_eq(status_list_unpack(bytes_of(mem, zlib_two), bits, mem, &l, NULL), E_STATUS_LIST);
}

Test(status_list, what_an_entry_means)
{
    cr_expect_eq(status_judge(0, NULL), E_OK);
    cr_expect_eq(status_judge(1, NULL), E_CREDENTIAL_REVOKED);
    cr_expect_eq(status_judge(2, NULL), E_CREDENTIAL_SUSPENDED);
    for (unsigned v = 3; v < 256; v++)
        cr_expect_eq(status_judge(v, NULL), E_STATUS_VALUE);
}

/* ---- signed ---- */

static const char good_token[] =
    "{\"sub\":\"" URI
    "\",\"iat\":1780999000,\"exp\":1781003600,\"ttl\":600,\"status_list\":{\"bits\":1,\"lst\":"
    "\"eNrbuRgAAhcBXQ\"}}";

static err
read_token(arena *mem, const struct key *k, const struct key *trusted, const char *typ, const char *payload,
           struct status_token *ret)
{
    const struct status_signer s = {V(URI), trusted->pkey, ALG_ES256, instant_of_unix(KIT_NOW)};
    return status_token_read(kit_jwt(k, typ, view_of(payload), mem), &s, mem, ret, NULL);
}

Test(status_list, a_token_is_taken_only_for_its_own_address_key_type_and_time)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem), *other AUTO(key_free) = fx_key(ALG_ES256, mem);
    struct status_token t;
    const char *typ = "statuslist+jwt";
    cr_assert_eq(read_token(mem, k, k, typ, good_token, &t), E_OK);
    cr_expect(t.ttl == 600 && instant_unix(t.expires) == 1781003600 && t.list.bytes.n == 2);
    cr_expect_eq(read_token(mem, other, k, typ, good_token, &t), E_SIGNATURE_MISMATCH);
    cr_expect_eq(read_token(mem, k, k, "JWT", good_token, &t), E_CREDENTIAL_TYP);
    cr_expect_eq(read_token(mem, k, k, typ,
                            "{\"sub\":\"https://issuer.example.tw/status/2\",\"status_list\":{"
                            "\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
                            &t),
                 E_STATUS_SUBJECT);
    cr_expect_eq(
        read_token(mem, k, k, typ, "{\"sub\":\"" URI "\",\"exp\":1780999000,\"status_list\":{}}", &t),
        E_CREDENTIAL_TIME);
    cr_expect_eq(read_token(mem, k, k, typ,
                            "{\"sub\":\"" URI "\",\"status_list\":{\"bits\":3,\"lst\":"
                            "\"eNrbuRgAAhcBXQ\"}}",
                            &t),
                 E_STATUS_LIST);
    cr_expect_eq(read_token(mem, k, k, typ,
                            "{\"sub\":\"" URI "\",\"status_list\":{\"bits\":1,\"lst\":"
                            "\"eNrbuRgAAhcBXA\"}}",
                            &t),
                 E_STATUS_LIST, "a damaged checksum");
}

/* gzip of 0x04 0x00: bit 5 from the left. */
static const char gzip_five[] = "H4sIAAAAAAAC/2NhAAD717UlAgAAAA==";

static view
list2021(arena *mem, const char *jti, const char *type, const char *purpose, const char *list)
{
    return arena_printf(mem,
                        "{\"jti\":\"%s\",\"vc\":{\"type\":[\"VerifiableCredential\",\"%s\"],"
                        "\"credentialSubject\":{\"statusPurpose\":\"%s\",\"encodedList\":\"%s\"}}}",
                        jti, type, purpose, list);
}

static err
read_2021(arena *mem, const struct key *k, view payload, struct status_token *ret)
{
    const struct status_signer s = {V(URI), k->pkey, ALG_ES256, instant_of_unix(KIT_NOW)};
    return status_list2021_read(kit_jwt(k, "JWT", payload, mem), &s, V("revocation"), mem, ret, NULL);
}

Test(status_list, a_list_of_2021_says_its_address_and_its_purpose)
{
    arena *mem AUTO(arena_free) = fx_arena();
    struct key *k AUTO(key_free) = fx_key(ALG_ES256, mem);
    const char *type = "StatusList2021Credential", *p = "revocation";
    struct status_token t;
    unsigned value;
    view packed;
    cr_assert_eq(text_base64_decode(view_of(gzip_five), mem, &packed), E_OK);
    cr_assert_eq(read_2021(mem, k, list2021(mem, URI, type, p, gzip_five), &t), E_OK);
    for (uint64_t i = 0; i < 16; i++)
        cr_expect(status_list_get(&t.list, i, &value, NULL) == E_OK && value == (i == 5));
    cr_expect_eq(read_2021(mem, k, list2021(mem, URI "0", type, p, gzip_five), &t), E_STATUS_SUBJECT);
    cr_expect_eq(read_2021(mem, k, list2021(mem, URI, type, "suspension", gzip_five), &t), E_STATUS_SUBJECT);
    cr_expect_eq(read_2021(mem, k, list2021(mem, URI, "Other", p, gzip_five), &t), E_STATUS_LIST);
    cr_expect_eq(read_2021(mem, k, list2021(mem, URI, type, p, "eNrbuRgAAhcBXQ=="), &t), E_STATUS_LIST,
                 "zlib is not gzip");
}

/* ---- unpacking ---- */

Test(inflate, whole_streams_only)
{
    arena *mem AUTO(arena_free) = fx_arena();
    view packed = bytes_of(mem, zlib_two), out;
    cr_assert_eq(inflate_bytes(packed, INFLATE_ZLIB, 2, mem, &out, NULL), E_OK);
    cr_expect(view_eq(out, view_make("\xb9\xa3", 2)));
    cr_expect_eq(inflate_bytes(packed, INFLATE_ZLIB, 1, mem, &out, NULL), E_TOO_LARGE);
    cr_expect_eq(inflate_bytes(packed, INFLATE_GZIP, 9, mem, &out, NULL), E_COMPRESSION);
    cr_expect_eq(inflate_bytes(VIEW_NONE, INFLATE_ZLIB, 9, mem, &out, NULL), E_COMPRESSION);
    char *more = arena_alloc(mem, packed.n + 1);
    memcpy(more, packed.p, packed.n);
    cr_expect_eq(inflate_bytes(view_make(more, packed.n + 1), INFLATE_ZLIB, 9, mem, &out, NULL),
                 E_COMPRESSION);
    for (size_t n = 0; n < packed.n; n++)
        cr_expect_eq(inflate_bytes(view_make(packed.p, n), INFLATE_ZLIB, 9, mem, &out, NULL), E_COMPRESSION);
}
