#include "adapters/hospital/sample.h"

#include "adapters/hospital/inside.h"

/* iClaim as its published guide has it: one document with a Claim for the receipt, addresses of the form Type/id, no currency on amounts, an offset that is not Taiwan's. */
static const char iclaim_template[] =
    "{\"resourceType\":\"Bundle\",\"meta\":{\"profile\":[\"" ICLAIM
    "StructureDefinition/bundle-iclaim\"]},\"identifier\":{\"system\":\"https://"
    "%s.example.tw\",\"value\":\"CASE%08llu\"},"
    "\"type\":\"document\",\"timestamp\":\"%.*sT17:30:00+08:00\",\"entry\":["
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Composition/"
    "c%llu\",\"resource\":{\"resourceType\":\"Composition\",\"id\":\"c%llu\",\"meta\":{\"profile\":[\"" ICLAIM
    "StructureDefinition/composition-iclaim\"]},\"identifier\":{\"system\":\"https://"
    "%s.example.tw\",\"value\":\"CASE%08llu\"},\"status\":\"final\",\"type\":{\"coding\":[{\"system\":\"http:"
    "//loinc.org\","
    "\"code\":\"64291-8\"}]},\"subject\":{\"reference\":\"Patient/"
    "p%llu\"},\"date\":\"%.*s\",\"author\":[{\"reference\":\"Organization/"
    "o%llu\"}],\"title\":\"理賠用收據-診斷證明-檢驗紀錄\","
    "\"section\":[{\"code\":{\"coding\":[{\"system\":\"http://"
    "loinc.org\",\"code\":\"64291-8\"}]},\"entry\":[{\"reference\":\"Claim/"
    "cl%llu\"},{\"reference\":\"Condition/d%llu\"},{\"reference\":\"Encounter/e%llu\"}]}]}},";

static const char iclaim_parts[] =
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Patient/"
    "p%llu\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p%llu\",\"identifier\":[{\"system\":\"%s\","
    "\"value\":\"%s\"}],\"name\":[{\"text\":\"%s\"}],"
    "\"gender\":\"%s\",\"birthDate\":\"%s\"}},"
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Organization/"
    "o%llu\",\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o%llu\",\"identifier\":[{\"system\":"
    "\"" SYSTEM_HOSPITAL_CODE "\",\"value\":\"%s\"}],\"name\":\"%s\"}},"
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Encounter/"
    "e%llu\",\"resource\":{\"resourceType\":\"Encounter\",\"id\":\"e%llu\",\"identifier\":[{\"system\":"
    "\"https://%s.example.tw\",\"value\":\"%s\"}],"
    "\"status\":\"finished\",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/"
    "v3-ActCode\",\"code\":\"AMB\"},\"subject\":{\"reference\":\"Patient/p%llu\"},"
    "\"period\":{\"start\":\"%.*sT01:00:00-05:00\",\"end\":\"%.*sT02:00:00-05:00\"}}},"
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Condition/"
    "d%llu\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"d%llu\",\"identifier\":[{\"value\":\"%s\"}"
    "],\"code\":{\"coding\":[{\"system\":\"https://"
    "twcore.mohw.gov.tw/ig/twcore/CodeSystem/"
    "icd-10-cm-2023-tw\",\"code\":\"%s\"}],\"text\":\"%s\"},\"subject\":{\"reference\":\"Patient/"
    "p%llu\"},\"note\":[{\"text\":\"%s\"}]}},";

static const char iclaim_money[] =
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Claim/"
    "cl%llu\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"cl%llu\",\"meta\":{\"profile\":[\"" ICLAIM
    "StructureDefinition/claim-iclaim\"]},\"identifier\":[{\"system\":\"https://"
    "%s.example.tw\",\"value\":\"%s\"}],\"status\":\"active\",\"type\":{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/"
    "claim-type\",\"code\":\"institutional\"}]},\"use\":\"claim\",\"patient\":{\"reference\":\"Patient/"
    "p%llu\"},\"created\":\"%.*s\",\"provider\":{\"reference\":"
    "\"Organization/"
    "o%llu\"},\"priority\":{\"coding\":[{\"code\":\"stat\"}]},\"insurance\":[{\"sequence\":1,\"focal\":true,"
    "\"coverage\":{\"reference\":\"Coverage/cv%llu\"}}],\"item\":["
    "{\"sequence\":1,\"productOrService\":{\"coding\":[{\"system\":\"" ICLAIM "CodeSystem/"
    "cathay-chargeitemcode-values\",\"code\":\"REGISTRATION\"}],\"text\":\"掛號費\"},\"modifier\":[{"
    "\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/"
    "coverage-selfpay\",\"code\":\"pay\"}]}],\"servicedDate\":\"%.*s\",\"net\":{\"value\":150}},"
    "{\"sequence\":2,\"productOrService\":{\"text\":\"診察費\"},\"modifier\":[{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"PUBLICPOL\"}]}],"
    "\"servicedDate\":\"%.*s\",\"net\":{\"value\":580}}],\"total\":{\"value\":150}}},"
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Coverage/"
    "cv%llu\",\"resource\":{\"resourceType\":\"Coverage\",\"id\":\"cv%llu\",\"status\":\"active\","
    "\"beneficiary\":{\"reference\":\"Patient/p%llu\"},\"payor\":"
    "[{\"reference\":\"Organization/i%llu\"}]}},"
    "{\"fullUrl\":\"https://%s.example.tw/fhir/Organization/"
    "i%llu\",\"resource\":{\"resourceType\":\"Organization\",\"id\":\"i%llu\",\"identifier\":[{\"system\":"
    "\"" SYSTEM_UBN "\",\"value\":\"99000220\"}],\"name\":\"沙箱第二人壽保險股份有限公司\"}}]}";

err
sample_iclaim(const struct sample_stay *s, arena *mem, view *ret)
{
    unsigned long long n = s->seed;
    const char *h = s->hospital->signer;
    char from[16], to[16];
    view f = date_print(s->from, from), t = date_print(s->to, to);
    struct buf out;
    buf_init(&out, 1u << 20);
    buf_printf(&out, iclaim_template, h, n, VIEW_ARG(t), h, n, n, h, n, n, VIEW_ARG(t), n, n, n, n);
    buf_printf(&out, iclaim_parts, h, n, n, s->person->id_system, s->person->id, s->person->name,
               s->person->gender, s->person->birth, h, n, n, s->hospital->code, s->hospital->name, h, n, n, h,
               s->visit_no, n, VIEW_ARG(f), VIEW_ARG(t), h, n, n, s->certificate_no, s->diagnosis_code,
               s->diagnosis, n, s->advice);
    buf_printf(&out, iclaim_money, h, n, n, h, s->receipt_no, n, VIEW_ARG(t), n, n, VIEW_ARG(t), VIEW_ARG(t),
               h, n, n, n, n, h, n, n);
    *ret = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret->p ? E_OK : E_TOO_LARGE;
}
