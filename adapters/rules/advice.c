#include "adapters/rules/advice.h"

#include "base/buf.h"
#include "base/json.h"

#define ITEMS_MAX 64
#define GRADES_MAX 15
#define HEIRS_MAX 32
#define AMOUNT_MAX INT64_C(1000000000000)

static err
bad(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_SCHEMA, where, expected, "something else");
}

static err
only_members(const json_t *object, const char *const *known, const char *where, struct fault *f)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return bad(f, where, "an object");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (!known[i])
            return bad(f, where, "members of the schema only");
    }
    return E_OK;
}

/* A whole amount that is not negative; absent is 0. */
static err
amount_get(const json_t *object, const char *name, int64_t *ret, struct fault *f)
{
    *ret = json_int(object, name, json_member(object, name) ? -1 : 0);
    return *ret >= 0 && *ret <= AMOUNT_MAX ? E_OK : bad(f, name, "a whole amount of NT$, not negative");
}

static void
print_rule(struct buf *out, enum motor_rule rule, enum lang lang)
{
    const struct motor_rule_row *row = motor_rule_row(rule);
    if (!row)
        return;
    buf_printf(out, ",\"rule\":{\"number\":\"%s\",\"article\":", row->number);
    buf_add_json(out, view_of(row->article));
    buf_printf(out, ",\"since\":\"%04d-%02d-%02d\",\"text\":", row->since / 10000, row->since / 100 % 100,
               row->since % 100);
    buf_add_json(out, view_of(row->text[lang]));
    BUF_LIT(out, "}");
}

/* ---- who answers ---- */

static err
person_read(const json_t *p, struct motor_person *ret, struct fault *f)
{
    static const char *const known[] = {"place", "vehicle", "intent_or_crime", NULL};
    static const char *const places[] = {"driver", "passenger", "outside"};
    size_t i = 0;
    TRY(only_members(p, known, "/person", f));
    while (i < COUNT_OF(places) && !view_eq(json_text(p, "place"), view_of(places[i])))
        i++;
    int64_t vehicle = json_int(p, "vehicle", 0);
    if (i == COUNT_OF(places) || vehicle < 0)
        return bad(f, "/person", "driver, passenger or outside, and the own vehicle's index");
    *ret =
        (struct motor_person){(enum motor_place)i, (size_t)vehicle, json_bool(p, "intent_or_crime", false)};
    return E_OK;
}

static err
answers_print(const json_t *asked, enum lang lang, struct buf *out, struct fault *f)
{
    const json_t *list = json_member(asked, "vehicles");
    enum motor_cover covers[MOTOR_VEHICLES_MAX];
    size_t n = json_array_size(list);
    struct motor_person person;
    struct motor_targets t;
    if (n == 0 || n > MOTOR_VEHICLES_MAX)
        return bad(f, "/vehicles", "1 to 16");
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        covers[i] = motor_cover_of(view_of(word));
        if (covers[i] == MOTOR_COVERS)
            return bad(f, "/vehicles", "insured, uninsured, exempt, unauthorised_use or unidentified");
    }
    TRY(person_read(json_member(asked, "person"), &person, f));
    if (motor_who_answers(covers, n, &person, &t, NULL) != E_OK)
        return bad(f, "/person/vehicle", "a vehicle of the accident");
    buf_printf(out, "\"answers\":{\"kind\":\"%s\",\"vehicles\":[", t.kind);
    for (size_t i = 0; i < t.n; i++)
        buf_printf(out, "%s%zu", i ? "," : "", t.vehicles[i]);
    buf_printf(out, "],\"fund\":%s,\"joint\":%s", t.fund ? "true" : "false", t.joint ? "true" : "false");
    print_rule(out, t.rule, lang);
    BUF_LIT(out, "}");
    return E_OK;
}

/* ---- what counts ---- */

static err
items_print(const json_t *asked, date on, enum lang lang, struct buf *out, int64_t *ret_sum, struct fault *f)
{
    static const char *const known[] = {"category", "stated", "units", NULL};
    const json_t *list = json_member(asked, "items");
    *ret_sum = 0;
    if (json_array_size(list) > ITEMS_MAX)
        return bad(f, "/items", "at most 64");
    BUF_LIT(out, ",\"items\":[");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        int64_t stated, units;
        enum motor_rule rule;
        TRY(only_members(one, known, "/items", f));
        TRY(amount_get(one, "stated", &stated, f));
        TRY(amount_get(one, "units", &units, f));
        if (!json_text(one, "category").n)
            return bad(f, "/items", "a category");
        int64_t eligible = motor_item_eligible(json_text(one, "category"), stated, units, on, &rule);
        *ret_sum += eligible;
        buf_printf(out, "%s{\"category\":", i ? "," : "");
        buf_add_json(out, json_text(one, "category"));
        buf_printf(out, ",\"stated\":%lld,\"eligible\":%lld", (long long)stated, (long long)eligible);
        print_rule(out, rule, lang);
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static err
disability_print(const json_t *asked, date on, enum lang lang, struct buf *out, int64_t *ret_amount,
                 struct fault *f)
{
    const json_t *list = json_member(asked, "disabilities");
    int64_t grades[GRADES_MAX];
    size_t n = json_array_size(list);
    struct motor_combined combined;
    *ret_amount = 0;
    if (n == 0)
        return E_OK;
    if (n > GRADES_MAX)
        return bad(f, "/disabilities", "at most 15 grades");
    for (size_t i = 0; i < n; i++)
        grades[i] = json_is_integer(json_array_get(list, i))
                        ? (int64_t)json_integer_value(json_array_get(list, i))
                        : 0;
    TRY(motor_disability(grades, n, on, &combined, f));
    *ret_amount = combined.amount;
    buf_printf(out, ",\"disability\":{\"grade\":%lld,\"amount\":%lld", (long long)combined.grade,
               (long long)combined.amount);
    print_rule(out, combined.rule, lang);
    BUF_LIT(out, "}");
    return E_OK;
}

static err
fit_print(const json_t *asked, const struct motor_heads *heads, date on, enum lang lang, struct buf *out,
          struct fault *f)
{
    static const char *const known[] = {"medical", "disability", "death", NULL};
    const json_t *before = json_member(asked, "paid_before");
    struct motor_heads paid = {0};
    int64_t nhi = 0;
    enum motor_rule rule;
    if (before) {
        TRY(only_members(before, known, "/paid_before", f));
        TRY(amount_get(before, "medical", &paid.medical, f));
        TRY(amount_get(before, "disability", &paid.disability, f));
        TRY(amount_get(before, "death", &paid.death, f));
    }
    TRY(amount_get(asked, "nhi_asked", &nhi, f));
    struct motor_heads fit = motor_fit(&paid, heads, on, &rule);
    buf_printf(out, ",\"fits\":{\"medical\":%lld,\"disability\":%lld,\"death\":%lld", (long long)fit.medical,
               (long long)fit.disability, (long long)fit.death);
    print_rule(out, rule, lang);
    int64_t headroom = motor_nhi_headroom(paid.medical + fit.medical, AMOUNT_MAX,
                                          json_bool(asked, "nhi_taken", false), false, on);
    buf_printf(out, "},\"nhi\":{\"headroom\":%lld,\"eligible\":%lld", (long long)headroom,
               (long long)(nhi < headroom ? nhi : headroom));
    print_rule(out, MOTOR_RULE_NHI_HEADROOM, lang);
    BUF_LIT(out, "}");
    return E_OK;
}

static err
heirs_print(const json_t *asked, int64_t amount, enum lang lang, struct buf *out, struct fault *f)
{
    const json_t *list = json_member(asked, "heirs");
    enum motor_heir heirs[HEIRS_MAX];
    int64_t shares[HEIRS_MAX];
    size_t n = json_array_size(list);
    if (!list)
        return E_OK;
    if (n > HEIRS_MAX)
        return bad(f, "/heirs", "at most 32");
    for (size_t i = 0; i < n; i++) {
        heirs[i] = motor_heir_of(view_of(json_string_value(json_array_get(list, i))));
        if (heirs[i] == MOTOR_HEIR_KINDS)
            return bad(f, "/heirs", "parent, child, spouse, grandparent, grandchild or sibling");
    }
    size_t sharing = motor_heirs(heirs, n, amount, shares);
    BUF_LIT(out, ",\"heirs\":{\"shares\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)shares[i]);
    BUF_LIT(out, "]");
    print_rule(out, sharing ? MOTOR_RULE_HEIRS : MOTOR_RULE_FUNERAL, lang);
    BUF_LIT(out, "}");
    return E_OK;
}

static err
advice_print(const json_t *asked, enum lang lang, struct buf *out, struct fault *f)
{
    char day[16];
    date on;
    struct motor_heads heads = {0};
    if (date_parse(json_text(asked, "accident_on"), &on) != E_OK || on.precision != DATE_DAY)
        return bad(f, "/accident_on", "a day, YYYY-MM-DD");
    buf_printf(out, "{\"accident_on\":\"%.*s\",", VIEW_ARG(date_print(on, day)));
    TRY(answers_print(asked, lang, out, f));
    TRY(items_print(asked, on, lang, out, &heads.medical, f));
    TRY(disability_print(asked, on, lang, out, &heads.disability, f));
    heads.death = json_bool(asked, "died", false) ? cali_limit_of(CALI_LIMIT_death, on) : 0;
    TRY(fit_print(asked, &heads, on, lang, out, f));
    TRY(heirs_print(asked, heads.death, lang, out, f));
    BUF_LIT(out, "}");
    return E_OK;
}

err
motor_advice(view json, enum lang lang, arena *mem, view *ret_json, struct fault *f)
{
    static const char *const known[] = {"accident_on",  "vehicles",  "person",      "items",
                                        "disabilities", "died",      "paid_before", "heirs",
                                        "nhi_asked",    "nhi_taken", NULL};
    struct buf out AUTO_DONE(buf_done);
    json_t *asked = NULL;
    buf_init(&out, 1u << 18);
    TRY(json_load(json, mem, &asked, f));
    TRY(only_members(asked, known, "", f));
    TRY(advice_print(asked, lang, &out, f));
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
