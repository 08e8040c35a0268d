#include "cli/demo/actor.h"

#define GRADES_MAX 8
#define CODE_SYSTEM "https://claimgate.tw/fhir/CodeSystem/"

/* -- the stay as the story tells it, the rest as the seed has it -- */

static const char *
or_else(const json_t *stay, const char *name, const char *other, arena *mem)
{
    view text = json_text(stay, name);
    const char *own = text.n ? arena_cstr(mem, text) : NULL;
    return own ? own : other;
}

static const struct sample_person *
person_of(view key)
{
    for (size_t i = 0; i < sample_people_count; i++)
        if (view_eq(view_of(sample_people[i].key), key))
            return &sample_people[i];
    return NULL;
}

static const struct sample_hospital *
hospital_of(view signer)
{
    for (size_t i = 0; i < sample_hospitals_count; i++)
        if (view_eq(view_of(sample_hospitals[i].signer), signer))
            return &sample_hospitals[i];
    return NULL;
}

static err
read_stay(const json_t *json, arena *mem, struct sample_stay *ret, struct fault *f)
{
    struct sample_stay s;
    TRY(sample_stay_make((uint64_t)json_int(json, "seed", 1), SAMPLE_TRAFFIC, mem, &s));
    s.person = person_of(json_text(json, "person"));
    s.hospital = hospital_of(json_text(json, "hospital"));
    if (!s.person || !s.hospital)
        return fault_set(f, E_USAGE, "/body", "a person and a hospital of the sandbox", "others");
    if (date_parse(json_text(json, "from"), &s.from) != E_OK ||
        date_parse(json_text(json, "to"), &s.to) != E_OK)
        return fault_set(f, E_USAGE, "/body", "from and to, days", "other text");
    s.visit_no = or_else(json, "visit_no", s.visit_no, mem);
    s.diagnosis_code = or_else(json, "diagnosis_code", s.diagnosis_code, mem);
    s.diagnosis = or_else(json, "diagnosis", s.diagnosis, mem);
    s.category = or_else(json, "category", s.category, mem);
    s.advice = or_else(json, "advice", s.advice, mem);
    *ret = s;
    return E_OK;
}

/* -- a receipt's lines, with the compulsory insurance's category, and sums that agree -- */

static view
word_at(const json_t *line, const char *name, view other)
{
    view text = json_text(line, name);
    return text.n ? text : other;
}

static void
put_coding(struct buf *out, const char *system, view code)
{
    buf_printf(out, "{\"system\":\"" CODE_SYSTEM "%s\",\"code\":", system);
    buf_add_json(out, code);
    BUF_LIT(out, "}");
}

static void
put_price(struct buf *out, const char *system, view code, int64_t amount, int64_t units)
{
    BUF_LIT(out, "{\"type\":\"base\",\"code\":{\"coding\":[");
    put_coding(out, system, code);
    BUF_LIT(out, "]},");
    if (units)
        buf_printf(out, "\"factor\":%lld,", (long long)units);
    buf_printf(out, "\"amount\":{\"value\":%lld,\"currency\":\"TWD\"}}", (long long)amount);
}

static void
put_line(struct buf *out, const json_t *line, size_t number)
{
    view cali = json_text(line, "cali");
    buf_printf(out, "%s{\"sequence\":%zu,\"chargeItemCodeableConcept\":{\"coding\":[", number > 1 ? "," : "",
               number);
    put_coding(out, "receipt-category", word_at(line, "nhi", V("other_non_medical")));
    if (cali.n) {
        BUF_LIT(out, ",");
        put_coding(out, "cali-category", cali);
    }
    BUF_LIT(out, "],\"text\":");
    buf_add_json(out, json_text(line, "text"));
    BUF_LIT(out, "},\"priceComponent\":[");
    put_price(out, "payer", word_at(line, "payer", V("self")), json_int(line, "amount", 0),
              json_int(line, "units", 0));
    BUF_LIT(out, "]}");
}

static void
put_totals(struct buf *out, int64_t copay, int64_t whole)
{
    const struct {
        view code;
        int64_t amount;
    } totals[] = {
        {V("copay"), copay}, {V("self_pay"), whole - copay}, {V("payable"), whole}, {V("paid"), whole}};
    BUF_LIT(out, "],\"totalPriceComponent\":[");
    for (size_t i = 0; i < COUNT_OF(totals); i++) {
        if (i)
            BUF_LIT(out, ",");
        put_price(out, "receipt-total", totals[i].code, totals[i].amount, 0);
    }
    buf_printf(out,
               "],\"totalNet\":{\"value\":%lld,\"currency\":\"TWD\"},\"totalGross\":{\"value\":%lld,"
               "\"currency\":\"TWD\"}}",
               (long long)whole, (long long)whole);
}

/* The members of an Invoice that lines make. */
static err
invoice_of(const json_t *lines, arena *mem, json_t **ret, struct fault *f)
{
    size_t i;
    json_t *line;
    int64_t copay = 0, whole = 0;
    struct buf out;
    buf_init(&out, 1u << 20);
    BUF_LIT(&out, "{\"lineItem\":[");
    json_array_foreach(lines, i, line)
    {
        int64_t amount = json_int(line, "amount", 0);
        whole += amount;
        copay += view_eq(json_text(line, "payer"), V("copay")) ? amount : 0;
        put_line(&out, line, i + 1);
    }
    put_totals(&out, copay, whole);
    err e = out.failed ? E_TOO_LARGE : json_load(buf_view(&out), mem, ret, f);
    buf_done(&out);
    return e;
}

/* What the story says otherwise: {"Composition":{"title":…}} */
static err
put_changes(json_t *bundle, const json_t *stay, arena *mem, struct fault *f)
{
    size_t i;
    json_t *entry, *invoice = NULL;
    const json_t *lines = json_member(stay, "lines");
    if (lines)
        TRY(invoice_of(lines, mem, &invoice, f));
    json_array_foreach(json_member(bundle, "entry"), i, entry)
    {
        json_t *resource = json_object_get(entry, "resource");
        const char *type = json_string_value(json_member(resource, "resourceType"));
        if (invoice && type && strcmp(type, "Invoice") == 0)
            json_object_update(resource, invoice);
        json_object_update(resource, (json_t *)(uintptr_t)json_member(json_member(stay, "set"), type));
    }
    return E_OK;
}

/* "grades":[{"scale":"cali15","grade":7}], "fixed_on": a day, else the day of discharge */
static err
disability(const json_t *stay, const struct sample_stay *s, const char *suffix, arena *mem, view *ret)
{
    struct sample_grade grades[GRADES_MAX];
    size_t i, n = 0;
    json_t *one;
    json_array_foreach(json_member(stay, "grades"), i, one)
    {
        if (n == GRADES_MAX)
            return E_TOO_LARGE;
        grades[n++] = (struct sample_grade){json_text(one, "scale"), (int)json_int(one, "grade", 0)};
    }
    return sample_disability(s, grades, n, or_else(stay, "fixed_on", NULL, mem), suffix, mem, ret);
}

err
actor_hospital_paper(const json_t *stay, view kind, arena *mem, view *ret, struct fault *f)
{
    static const struct sample_line none[] = {{"other_non_medical", NULL, "", "self", NULL, 1, 0}};
    struct sample_stay s;
    json_t *bundle = NULL;
    view text;
    TRY(read_stay(stay, mem, &s, f));
    const char *suffix = or_else(stay, "suffix", "1", mem);
    if (view_eq(kind, V("certificate")))
        TRY(sample_certificate(&s, suffix, mem, &text));
    else if (view_eq(kind, V("receipt")))
        TRY(sample_receipt(&s, none, COUNT_OF(none), 0, suffix, NULL, mem, &text));
    else if (view_eq(kind, V("disability")))
        TRY(disability(stay, &s, suffix, mem, &text));
    else
        TRY(sample_report(&s, suffix, mem, &text));
    TRY(json_load(text, mem, &bundle, f));
    TRY(put_changes(bundle, stay, mem, f));
    *ret = json_dump_arena(bundle, mem);
    return ret->p ? E_OK : E_TOO_LARGE;
}
