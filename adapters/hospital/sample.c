#include "adapters/hospital/sample.h"

#include "adapters/hospital/inside.h"
#include "base/digest.h"
#include "base/text.h"

#include <stdio.h>

#define DOCUMENT_CEILING (1u << 20)
#define TWCORE "https://twcore.mohw.gov.tw/ig/twcore/"

/* A document in the making: entries with urn:uuid addresses that follow from the seed. */
struct writer {
    const struct sample_stay *s;
    const char *what, *suffix;
    struct buf out;
};

static void
put(struct writer *w, const char *text)
{
    buf_add_view(&w->out, view_of(text));
}

/* "urn:uuid:…" for a role in this document. */
static void
urn(struct writer *w, const char *role)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%llu/%s/%s/%s", (unsigned long long)w->s->seed, w->what, w->suffix,
                     role);
    digest d = sha256(view_make(text, (size_t)n));
    d.b[6] = (uint8_t)(0x40 | (d.b[6] & 0x0F));
    d.b[8] = (uint8_t)(0x80 | (d.b[8] & 0x3F));
    static const int groups[] = {4, 2, 2, 2, 6};
    size_t at = 0;
    put(w, "urn:uuid:");
    for (size_t g = 0; g < COUNT_OF(groups); g++) {
        if (g)
            put(w, "-");
        buf_add_hex(&w->out, view_make(d.b + at, (size_t)groups[g]));
        at += (size_t)groups[g];
    }
}

static void
reference(struct writer *w, const char *role)
{
    put(w, "{\"reference\":\"");
    urn(w, role);
    put(w, "\"}");
}

static void
begin_entry(struct writer *w, const char *role, const char *type, const char *profile)
{
    if (w->out.p[w->out.n - 1] != '[')
        put(w, ",");
    put(w, "{\"fullUrl\":\"");
    urn(w, role);
    buf_printf(&w->out, "\",\"resource\":{\"resourceType\":\"%s\"", type);
    if (profile)
        buf_printf(&w->out, ",\"meta\":{\"profile\":[\"%s\"]}", profile);
}

static void
end_entry(struct writer *w)
{
    put(w, "}}");
}

static view
day(date d, char out[16])
{
    return date_print(d, out);
}

view
sample_identifier(const struct sample_stay *s, const char *what, const char *suffix, arena *mem)
{
    /* A random part in a real sender's identifier keeps anybody from guessing it; here it follows from the seed. */
    char text[160];
    int n = snprintf(text, sizeof text, "%llu/%s/%s/identifier", (unsigned long long)s->seed, what, suffix);
    digest d = sha256(view_make(text, (size_t)n));
    return arena_printf(mem, "%s-%s-%.*s", what, suffix, VIEW_ARG(text_hex(mem, view_make(d.b, 12))));
}

static void
begin_bundle(struct writer *w, arena *mem)
{
    char to[16];
    buf_printf(&w->out,
               "{\"resourceType\":\"Bundle\",\"meta\":{\"profile\":[\"" CG
               "StructureDefinition/claim-document\",\"" TWCORE
               "StructureDefinition/Bundle-document-twcore\"]},\"identifier\":{\"system\":\"https://"
               "%s.example.tw/documents\",\"value\":\"%.*s\"},"
               "\"type\":\"document\",\"timestamp\":\"%.*sT17:30:00+08:00\",\"entry\":[",
               w->s->hospital->signer, VIEW_ARG(sample_identifier(w->s, w->what, w->suffix, mem)),
               VIEW_ARG(day(w->s->to, to)));
}

/* -- resources -- */

static void
put_patient(struct writer *w)
{
    const struct sample_person *p = w->s->person;
    const char *type = strstr(p->id_system, "immigration") ? "PRC" : "NNxxx";
    begin_entry(w, "patient", "Patient", CG "StructureDefinition/claim-patient");
    buf_printf(&w->out,
               ",\"identifier\":[{\"use\":\"official\",\"type\":{\"coding\":[{\"system\":\"http://"
               "terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"%s\"}]},"
               "\"system\":\"%s\",\"value\":\"%s\"},{\"type\":{\"coding\":[{\"system\":\"http://"
               "terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"MR\"}]},"
               "\"system\":\"https://%s.example.tw/patients\",\"value\":\"MR%06llu\"}],",
               type, p->id_system, p->id, w->s->hospital->signer, (unsigned long long)(w->s->seed % 1000000));
    buf_printf(&w->out,
               "\"name\":[{\"use\":\"usual\",\"text\":\"%s\",\"family\":\"%s\"}],\"telecom\":[{\"system\":"
               "\"phone\",\"value\":\"0900-000-%03llu\",\"use\":\"mobile\"}],"
               "\"gender\":\"%s\",\"birthDate\":\"%s\",\"address\":[{\"use\":\"home\",\"text\":"
               "\"沙箱市模擬區測試路%llu號\",\"country\":\"TW\"}]",
               p->name, p->family, (unsigned long long)(w->s->seed % 1000), p->gender, p->birth,
               (unsigned long long)(w->s->seed % 300 + 1));
    end_entry(w);
}

static void
put_organisation(struct writer *w)
{
    begin_entry(w, "hospital", "Organization", CG "StructureDefinition/claim-organization");
    buf_printf(
        &w->out,
        ",\"identifier\":[{\"use\":\"official\",\"type\":{\"coding\":[{\"system\":\"http://"
        "terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PRN\"}]},"
        "\"system\":\"" SYSTEM_HOSPITAL_CODE "\",\"value\":\"%s\"}],\"type\":[{\"coding\":[{\"system\":"
        "\"http://terminology.hl7.org/CodeSystem/organization-type\",\"code\":\"prov\"}]}],\"name\":\"%s\"",
        w->s->hospital->code, w->s->hospital->name);
    end_entry(w);
}

static void
put_practitioner(struct writer *w)
{
    begin_entry(w, "doctor", "Practitioner", NULL);
    buf_printf(&w->out,
               ",\"identifier\":[{\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
               "v2-0203\",\"code\":\"MD\"}]},"
               "\"system\":\"https://dep.mohw.gov.tw/"
               "DOMA\",\"value\":\"%s\"}],\"name\":[{\"use\":\"official\",\"text\":\"%s\"}]",
               w->s->hospital->licence, w->s->hospital->doctor_name);
    end_entry(w);
}

static void
put_encounter(struct writer *w)
{
    const struct sample_stay *s = w->s;
    char from[16], to[16];
    bool inpatient = date_days(s->to) > date_days(s->from);
    begin_entry(w, "encounter", "Encounter", CG "StructureDefinition/claim-encounter");
    buf_printf(&w->out,
               ",\"extension\":[{\"url\":\"" EXT_NHI_IDENTITY
               "\",\"valueCode\":\"yes\"}],\"identifier\":[{\"system\":\"https://%s.example.tw/"
               "visits\",\"value\":\"%s\"}],"
               "\"status\":\"finished\",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/"
               "v3-ActCode\",\"code\":\"%s\"},\"serviceType\":{\"coding\":"
               "[{\"system\":\"" TWCORE "CodeSystem/"
               "medical-consultation-department-nhi-tw\",\"code\":\"%s\",\"display\":\"%s\"}]},\"subject\":",
               s->hospital->signer, s->visit_no, inpatient ? "IMP" : "AMB", inpatient ? "03" : "02",
               inpatient ? "外科" : "內科");
    reference(w, "patient");
    buf_printf(&w->out, ",\"period\":{\"start\":\"%.*sT09:10:00+08:00\",\"end\":\"%.*sT16:00:00+08:00\"}",
               VIEW_ARG(day(s->from, from)), VIEW_ARG(day(s->to, to)));
    if (inpatient) {
        buf_printf(
            &w->out,
            ",\"length\":{\"value\":%d,\"unit\":\"d\",\"system\":\"http://"
            "unitsofmeasure.org\",\"code\":\"d\"},\"location\":[{\"extension\":[{\"url\":\"" EXT_SEGMENT
            "\",\"valueCode\":\"general\"}],\"location\":{\"display\":\"一般病房\"},\"period\":{\"start\":\"%"
            ".*sT09:10:00+08:00\",\"end\":\"%.*sT16:00:00+08:00\"}}]",
            date_days(s->to) - date_days(s->from) + 1, VIEW_ARG(day(s->from, from)),
            VIEW_ARG(day(s->to, to)));
    }
    put(w, ",\"serviceProvider\":");
    reference(w, "hospital");
    end_entry(w);
}

static void
put_condition(struct writer *w)
{
    const struct sample_stay *s = w->s;
    char from[16];
    begin_entry(w, "diagnosis", "Condition", CG "StructureDefinition/claim-condition");
    buf_printf(&w->out,
               ",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
               "condition-clinical\",\"code\":\"active\"}]},"
               "\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
               "condition-category\",\"code\":\"encounter-diagnosis\"}]}],"
               "\"code\":{\"coding\":[{\"system\":\"" TWCORE
               "CodeSystem/icd-10-cm-2023-tw\",\"code\":\"%s\"}],\"text\":\"%s\"},\"subject\":",
               s->diagnosis_code, s->diagnosis);
    reference(w, "patient");
    put(w, ",\"encounter\":");
    reference(w, "encounter");
    buf_printf(&w->out, ",\"onsetDateTime\":\"%.*s\",\"note\":[{\"text\":\"%s\"}]",
               VIEW_ARG(day(s->from, from)), s->advice);
    end_entry(w);
}

static void
put_procedure(struct writer *w)
{
    const struct sample_stay *s = w->s;
    char on[16];
    if (!*s->surgery)
        return;
    begin_entry(w, "procedure", "Procedure", NULL);
    buf_printf(&w->out,
               ",\"status\":\"completed\",\"code\":{\"coding\":[{\"system\":\"" TWCORE
               "CodeSystem/icd-10-pcs-2023-tw\",\"code\":\"%s\"}],\"text\":\"%s\"},\"subject\":",
               s->surgery_code, s->surgery);
    reference(w, "patient");
    put(w, ",\"encounter\":");
    reference(w, "encounter");
    buf_printf(&w->out, ",\"performedDateTime\":\"%.*sT13:00:00+08:00\"", VIEW_ARG(day(s->from, on)));
    end_entry(w);
}

static void
put_composition(struct writer *w, const char *kind, const char *title, const char *profile, const char *work,
                const char *replaces, const char *const *sections)
{
    const struct sample_stay *s = w->s;
    char to[16];
    begin_entry(w, "composition", "Composition", profile);
    buf_printf(&w->out,
               ",\"language\":\"zh-TW\",\"identifier\":{\"system\":\"https://%s.example.tw/"
               "works\",\"value\":\"%s\"},\"status\":\"final\",\"type\":{\"coding\":[{\"system\":"
               "\"" SYSTEM_DOCUMENT_KIND "\",\"code\":\"%s\"}],\"text\":\"%s\"},\"subject\":",
               s->hospital->signer, work, kind, title);
    reference(w, "patient");
    put(w, ",\"encounter\":");
    reference(w, "encounter");
    buf_printf(&w->out, ",\"date\":\"%.*sT17:20:00+08:00\",\"author\":[", VIEW_ARG(day(s->to, to)));
    reference(w, "doctor");
    buf_printf(
        &w->out,
        "],\"title\":\"%s\",\"attester\":[{\"mode\":\"legal\",\"time\":\"%.*sT17:25:00+08:00\",\"party\":",
        title, VIEW_ARG(day(s->to, to)));
    reference(w, "doctor");
    put(w, "}],\"custodian\":");
    reference(w, "hospital");
    if (replaces)
        buf_printf(&w->out,
                   ",\"relatesTo\":[{\"code\":\"replaces\",\"targetIdentifier\":{\"system\":\"https://"
                   "%s.example.tw/documents\",\"value\":\"%s\"}}]",
                   s->hospital->signer, replaces);
    put(w, ",\"section\":[{\"title\":\"內容\",\"entry\":[");
    for (; *sections; sections++) {
        if (w->out.p[w->out.n - 1] != '[')
            put(w, ",");
        reference(w, *sections);
    }
    put(w, "]}]");
    end_entry(w);
}

static err
finish(struct writer *w, arena *mem, view *ret)
{
    put(w, "]}");
    *ret = w->out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&w->out));
    buf_done(&w->out);
    return ret->p ? E_OK : E_TOO_LARGE;
}

static struct writer
writer_new(const struct sample_stay *s, const char *what, const char *suffix, arena *mem)
{
    struct writer w = {.s = s, .what = what, .suffix = suffix};
    buf_init(&w.out, DOCUMENT_CEILING);
    begin_bundle(&w, mem);
    return w;
}

/* -- documents -- */

err
sample_certificate(const struct sample_stay *s, const char *suffix, arena *mem, view *ret)
{
    static const char *const plain[] = {"diagnosis", NULL}, *const surgery[] = {"diagnosis", "procedure",
                                                                                NULL};
    struct writer w = writer_new(s, "certificate", suffix, mem);
    put_composition(&w, s->category, "診斷證明書", CG "StructureDefinition/diagnosis-certificate",
                    s->certificate_no, NULL, *s->surgery ? surgery : plain);
    put_patient(&w);
    put_organisation(&w);
    put_practitioner(&w);
    put_encounter(&w);
    put_condition(&w);
    put_procedure(&w);
    return finish(&w, mem, ret);
}

#define ITEMS_MAX 8

static void
put_grade(struct writer *w, const char *role, const struct sample_grade *g, const char *fixed_on)
{
    begin_entry(w, role, "Observation", CG "StructureDefinition/disability-item");
    buf_printf(&w->out,
               ",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"" SYSTEM_DISABILITY_ITEM
               "\",\"code\":\"%.*s-%d\"}],\"text\":\"失能項目（樣本，第%d等級）\"},\"subject\":",
               VIEW_ARG(g->scale), g->grade, g->grade);
    reference(w, "patient");
    buf_printf(&w->out,
               ",\"effectiveDateTime\":\"%s\",\"valueInteger\":%d,\"method\":{\"coding\":[{\"system\":"
               "\"" SYSTEM_DISABILITY_SCALE "\",\"code\":\"%.*s\"}]}",
               fixed_on, g->grade, VIEW_ARG(g->scale));
    end_entry(w);
}

err
sample_disability(const struct sample_stay *s, const struct sample_grade *grades, size_t n,
                  const char *fixed_on, const char *suffix, arena *mem, view *ret)
{
    static const char *const items[ITEMS_MAX] = {"item-1", "item-2", "item-3", "item-4",
                                                 "item-5", "item-6", "item-7", "item-8"};
    const char *sections[ITEMS_MAX + 2] = {"diagnosis"};
    char to[16];
    if (n > ITEMS_MAX)
        return E_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        sections[i + 1] = items[i];
    struct writer w = writer_new(s, "disability", suffix, mem);
    const char *work = arena_cstr(mem, arena_printf(mem, "%s-D", s->certificate_no));
    put_composition(&w, "certificate-disability", "失能診斷書",
                    CG "StructureDefinition/diagnosis-certificate", work, NULL, sections);
    put_patient(&w);
    put_organisation(&w);
    put_practitioner(&w);
    put_encounter(&w);
    put_condition(&w);
    for (size_t i = 0; i < n; i++)
        put_grade(&w, items[i], &grades[i], fixed_on ? fixed_on : arena_cstr(mem, day(s->to, to)));
    return finish(&w, mem, ret);
}

static void
put_amount(struct writer *w, int64_t amount)
{
    buf_printf(&w->out, "{\"value\":%lld,\"currency\":\"TWD\"}", (long long)amount);
}

static void
put_line(struct writer *w, const struct sample_line *l, size_t number)
{
    buf_printf(&w->out,
               "%s{\"sequence\":%zu,\"chargeItemCodeableConcept\":{\"coding\":[{\"system\":"
               "\"" SYSTEM_RECEIPT_CATEGORY "\",\"code\":\"%s\"}",
               number > 1 ? "," : "", number, l->category);
    if (l->policy)
        buf_printf(&w->out, ",{\"system\":\"" SYSTEM_POLICY_CATEGORY "\",\"code\":\"%s\"}", l->policy);
    if (l->fee_code)
        buf_printf(&w->out,
                   ",{\"system\":\"" TWCORE "CodeSystem/medical-service-payment-tw\",\"code\":\"%s\"}",
                   l->fee_code);
    buf_printf(&w->out, "],\"text\":\"%s\"},\"priceComponent\":[{", l->text);
    if (l->points)
        buf_printf(&w->out,
                   "\"extension\":[{\"url\":\"" EXT_NHI_POINTS
                   "\",\"valueDecimal\":%lld}],\"type\":\"informational\"",
                   (long long)l->points);
    else
        put(w, "\"type\":\"base\"");
    buf_printf(&w->out, ",\"code\":{\"coding\":[{\"system\":\"" SYSTEM_PAYER "\",\"code\":\"%s\"}]}",
               l->payer);
    if (l->amount) {
        put(w, ",\"amount\":");
        put_amount(w, l->amount);
    }
    put(w, "}]}");
}

static void
put_total(struct writer *w, const char *type, const char *code, int64_t amount)
{
    buf_printf(&w->out,
               "%s{\"type\":\"%s\",\"code\":{\"coding\":[{\"system\":\"" SYSTEM_RECEIPT_TOTAL
               "\",\"code\":\"%s\"}]},\"amount\":",
               w->out.p[w->out.n - 1] == '[' ? "" : ",", type, code);
    put_amount(w, amount);
    put(w, "}");
}

static void
put_invoice(struct writer *w, const struct sample_line *lines, size_t n, int64_t refund)
{
    const struct sample_stay *s = w->s;
    int64_t copay = 0, self = 0, points = 0;
    char to[16];
    begin_entry(w, "invoice", "Invoice", CG "StructureDefinition/medical-invoice");
    buf_printf(&w->out,
               ",\"identifier\":[{\"system\":\"https://%s.example.tw/"
               "receipts\",\"value\":\"%s\"}],\"status\":\"issued\",\"type\":{\"text\":\"醫療費用收據\"},"
               "\"subject\":",
               s->hospital->signer, s->receipt_no);
    reference(w, "patient");
    buf_printf(&w->out, ",\"date\":\"%.*sT16:30:00+08:00\",\"issuer\":", VIEW_ARG(day(s->to, to)));
    reference(w, "hospital");
    put(w, ",\"lineItem\":[");
    for (size_t i = 0; i < n; i++) {
        put_line(w, &lines[i], i + 1);
        points += lines[i].points;
        copay += strcmp(lines[i].payer, "copay") == 0 ? lines[i].amount : 0;
        self += strcmp(lines[i].payer, "self") == 0 ? lines[i].amount : 0;
    }
    put(w, "],\"totalPriceComponent\":[");
    if (points)
        buf_printf(&w->out,
                   "{\"extension\":[{\"url\":\"" EXT_NHI_POINTS
                   "\",\"valueDecimal\":%lld}],\"type\":\"informational\",\"code\":{\"coding\":[{\"system\":"
                   "\"" SYSTEM_RECEIPT_TOTAL "\",\"code\":\"nhi_points\"}]}}",
                   (long long)points);
    put_total(w, "base", "copay", copay);
    put_total(w, "base", "self_pay", self);
    put_total(w, "base", "paid", copay + self);
    if (refund)
        put_total(w, "deduction", "refund", refund);
    put(w, "],\"totalNet\":");
    put_amount(w, copay + self);
    put(w, ",\"totalGross\":");
    put_amount(w, copay + self);
    end_entry(w);
}

err
sample_receipt(const struct sample_stay *s, const struct sample_line *lines, size_t n, int64_t refund,
               const char *suffix, const char *replaces, arena *mem, view *ret)
{
    static const char *const sections[] = {"invoice", NULL};
    struct writer w = writer_new(s, "receipt", suffix, mem);
    put_composition(&w, "receipt", "醫療費用收據", CG "StructureDefinition/receipt-document", s->receipt_no,
                    replaces, sections);
    put_patient(&w);
    put_organisation(&w);
    put_practitioner(&w);
    put_encounter(&w);
    put_invoice(&w, lines, n, refund);
    return finish(&w, mem, ret);
}

err
sample_report(const struct sample_stay *s, const char *suffix, arena *mem, view *ret)
{
    static const char *const sections[] = {"report", NULL};
    char on[16];
    struct writer w = writer_new(s, "report", suffix, mem);
    put_composition(&w, "report", "病理檢查報告", CG "StructureDefinition/report-document", s->certificate_no,
                    NULL, sections);
    put_patient(&w);
    put_organisation(&w);
    put_practitioner(&w);
    put_encounter(&w);
    begin_entry(&w, "report", "DiagnosticReport", NULL);
    put(&w, ",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
            "CodeSystem/v2-0074\",\"code\":\"PAT\"}]}],"
            "\"code\":{\"coding\":[{\"system\":\"http://"
            "loinc.org\",\"code\":\"60568-3\"}],\"text\":\"病理報告\"},\"subject\":");
    reference(&w, "patient");
    buf_printf(
        &w.out,
        ",\"effectiveDateTime\":\"%.*sT10:00:00+08:00\",\"issued\":\"%.*sT15:00:00+08:00\",\"result\":[",
        VIEW_ARG(day(s->to, on)), VIEW_ARG(day(s->to, on)));
    reference(&w, "finding");
    buf_printf(&w.out, "],\"conclusion\":\"%s，侵襲性。\"", s->diagnosis);
    end_entry(&w);
    begin_entry(&w, "finding", "Observation", NULL);
    put(&w, ",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://"
            "loinc.org\",\"code\":\"22637-3\"}],\"text\":\"病理診斷\"},\"subject\":");
    reference(&w, "patient");
    buf_printf(&w.out, ",\"valueString\":\"%s\"", s->diagnosis);
    end_entry(&w);
    return finish(&w, mem, ret);
}

err
sample_to_xml(view json, arena *mem, view *ret)
{
    struct tree t;
    struct buf out;
    TRY(tree_read_json(json, NULL, mem, &t, NULL));
    buf_init(&out, DOCUMENT_CEILING);
    err e = fhir_write_xml(&t, tree_root(&t), &out);
    *ret = e == E_OK && !out.failed ? arena_dup(mem, buf_view(&out)) : VIEW_NONE;
    buf_done(&out);
    return e != E_OK ? e : ret->p ? E_OK : E_TOO_LARGE;
}

/* -- a set -- */

static const struct sample_line outpatient_lines[] = {
    {"consult", NULL, "診察費", "nhi", "00109C", 0, 320},
    {"drug", NULL, "藥費", "nhi", NULL, 0, 260},
    {"consult", NULL, "門診部分負擔", "copay", NULL, 240, 0},
    {"other_non_medical", "registration_certificate", "掛號費", "self", NULL, 150, 0},
};
static const struct sample_line inpatient_lines[] = {
    {"ward", NULL, "病房費", "nhi", NULL, 0, 6480},
    {"surgery", NULL, "手術費", "nhi", NULL, 0, 12870},
    {"ward", "room_difference", "病房費差額", "self", NULL, 15000, 0},
    {"other_non_medical", "meals", "膳食費", "self", NULL, 900, 0},
    {"drug", "prescribed_drug", "自費藥品", "self", NULL, 4000, 0},
    {"material", "excess_over_nhi", "自費特殊材料", "self", NULL, 28000, 0},
    {"ward", NULL, "住院部分負擔", "copay", NULL, 7600, 0},
    {"other_non_medical", "registration_certificate", "掛號費", "self", NULL, 100, 0},
    {"other_non_medical", "registration_certificate", "證明書費", "self", NULL, 600, 0},
};

static err
add(struct sample_document *ret, size_t *n, const char *name, view body, const char *signer, bool cms)
{
    ret[*n] = (struct sample_document){name, body, view_starts(body, V("<")), signer, cms};
    *n += 1;
    return body.p ? E_OK : E_TOO_LARGE;
}

static err
receipts(const struct sample_stay *s, arena *mem, struct sample_document *ret, size_t *n)
{
    bool inpatient = date_days(s->to) > date_days(s->from);
    const struct sample_line *lines = inpatient ? inpatient_lines : outpatient_lines;
    size_t n_lines = inpatient ? COUNT_OF(inpatient_lines) : COUNT_OF(outpatient_lines);
    view body;
    bool cms = s->seed % 2 == 0;
    TRY(sample_receipt(s, lines, n_lines, 0, "1", NULL, mem, &body));
    if (s->kind == SAMPLE_XML)
        TRY(sample_to_xml(body, mem, &body));
    TRY(add(ret, n, "receipt", body, s->hospital->signer, cms));
    if (s->kind != SAMPLE_CORRECTED && s->kind != SAMPLE_REFUNDED)
        return E_OK;
    view first = sample_identifier(s, "receipt", "1", mem);
    const char *replaces = arena_cstr(mem, first);
    /* A correction leaves out the certificate's fee, a refund says how much went back. */
    bool refunded = s->kind == SAMPLE_REFUNDED;
    TRY(sample_receipt(s, lines, refunded ? n_lines : n_lines - 1, refunded ? 3000 : 0, "2", replaces, mem,
                       &body));
    return add(ret, n, "receipt-2", body, s->hospital->signer, cms);
}

err
sample_documents(const struct sample_stay *s, arena *mem, struct sample_document ret[SAMPLE_DOCUMENTS_MAX],
                 size_t *ret_n)
{
    view body;
    size_t n = 0;
    if (s->kind == SAMPLE_ICLAIM) {
        TRY(sample_iclaim(s, mem, &body));
        TRY(add(ret, &n, "iclaim", body, s->hospital->signer, true));
        *ret_n = n;
        return E_OK;
    }
    TRY(sample_certificate(s, "1", mem, &body));
    if (s->kind == SAMPLE_XML)
        TRY(sample_to_xml(body, mem, &body));
    TRY(add(ret, &n, "certificate", body, s->hospital->doctor, false));
    TRY(receipts(s, mem, ret, &n));
    if (s->kind == SAMPLE_CANCER) {
        TRY(sample_report(s, "1", mem, &body));
        TRY(add(ret, &n, "report", body, s->hospital->doctor, false));
    }
    *ret_n = n;
    return E_OK;
}
