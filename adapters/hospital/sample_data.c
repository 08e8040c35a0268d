#include "adapters/hospital/sample.h"

#include <stdio.h>

#define MOI "http://www.moi.gov.tw"
#define NIA "http://www.immigration.gov.tw"

const struct sample_person sample_people[] = {
    {"王沙箱", "王", MOI, "A190130001", "male", "1988-05-12", "person-wang"},
    {"李沙箱", "李", MOI, "B290110002", "female", "1991-11-03", "person-lee"},
    {"NGUYEN THI SANDBOX", "NGUYEN", NIA, "A890110003", "female", "1986-02-20", "person-nguyen"},
    {"王小𠮷", "王", MOI, "A180140004", "male", "2010-04-01", "person-boy"},
    {"王陳沙箱", "王陳", MOI, "B280120005", "female", "1952-09-30", "person-grandma"},
};
const size_t sample_people_count = COUNT_OF(sample_people);

const struct sample_hospital sample_hospitals[] = {
    {"沙箱第一醫院", "9901010016", "h1", "h1-dr-lin", "990101", "林沙箱"},
    {"沙箱第二醫院", "9901020021", "h2", "h2-dr-wu", "990201", "吳沙箱"},
    {"沙箱家醫診所", "9935010039", "c1", "c1-dr-su", "993501", "蘇沙箱"},
};
const size_t sample_hospitals_count = COUNT_OF(sample_hospitals);

static const struct {
    enum sample_kind kind;
    const char *code, *text, *surgery_code, *surgery, *advice;
    int days;
} stories[] = {
    {SAMPLE_OUTPATIENT, "J20.9", "急性支氣管炎", "", "", "宜休養三日，門診追蹤。", 0},
    {SAMPLE_OUTPATIENT, "K29.70", "胃炎", "", "", "宜清淡飲食，門診追蹤。", 0},
    {SAMPLE_SURGERY, "K35.80", "急性闌尾炎", "0DTJ4ZZ", "腹腔鏡闌尾切除術", "宜休養兩週，需專人看護七日。",
     4},
    {SAMPLE_SURGERY, "K80.00", "膽囊結石併急性膽囊炎", "0FT44ZZ", "腹腔鏡膽囊切除術", "宜休養兩週。", 5},
    {SAMPLE_TRAFFIC, "S82.201A", "右側脛骨骨幹閉鎖性骨折", "0QSG04Z", "脛骨開放性復位併內固定術",
     "宜休養三個月，需專人看護一個月，需使用助行器。", 7},
    {SAMPLE_TRAFFIC, "S06.0X0A", "腦震盪", "", "", "宜休養一週，門診追蹤。", 2},
    {SAMPLE_CANCER, "C50.911", "右側乳房惡性腫瘤", "0HTT0ZZ", "右側乳房全切除術",
     "宜定期追蹤，需接受化學治療。", 6},
    {SAMPLE_CANCER, "C18.7", "乙狀結腸惡性腫瘤", "0DTN4ZZ", "腹腔鏡乙狀結腸切除術", "宜定期追蹤。", 8},
};

static const char *
text_of(arena *mem, const char *prefix, uint64_t n)
{
    char out[64];
    snprintf(out, sizeof out, "%s%08llu", prefix, (unsigned long long)n);
    return arena_cstr(mem, view_of(out));
}

/* A small mixer, so that neighbouring seeds differ in every choice. */
static uint64_t
mix(uint64_t seed, uint64_t salt)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15ULL + salt * 0xBF58476D1CE4E5B9ULL;
    x ^= x >> 31;
    x *= 0x94D049BB133111EBULL;
    return x ^ x >> 29;
}

err
sample_stay_make(uint64_t seed, enum sample_kind kind, arena *mem, struct sample_stay *ret)
{
    if (kind >= SAMPLE_KIND_COUNT)
        kind = (enum sample_kind)(seed % SAMPLE_KIND_COUNT);
    enum sample_kind story = kind == SAMPLE_CORRECTED || kind == SAMPLE_REFUNDED ? SAMPLE_SURGERY
                             : kind == SAMPLE_XML || kind == SAMPLE_ICLAIM       ? SAMPLE_OUTPATIENT
                                                                                 : kind;
    size_t pick = mix(seed, 1) % 2, found = 0;
    for (size_t i = 0; i < COUNT_OF(stories); i++)
        if (stories[i].kind == story && pick-- == 0)
            found = i;
    struct sample_stay s = {.seed = seed, .kind = kind};
    s.person = &sample_people[mix(seed, 2) % sample_people_count];
    s.hospital = &sample_hospitals[stories[found].days ? mix(seed, 3) % 2 : mix(seed, 3) % 3];
    int32_t day = date_days((date){2026, 1, 5, DATE_DAY, CALENDAR_AD}) + (int32_t)(mix(seed, 4) % 50);
    s.from = date_of_days(day);
    s.to = date_of_days(day + stories[found].days);
    s.visit_no = text_of(mem, "V", 10000000 + seed);
    s.certificate_no = text_of(mem, "DX", 20000000 + seed);
    s.receipt_no = text_of(mem, "RC", 30000000 + seed);
    s.diagnosis_code = stories[found].code;
    s.diagnosis = stories[found].text;
    s.surgery_code = stories[found].surgery_code;
    s.surgery = stories[found].surgery;
    s.advice = stories[found].advice;
    s.category = seed % 3 == 0 ? "certificate-a" : "certificate-b";
    if (!s.visit_no || !s.certificate_no || !s.receipt_no)
        return E_TOO_LARGE;
    *ret = s;
    return E_OK;
}
