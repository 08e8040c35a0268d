/* Samples: open data and made-up accidents become records that are accepted, in JSON and in XML, with the same facts. */
#include "police_kit.h"

#include "base/text.h"

#include <sys/stat.h>

#define SEED 20260302

static view
read_file(arena *mem, const char *path)
{
    FILE *in = fopen(path, "rb");
    struct stat st;
    if (!in)
        return VIEW_NONE;
    cr_assert(fstat(fileno(in), &st) == 0);
    char *p = arena_alloc(mem, (size_t)st.st_size + 1);
    cr_assert(p && fread(p, 1, (size_t)st.st_size, in) == (size_t)st.st_size);
    fclose(in);
    return view_make(p, (size_t)st.st_size);
}

/* Optional conformance data: a file below CLAIMGATE_SHARED, or beside the checkout. */
static view
shared_file(arena *mem, const char *name)
{
    const char *root = getenv("CLAIMGATE_SHARED");
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root ? root : TEST_SOURCE_DIR "/../shared", name);
    return read_file(mem, path);
}

static void
expect_accepted(const struct outcome *o)
{
    if (o->code != E_OK || o->issues.errors)
        kit_print_issues(o);
    cr_assert_eq(o->code, E_OK);
    cr_assert_eq(o->issues.errors, 0);
}

/* JSON and XML of one record give the same facts, but for where they stand. */
static void
expect_same_in_xml(arena *mem, view json, const struct outcome *of_json)
{
    struct fault f;
    view xml;
    fault_init(&f);
    cr_assert_eq(police_sample_xml(json, mem, &xml, &f), E_OK);
    struct outcome o = kit_interpret(mem, FHIR_XML, xml);
    expect_accepted(&o);
    view a = kit_facts(mem, of_json->reading.facts, false), b = kit_facts(mem, o.reading.facts, false);
    cr_assert(view_eq(a, b), "%.*s\n%.*s", VIEW_ARG(a), VIEW_ARG(b));
    cr_assert_eq(of_json->issues.n, o.issues.n);
}

static size_t
expect_open_accident(const struct open_accident *a, size_t number)
{
    AUTO(arena_free) arena *mem = arena_new(64u << 20);
    struct police_sample s;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(police_sample_open_data(a, number, &police_sample_agencies[0], mem, &s, &f), E_OK,
                 "%s line %ld", f.expected, f.line);
    struct outcome o = kit_interpret(mem, FHIR_JSON, s.json);
    expect_accepted(&o);
    cr_assert_eq(o.reading.facts->accident->parties_n, a->n);
    expect_same_in_xml(mem, s.json, &o);
    return kit_count(&o, E_UNMAPPED);
}

/* A table of two accidents: one of each form, with the spellings that occur. */
static const char header[] =
    "\xEF\xBB\xBF"
    "發生年度,發生月份,發生日期,發生時間,事故類別名稱,處理單位名稱警局層,發生地點,天候名稱,光線名稱,道路類別-"
    "第1當事者-名稱,速限-第1當事者,"
    "道路型態大類別名稱,道路型態子類別名稱,事故位置大類別名稱,事故位置子類別名稱,路面狀況-路面鋪裝名稱,"
    "路面狀況-路面狀態名稱,路面狀況-路面缺陷名稱,"
    "道路障礙-障礙物名稱,道路障礙-視距品質名稱,道路障礙-視距名稱,號誌-號誌種類名稱,號誌-號誌動作名稱,"
    "車道劃分設施-分向設施大類別名稱,"
    "車道劃分設施-分向設施子類別名稱,車道劃分設施-分道設施-快車道或一般車道間名稱,車道劃分設施-分道設施-"
    "快慢車道間名稱,"
    "車道劃分設施-分道設施-路面邊線名稱,事故類型及型態大類別名稱,事故類型及型態子類別名稱,肇因研判大類別名稱-"
    "主要,肇因研判子類別名稱-主要,"
    "死亡受傷人數,當事者順位,當事者區分-類別-大類別名稱-車種,當事者區分-類別-子類別名稱-車種,當事者屬-性-"
    "別名稱,當事者事故發生時年齡,保護裝備名稱,"
    "行動電話或電腦或其他相類功能裝置名稱,當事者行動狀態大類別名稱,當事者行動狀態子類別名稱,"
    "車輛撞擊部位大類別名稱-最初,車輛撞擊部位子類別名稱-最初,"
    "車輛撞擊部位大類別名稱-其他,車輛撞擊部位子類別名稱-其他,肇因研判大類別名稱-個別,肇因研判子類別名稱-個別,"
    "肇事逃逸類別名稱-是否肇逃,經度,緯度\r\n";
#define NEW_CASE                                                                                                                                   \
    "2023,8,20230802,093000,A2,沙箱市政府警察局,\"臺南市左鎮區中正路, "                                                           \
    "\"\"甲\"\"路口\",晴,有照明未開啟或故障,快速(公)道,50,交岔路,四岔路,交叉路口,交叉路口內,柏油,乾燥,"        \
    "突出(高低)不平,無障礙物,無遮蔽物,良好,行車管制號誌,正常,中央分向島,寛式(50公分以上),車道線(無標記)," \
    "快慢車道分隔線,有,車與車,側撞,駕駛者,闖紅燈直行,"                                                                        \
    "死亡0;受傷1,"
#define OLD_CASE                                                                                                                                        \
    "2023,5,20230502,213000,A2,沙箱縣警察局,桃園市平鎮區環南路1號前,暴雨,夜間(或隧道、地下道、涵洞)有照明,"           \
    "鄉道,40,單路部分,直路,路段,快車道,柏油,濕潤,"                                                                                     \
    "無缺陷,無障礙物,良好,良好,無號誌,無號誌,無,無分向設施,未繪設車道線,未繪設快慢車道分隔線,無,人與汽(機)" \
    "車,穿越道路中,駕駛人,未注意車前狀態,"                                                                                              \
    "死亡0;受傷1,"
static const char body[] =
    NEW_CASE "2,機車,普通重型,女,28,戴非半罩式安全帽,未使用,車的狀態,向前直行中,機車與自行車,左側車身,,,無("
             "車輛駕駛者因素),尚未發現肇事因素,否,120.4,23.0\r\n" OLD_CASE
             "1,小客車,自用,男,61,戴安全帽或繫安全帶(使用幼童安全椅),未使用,車的狀態,向前直行中,汽車,前車頭,"
             "汽車,車底,駕駛人,未注意車前狀態,否,121.2,24.9\r\n" NEW_CASE
             "1,小客車(含客、貨兩用),自用,男,44,繫安全帶(使用幼童安全椅),未使用,車的狀態,左轉彎,其他,無撞擊,,"
             ",駕駛者,闖紅燈直行,否,120.4,23.0\r\n" OLD_CASE
             "2,人,行人,女,-1,其他(無需使用保護裝備之人),非駕駛人,人的狀態,步行,其他,非汽(機)車,,,無("
             "非車輛駕駛人因素),尚未發現肇事因素,否,121.2,24.9\r\n"
             "資料提供日期：2024-07-01\r\n";

static view
own_table(arena *mem)
{
    return arena_printf(mem, "%s%s", header, body);
}

Test(police_sample, groups_rows_to_accidents_in_the_order_of_the_form)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct open_data d;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(open_data_read(own_table(mem), mem, &d, &f), E_OK, "%s line %ld", f.expected, f.line);
    cr_assert_eq(d.n, 2);
    cr_assert_eq(d.rows, 4);
    cr_assert_eq(d.skipped, 1);
    cr_assert_eq(d.differing, 0);
    cr_assert(view_eq(d.accidents[0].rows[0].fields[OPEN_DATE], V("20230802")),
              "the first accident of the file is the first");
    cr_assert(view_eq(d.accidents[0].rows[0].fields[OPEN_SEQ], V("1")));
    cr_assert(view_eq(d.accidents[0].rows[1].fields[OPEN_SEQ], V("2")));
    cr_assert(view_eq(d.accidents[0].rows[0].fields[OPEN_PLACE], V("臺南市左鎮區中正路, \"甲\"路口")));
    cr_assert_eq(open_accident_era(&d.accidents[0]), ERA_NEW);
    cr_assert_eq(open_accident_era(&d.accidents[1]), ERA_OLD);
}

Test(police_sample, open_data_become_records_and_what_no_table_knows_is_kept_and_marked)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct open_data d;
    struct open_tally t = {0};
    struct fault f;
    fault_init(&f);
    cr_assert_eq(open_data_read(own_table(mem), mem, &d, &f), E_OK);
    cr_assert_eq(expect_open_accident(&d.accidents[0], 1), 1, "無撞擊 has no number");
    cr_assert_eq(expect_open_accident(&d.accidents[1], 2), 0);
    for (size_t i = 0; i < d.n; i++)
        open_tally_add(&t, &d.accidents[i]);
    cr_assert_eq(t.values[OPEN_IMPACT], 4);
    cr_assert_eq(t.resolved[OPEN_IMPACT], 3);
    cr_assert_eq(t.resolved[OPEN_IMPACT_MAJOR], 3);
    cr_assert_eq(t.values[OPEN_IMPACT_OTHER], 1, "blank fields do not count");
    cr_assert_eq(t.resolved[OPEN_AGE], 4);

    struct police_sample s;
    cr_assert_eq(police_sample_open_data(&d.accidents[1], 2, &police_sample_agencies[0], mem, &s, &f), E_OK);
    struct outcome o = kit_interpret(mem, FHIR_JSON, s.json);
    const struct case_accident *a = o.reading.facts->accident;
    cr_assert(view_eq(a->accident_no.v, V("20230502-0002")));
    cr_assert(view_eq(a->place->county.v, V("桃園市")) && view_eq(a->place->town.v, V("平鎮區")));
    cr_assert(view_eq(a->cause_main.code.v, V("23")) && view_eq(a->cause_main.era.v, V("old")));
    cr_assert(!a->parties->next->age.set, "-1 is no age");
    cr_assert_eq(a->parties->impact_other_n, 1);
    cr_assert(view_eq(a->parties->impact_other->code.v, V("10")));
}

Test(police_sample, tables_that_are_broken_name_the_line)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct open_data d;
    struct fault f;
    fault_init(&f);
    cr_assert_eq(open_data_read(V("a,b,c\n1,2,3\n"), mem, &d, &f), E_SYNTAX);
    cr_assert_eq(f.line, 1);
    fault_init(&f);
    cr_assert_eq(open_data_read(arena_printf(mem, "%s\"open quote", header), mem, &d, &f), E_SYNTAX);
    cr_assert_eq(f.line, 2);
    fault_init(&f);
    cr_assert_eq(open_data_read(V("\xA4\xA4"), mem, &d, &f), E_UTF8);
}

Test(police_sample, county_and_town_are_found_at_the_front_of_the_place)
{
    static const char *const rows[][3] = {
        {"臺南市北門區錦湖里", "臺南市", "北門區"},
        {"桃園市平鎮區環南路", "桃園市", "平鎮區"},
        {"高雄市前鎮區中山路", "高雄市", "前鎮區"},
        {"臺南市新市區中正路", "臺南市", "新市區"},
        {"臺東縣太麻里鄉大王村", "臺東縣", "太麻里鄉"},
        {"嘉義縣朴子市大鄉里", "嘉義縣", "朴子市"},
        {"臺南市東區東門路", "臺南市", "東區"},
        {"國道一號北向100公里", "", ""},
        {"臺南市", "臺南市", ""},
        {"x", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        view county, town;
        open_county_town(view_of(rows[i][0]), &county, &town);
        cr_assert(view_eq(county, view_of(rows[i][1])), "%s", rows[i][0]);
        cr_assert(view_eq(town, view_of(rows[i][2])), "%s: %.*s", rows[i][0], VIEW_ARG(town));
    }
}

/* Optional conformance data: the open half of A1 of 2023. */
Test(police_sample, the_open_data_of_2023_are_all_accepted, .timeout = 120)
{
    AUTO(arena_free) arena *mem = arena_new(256u << 20);
    struct open_data d;
    struct open_tally t = {0};
    struct fault f;
    uint64_t values, resolved, findings = 0, unresolved = 0;
    digest_start();
    view csv = shared_file(mem, "vectors/police/tw-a1-2023/accidents.csv");
    if (!csv.p)
        cr_skip_test("the conformance data are not here");
    fault_init(&f);
    cr_assert_eq(open_data_read(csv, mem, &d, &f), E_OK);
    cr_assert_eq(d.n, 877);
    cr_assert_eq(d.rows, 2153);
    for (size_t i = 0; i < d.n; i++) {
        struct open_tally one = {0};
        open_tally_add(&t, &d.accidents[i]);
        open_tally_add(&one, &d.accidents[i]);
        findings += expect_open_accident(&d.accidents[i], i + 1);
        /* The record states the surroundings once, the table in each row: count those of the first row. */
        for (int c = 0; c < OPEN_COUNT; c++) {
            const struct open_column_row *row = open_column_of((enum open_column)c);
            uint64_t missing = one.values[c] - one.resolved[c];
            if (row->kind == OPEN_IS_CODE || row->kind == OPEN_IS_MINOR)
                unresolved += row->place == PLACE_PARTY ? missing : missing / d.accidents[i].n;
        }
    }
    open_tally_sum(&t, &values, &resolved);
    fprintf(stderr, "resolved %llu of %llu\n", (unsigned long long)resolved, (unsigned long long)values);
    cr_assert_geq(resolved * 100, values * 95);
    cr_assert_eq(findings, unresolved, "what is not resolved is marked, and nothing else");
}

/* -- made-up accidents -- */

static void
expect_png(view bytes)
{
    cr_assert(view_starts(bytes, V("\x89PNG\r\n\x1A\n")));
    cr_assert(view_ends(bytes, V("IEND\xAE\x42\x60\x82")), "the checksum of an empty IEND is known");
}

Test(police_sample, two_hundred_made_up_accidents_of_both_eras_are_accepted, .timeout = 120)
{
    size_t n_of[3] = {0}, eras[2] = {0}, records = 0, corrected = 0, named = 0;
    digest_start();
    for (size_t index = 0; index < 200; index++) {
        AUTO(arena_free) arena *mem = arena_new(256u << 20);
        struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
        struct fault f;
        size_t n;
        fault_init(&f);
        cr_assert_eq(police_sample_synthetic(SEED, index, mem, s, &n, &f), E_OK);
        for (size_t i = 0; i < n; i++) {
            struct outcome o = kit_interpret(mem, FHIR_JSON, s[i].json);
            expect_accepted(&o);
            cr_assert_eq(kit_count(&o, E_UNMAPPED), 0, "%.*s", VIEW_ARG(s[i].json));
            cr_assert_eq(kit_count(&o, E_CHECKSUM), 0, "%.*s", VIEW_ARG(s[i].json));
            expect_same_in_xml(mem, s[i].json, &o);
            cr_assert_eq(o.reading.n_attachments, s[i].n_files);
            for (size_t k = 0; k < s[i].n_files; k++)
                expect_png(s[i].files[k].bytes);
            view class = o.reading.facts->accident->class.v;
            if (i == 0) {
                n_of[class.p[1] - '1']++;
                eras[view_eq(o.reading.facts->accident->form_era.v, V("2022"))]++;
                named += o.reading.persons != NULL;
            }
            corrected += o.reading.replaces_value.n > 0;
            records++;
        }
    }
    cr_assert_eq(n_of[0], 0);
    cr_assert_gt(n_of[1], 100);
    cr_assert_gt(n_of[2], 50);
    cr_assert_eq(eras[0], 100);
    cr_assert_eq(named, 200);
    cr_assert_eq(corrected, 20);
    cr_assert_eq(records, 820);
}

Test(police_sample, a_seed_gives_the_same_records_again)
{
    AUTO(arena_free) arena *mem = arena_new(256u << 20);
    struct police_sample a[POLICE_SAMPLE_PARTS_MAX], b[POLICE_SAMPLE_PARTS_MAX];
    struct fault f;
    size_t n, m;
    digest_start();
    fault_init(&f);
    cr_assert_eq(police_sample_synthetic(7, 3, mem, a, &n, &f), E_OK);
    cr_assert_eq(police_sample_synthetic(7, 3, mem, b, &m, &f), E_OK);
    cr_assert_eq(n, m);
    for (size_t i = 0; i < n; i++)
        cr_assert(view_eq(a[i].json, b[i].json));
    cr_assert_eq(police_sample_synthetic(8, 3, mem, b, &m, &f), E_OK);
    cr_assert(!view_eq(a[0].json, b[0].json));
}

Test(police_sample, the_first_photos_are_several_megabytes)
{
    AUTO(arena_free) arena *mem = arena_new(256u << 20);
    struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
    struct fault f;
    size_t n;
    digest_start();
    fault_init(&f);
    cr_assert_eq(police_sample_synthetic(SEED, 0, mem, s, &n, &f), E_OK);
    cr_assert_str_eq(s[2].part, "photos");
    cr_assert_gt(s[2].files[0].bytes.n, 3u << 20);
    digest d = sha256(s[2].files[0].bytes);
    cr_assert(view_eq(view_of(s[2].files[0].sha256), text_hex(mem, digest_view(&d))));
}
