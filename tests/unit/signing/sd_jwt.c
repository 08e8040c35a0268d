#include "sd_kit.h"

static arena *mem;
static struct key *issuer, *holder, *stranger;

static void
open_kit(void)
{
    mem = fx_arena();
    issuer = fx_key(ALG_ES256, mem);
    holder = fx_key(ALG_ES256, mem);
    stranger = fx_key(ALG_ES256, mem);
}

static void
close_kit(void)
{
    key_free(issuer);
    key_free(holder);
    key_free(stranger);
    arena_free(mem);
}

TestSuite(sd_jwt, .init = open_kit, .fini = close_kit);

static const char *const credential[] = {"dc+sd-jwt", NULL};

static err
verify(view text, const struct sd_jwt_policy *changed, json_t **ret_claims, struct fault *f)
{
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    struct sd_jwt_policy p = {.types = credential,
                              .pkey = issuer->pkey,
                              .alg = ALG_ES256,
                              .now = instant_of_unix(KIT_NOW),
                              .skew = SPAN_SECONDS(30),
                              .is_credential = true};
    TRY(sd_jwt_split(text, mem, s, f));
    return sd_jwt_verify(s, changed ? changed : &p, mem, ret_claims, f);
}

/* Disclosures by their JSON, one to a line of NULL-ended texts; in a payload, $0 to $9 are their digests. */
static view
minted(const char *payload, const char *const *json)
{
    struct buf out AUTO_DONE(buf_done), tail AUTO_DONE(buf_done);
    view disclosures[10], digests[10];
    size_t n = 0;
    buf_init(&out, MIB);
    buf_init(&tail, MIB);
    /* A disclosure may hold the digest of an earlier one. */
    for (; json && json[n]; n++) {
        struct buf one AUTO_DONE(buf_done);
        buf_init(&one, MIB);
        for (const char *p = json[n]; *p; p++)
            if (*p == '$')
                buf_add_view(&one, digests[*++p - '0']);
            else
                buf_add_byte(&one, *p);
        disclosures[n] = text_base64url(mem, buf_view(&one));
        digests[n] = kit_digest(mem, disclosures[n]);
        buf_printf(&tail, "%.*s~", VIEW_ARG(disclosures[n]));
    }
    for (const char *p = payload; *p; p++)
        if (*p == '$')
            buf_add_view(&out, digests[*++p - '0']);
        else
            buf_add_byte(&out, *p);
    view jwt = kit_jwt(issuer, "dc+sd-jwt", arena_dup(mem, buf_view(&out)), mem);
    return arena_printf(mem, "%.*s~%.*s", VIEW_ARG(jwt), VIEW_ARG(buf_view(&tail)));
}

#define DISCLOSED(...)                                                                                       \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

Test(sd_jwt, claims_stand_in_their_places_and_nothing_of_the_hiding_is_left)
{
    json_t *claims = NULL, *expected = NULL;
    view text =
        minted("{\"_sd_alg\":\"sha-256\",\"vct\":\"v\",\"_sd\":[\"$0\",\"decoy\"],\"a\":{\"_sd\":[\"$2\"]},"
               "\"list\":[\"x\",{\"...\":\"$3\"},{\"...\":\"hidden\"}]}",
               DISCLOSED("[\"s\",\"name\",\"王小明\"]", "[\"s\",\"city\",\"台北\"]",
                         "[\"s\",\"address\",{\"_sd\":[\"$1\"],\"zip\":106}]", "[\"s\",{\"k\":null}]"));
    cr_assert_eq(verify(text, NULL, &claims, NULL), E_OK);
    cr_assert_eq(
        json_load(V("{\"vct\":\"v\",\"name\":\"王小明\",\"a\":{\"address\":{\"zip\":106,\"city\":\"台北\"}},"
                    "\"list\":[\"x\",{\"k\":null}]}"),
                  mem, &expected, NULL),
        E_OK);
    cr_expect(json_equal(claims, expected));
}

/* One cause a row. */
static const struct {
    const char *name, *payload;
    const char *json[4];
    err expected;
} bad[] = {
    {"unknown hash", "{\"_sd_alg\":\"sha-1\"}", {NULL}, E_SD_ALG},
    {"hash that is no text", "{\"_sd_alg\":1}", {NULL}, E_SD_ALG},
    {"four members", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"a\",1,2]"}, E_SD_DISCLOSURE},
    {"one member", "{\"_sd\":[\"$0\"]}", {"[\"s\"]"}, E_SD_DISCLOSURE},
    {"no array", "{\"_sd\":[\"$0\"]}", {"{\"s\":1}"}, E_SD_DISCLOSURE},
    {"no JSON", "{\"_sd\":[\"$0\"]}", {"[\"s\","}, E_SD_DISCLOSURE},
    {"salt that is no text", "{\"_sd\":[\"$0\"]}", {"[1,\"a\",2]"}, E_SD_DISCLOSURE},
    {"name that is no text", "{\"_sd\":[\"$0\"]}", {"[\"s\",1,2]"}, E_SD_DISCLOSURE},
    {"an item's disclosure in an object", "{\"_sd\":[\"$0\"]}", {"[\"s\",1]"}, E_SD_DISCLOSURE},
    {"a member's disclosure in an array", "{\"a\":[{\"...\":\"$0\"}]}", {"[\"s\",\"a\",1]"}, E_SD_DISCLOSURE},
    {"named _sd", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"_sd\",[]]"}, E_SD_NAME},
    {"named ...", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"...\",\"x\"]"}, E_SD_NAME},
    {"name there already", "{\"a\":1,\"_sd\":[\"$0\"]}", {"[\"s\",\"a\",2]"}, E_SD_NAME},
    {"name disclosed twice", "{\"_sd\":[\"$0\",\"$1\"]}", {"[\"s\",\"a\",1]", "[\"t\",\"a\",2]"}, E_SD_NAME},
    {"exp disclosed", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"exp\",9999999999]"}, E_SD_NAME},
    {"cnf disclosed", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"cnf\",{}]"}, E_SD_NAME},
    {"status disclosed", "{\"_sd\":[\"$0\"]}", {"[\"s\",\"status\",{}]"}, E_SD_NAME},
    {"digest twice in one list", "{\"_sd\":[\"$0\",\"$0\"]}", {"[\"s\",\"a\",1]"}, E_SD_DIGEST_TWICE},
    {"digest in two places",
     "{\"_sd\":[\"$0\"],\"b\":{\"_sd\":[\"$0\"]}}",
     {"[\"s\",\"a\",1]"},
     E_SD_DIGEST_TWICE},
    {"decoy twice", "{\"_sd\":[\"d\"],\"b\":[{\"...\":\"d\"}]}", {NULL}, E_SD_DIGEST_TWICE},
    {"digest in payload and in a disclosure",
     "{\"_sd\":[\"$0\",\"$1\"]}",
     {"[\"s\",\"a\",1]", "[\"s\",\"b\",{\"_sd\":[\"$0\"]}]"},
     E_SD_DIGEST_TWICE},
    {"not signed", "{\"a\":1}", {"[\"s\",\"b\",1]"}, E_SD_UNREFERENCED},
    {"_sd is no array", "{\"_sd\":\"$0\"}", {"[\"s\",\"b\",1]"}, E_SD_JWT_FORM},
    {"digest is no text", "{\"_sd\":[1]}", {NULL}, E_SD_JWT_FORM},
    {"... beside others", "{\"a\":[{\"...\":\"d\",\"b\":1}]}", {NULL}, E_SD_JWT_FORM},
    {"... in an object", "{\"...\":\"d\"}", {NULL}, E_SD_JWT_FORM},
    {"ended", "{\"exp\":1780999969}", {NULL}, E_CREDENTIAL_TIME},
    {"not begun", "{\"nbf\":1781000031}", {NULL}, E_CREDENTIAL_TIME},
    {"made tomorrow", "{\"iat\":1781086400}", {NULL}, E_CREDENTIAL_TIME},
    {"end that is no number", "{\"exp\":\"1999999999\"}", {NULL}, E_CREDENTIAL_TIME},
};

Test(sd_jwt, each_defect_has_its_code)
{
    json_t *claims = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct fault f;
        fault_init(&f);
        err e = verify(minted(bad[i].payload, bad[i].json), NULL, &claims, &f);
        cr_expect_eq(e, bad[i].expected, "%s: %s", bad[i].name, err_info(e)->code);
        cr_expect(e == E_OK || f.code == e, "%s: no fault", bad[i].name);
    }
}

/* Found by the published set: both copies matched the one digest. */
Test(sd_jwt, a_disclosure_sent_twice_is_refused)
{
    json_t *claims = NULL;
    view text = minted("{\"_sd\":[\"$0\"]}", DISCLOSED("[\"s\",\"a\",1]"));
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    cr_assert_eq(sd_jwt_split(text, mem, s, NULL), E_OK);
    view twice = arena_printf(mem, "%.*s%.*s~", VIEW_ARG(text), VIEW_ARG(s->disclosures[0]));
    cr_expect_eq(verify(text, NULL, &claims, NULL), E_OK);
    cr_expect_eq(verify(twice, NULL, &claims, NULL), E_SD_UNREFERENCED);
}

Test(sd_jwt, the_callers_key_algorithm_and_type_decide)
{
    json_t *claims = NULL;
    view text = minted("{\"a\":1}", NULL);
    struct sd_jwt_policy p = {
        .types = credential, .pkey = stranger->pkey, .alg = ALG_ES256, .now = instant_of_unix(KIT_NOW)};
    cr_expect_eq(verify(text, &p, &claims, NULL), E_SIGNATURE_MISMATCH);
    p.pkey = issuer->pkey;
    p.alg = ALG_RS256;
    cr_expect_eq(verify(text, &p, &claims, NULL), E_ALGORITHM);
    p.alg = ALG_ES256;
    p.types = (const char *const[]){"vc+sd-jwt", NULL};
    cr_expect_eq(verify(text, &p, &claims, NULL), E_CREDENTIAL_TYP);
    p.types = credential;
    p.needs_exp = true;
    cr_expect_eq(verify(text, &p, &claims, NULL), E_CREDENTIAL_TIME);
    p.needs_exp = false;
    cr_expect_eq(verify(text, &p, &claims, NULL), E_OK);
}

Test(sd_jwt, form_and_limits)
{
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    view jwt = kit_jwt(issuer, NULL, V("{}"), mem), list = kit_jwt(issuer, NULL, V("[]"), mem);
    struct buf many AUTO_DONE(buf_done);
    buf_init(&many, MIB);
    cr_expect_eq(sd_jwt_split(jwt, mem, s, NULL), E_SD_JWT_FORM);
    cr_expect_eq(sd_jwt_split(arena_printf(mem, "%.*s~~", VIEW_ARG(jwt)), mem, s, NULL), E_SD_JWT_FORM);
    cr_expect_eq(sd_jwt_split(arena_printf(mem, "%.*s~", VIEW_ARG(list)), mem, s, NULL), E_SD_JWT_FORM);
    cr_expect_eq(sd_jwt_split(arena_printf(mem, "%.*s~", VIEW_ARG(jwt)), mem, s, NULL), E_OK);
    buf_printf(&many, "%.*s~", VIEW_ARG(jwt));
    for (size_t i = 0; i < SD_JWT_DISCLOSURES_MAX; i++)
        BUF_LIT(&many, "WyJzIl0~");
    cr_expect_eq(sd_jwt_split(buf_view(&many), mem, s, NULL), E_OK);
    BUF_LIT(&many, "WyJzIl0~");
    cr_expect_eq(sd_jwt_split(buf_view(&many), mem, s, NULL), E_TOO_LARGE);
    while (many.n <= SD_JWT_SIZE_MAX)
        buf_add_byte(&many, 'A');
    cr_expect_eq(sd_jwt_split(buf_view(&many), mem, s, NULL), E_TOO_LARGE);
}

Test(sd_jwt, ten_levels_and_no_more)
{
    json_t *claims = NULL;
    cr_expect_eq(verify(minted("{\"a\":[[[[[[[[[1]]]]]]]]]}", NULL), NULL, &claims, NULL), E_OK);
    cr_expect_eq(verify(minted("{\"a\":[[[[[[[[[[1]]]]]]]]]]}", NULL), NULL, &claims, NULL), E_TOO_LARGE);
}

/* ---- the holder's part ---- */

static view
bound(view presented, const struct key *by, const char *typ, const char *nonce, const char *audience,
      int64_t iat)
{
    return kit_bind(by, presented, typ, nonce, audience, iat, "", mem);
}

static err
check(view text)
{
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    json_t *claims = NULL, *payload = NULL;
    const struct sd_jwt_policy p = {.pkey = issuer->pkey, .alg = ALG_ES256, .now = instant_of_unix(KIT_NOW)};
    const struct sd_binding b = {V(KIT_NONCE), V(KIT_AUDIENCE), instant_of_unix(KIT_NOW), SPAN_SECONDS(120)};
    TRY(sd_jwt_split(text, mem, s, NULL));
    TRY(sd_jwt_verify(s, &p, mem, &claims, NULL));
    return sd_jwt_check_binding(s, claims, &b, mem, &payload, NULL);
}

Test(sd_jwt, key_binding_binds_key_request_time_and_disclosures)
{
    view cnf = kit_cnf(holder, mem);
    view payload = arena_printf(mem, "{%.*s,\"_sd\":[\"$0\",\"$1\"]}", VIEW_ARG(cnf));
    view whole = minted(payload.p, DISCLOSED("[\"s\",\"a\",1]", "[\"s\",\"b\",2]"));
    struct sd_jwt *s = arena_make(mem, struct sd_jwt);
    cr_assert_eq(sd_jwt_split(whole, mem, s, NULL), E_OK);
    view fewer = arena_printf(mem, "%.*s", (int)(whole.n - s->disclosures[1].n - 1), whole.p);
    const char *k = "kb+jwt", *n = KIT_NONCE, *a = KIT_AUDIENCE;
    cr_expect_eq(check(bound(whole, holder, k, n, a, KIT_NOW)), E_OK);
    cr_expect_eq(check(whole), E_KEY_BINDING_MISSING);
    cr_expect_eq(check(bound(whole, holder, "JWT", n, a, KIT_NOW)), E_CREDENTIAL_TYP);
    cr_expect_eq(check(bound(whole, stranger, k, n, a, KIT_NOW)), E_SIGNATURE_MISMATCH);
    cr_expect_eq(check(bound(whole, holder, k, "other", a, KIT_NOW)), E_PRESENTATION_NONCE);
    cr_expect_eq(check(bound(whole, holder, k, n, "gateway.example.tw", KIT_NOW)), E_PRESENTATION_AUDIENCE);
    cr_expect_eq(check(bound(whole, holder, k, n, a, KIT_NOW - 120)), E_OK);
    cr_expect_eq(check(bound(whole, holder, k, n, a, KIT_NOW - 121)), E_PRESENTATION_TIME);
    cr_expect_eq(check(bound(whole, holder, k, n, a, KIT_NOW + 121)), E_PRESENTATION_TIME);
    /* The holder signed over two disclosures, one arrives. */
    view kb = bound(whole, holder, k, n, a, KIT_NOW);
    view cut = arena_printf(mem, "%.*s%.*s", VIEW_ARG(fewer), (int)(kb.n - whole.n), kb.p + whole.n);
    cr_expect_eq(check(cut), E_PRESENTATION_DIGEST);
}

Test(sd_jwt, a_credential_bound_to_no_key_cannot_be_presented)
{
    const char *const payloads[] = {"{}", "{\"cnf\":{}}",
                                    "{\"cnf\":{\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}}"};
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        view text = bound(minted(payloads[i], NULL), holder, "kb+jwt", KIT_NONCE, KIT_AUDIENCE, KIT_NOW);
        cr_expect_eq(check(text), E_HOLDER_KEY, "%zu", i);
    }
}

/* Every character of a whole presentation, one at a time. */
Test(sd_jwt, no_changed_character_is_accepted)
{
    view cnf = kit_cnf(holder, mem);
    view payload = arena_printf(mem, "{%.*s,\"_sd\":[\"$0\"]}", VIEW_ARG(cnf));
    view text = bound(minted(payload.p, DISCLOSED("[\"s\",\"a\",1]")), holder, "kb+jwt", KIT_NONCE,
                      KIT_AUDIENCE, KIT_NOW);
    char *copy = arena_cstr(mem, text);
    cr_assert_eq(check(text), E_OK);
    for (size_t i = 0; i < text.n; i++) {
        char was = copy[i];
        arena *outer = mem;
        copy[i] = was == 'A' ? 'B' : 'A';
        mem = arena_new(MIB);
        cr_expect_neq(check(view_make(copy, text.n)), E_OK, "character %zu", i);
        arena_free(mem);
        mem = outer;
        copy[i] = was;
    }
}
