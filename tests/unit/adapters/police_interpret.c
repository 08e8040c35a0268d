/* What a record says: facts with their sources, identity, persons, and every refusal with its place. */
#include "police_kit.h"

#include "adapters/case_fold.h"

#define HEAD(part)                                                                                                    \
    "{\"version\":1,\"agency\":{\"oid\":\"A99010001K\",\"name\":\"沙箱市政府警察局\",\"unit\":\"交通隊\"," \
    "\"officer\":\"沙箱員警\"},"                                                                                  \
    "\"accident_no\":\"11501SB001\",\"part\":\"" part                                                                 \
    "\",\"revision\":1,\"form_era\":\"2022\",\"class\":\"A2\","                                                       \
    "\"occurred\":\"2026-01-05T08:30:00+08:00\",\"place\":{\"text\":\"沙箱路1號前\",\"county\":\"臺北市\","   \
    "\"town\":\"大安區\",\"lon\":121.5376,\"lat\":25.0336},"                                                       \
    "\"casualties\":{\"dead_24h\":0,\"injured\":1},"

static const char slip[] =
    HEAD("slip") "\"conditions\":{\"weather\":{\"minor\":\"晴\"},\"speed_limit\":50,\"lane_fast\":{\"minor\":"
                 "\"車道線(無標記)\"},\"lane_slow\":{\"code\":\"5\"},"
                 "\"light\":{\"minor\":\"日間自然光線\"}},\"type\":{\"major\":\"車與車\",\"minor\":\"側撞\"},"
                 "\"narrative\":\"左轉未讓直行。\","
                 "\"cause_main\":{\"major\":\"駕駛者\",\"minor\":\"有號誌路口，轉彎車未讓直行車先行\"},"
                 "\"parties\":["
                 "{\"seq\":1,\"name\":\"王沙箱\",\"identifiers\":[{\"system\":\"http://"
                 "www.moi.gov.tw\",\"value\":\"A190130001\"}],\"phone\":\"0900-000-001\","
                 "\"kind\":{\"code\":\"B03\"},\"vehicle\":{\"plate\":\"SBX-0001\",\"insurer_ubn\":"
                 "\"99000447\",\"cali_certificate_no\":\"C1\"},"
                 "\"sex\":{\"minor\":\"男\"},\"age\":37,\"injury_degree\":{\"code\":\"3\"},\"licence\":{"
                 "\"status\":{\"code\":\"1\"}},"
                 "\"alcohol\":{\"code\":{\"code\":\"2\"},\"value\":0.00,\"method\":\"呼氣\"},\"impact_"
                 "first\":{\"major\":\"汽車\",\"minor\":\"前車頭\"},"
                 "\"impact_other\":[{\"code\":\"2\"}],\"cause_own\":{\"code\":\"11\"}},"
                 "{\"seq\":2,\"name\":\"李沙箱\",\"identifiers\":[{\"system\":\"http://"
                 "www.moi.gov.tw\",\"value\":\"B290110002\"}],\"birth_date\":\"1991-11-03\","
                 "\"kind\":{\"major\":\"機車\",\"minor\":\"普通重型\"},\"vehicle\":{\"plate\":\"SBA-0002\"},"
                 "\"sex\":{\"code\":\"2\"},\"injury_degree\":{\"minor\":\"受傷\"}},"
                 "{\"seq\":3,\"name\":\"陳範例\",\"kind\":{\"code\":\"H02\"},\"rides_with\":2,\"sex\":{"
                 "\"code\":\"1\"}}]}";

static const char analysis[] = HEAD(
    "analysis") "\"parties\":[{\"seq\":1,\"name\":\"王沙箱\"},{\"seq\":2,\"name\":\"李沙箱\"},{\"seq\":3}],"
                "\"opinions\":[{\"issued\":\"2026-02-04\",\"binding\":false,\"findings\":[{\"party\":1,"
                "\"degree\":\"main\",\"rule_cited\":[\"安全規則102\"]},"
                "{\"party\":2,\"degree\":\"none\"},{\"party\":3,\"degree\":\"none\"}]}]}";

static const char photos[] =
    HEAD("photos") "\"parties\":[{\"seq\":1}],\"attachments\":[{\"sha256\":"
                   "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
                   "\"media\":\"image/jpeg\",\"bytes\":3000000,\"kind\":\"photo\"}]}";

static const char inquest[] = "{\"version\":1,\"agency\":{\"oid\":\"A99110001J\",\"name\":\"沙箱地方檢察署\","
                              "\"kind\":\"prosecutor\"},\"handled_by\":\"A99010001K\","
                              "\"accident_no\":\"11501SB001\",\"part\":\"other\",\"item\":\"inquest-1\","
                              "\"revision\":1,\"occurred\":\"2026-01-05T08:30:00+08:00\","
                              "\"place\":{\"text\":\"沙箱路1號前\"},\"parties\":[{\"seq\":1,\"name\":"
                              "\"林範例\",\"identifiers\":[{\"system\":\"http://www.moi.gov.tw\","
                              "\"value\":\"A190130001\"}]}],\"inquest\":{\"deceased\":1,\"certificate_no\":"
                              "\"J-1\",\"issued\":\"2026-01-08\","
                              "\"died_at\":\"2026-01-06T10:00:00+08:00\",\"manner\":\"accident\",\"causes\":["
                              "\"顱內出血\"],\"text_zh\":\"車禍致顱內出血死亡。\"}}";

static struct outcome
accepted(arena *mem, const char *text)
{
    struct outcome o = kit_json(mem, text);
    if (o.code != E_OK || o.issues.errors)
        kit_print_issues(&o);
    cr_assert_eq(o.code, E_OK);
    cr_assert_eq(o.issues.errors, 0);
    return o;
}

static view
in_source(const struct outcome *o, struct source src)
{
    return view_sub(o->tree.source, src.from, src.length);
}

#define EQ(v, text) cr_assert(view_eq((v), V(text)), "%.*s", VIEW_ARG(v))

Test(police_interpret, identity_and_author)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, slip);
    const struct reading *rd = &o.reading;
    cr_assert_eq(rd->kind, KIND_ACCIDENT_PART);
    EQ(rd->profile, "accident-record-1");
    EQ(rd->author, "A99010001K");
    cr_assert(rd->unique_identity);
    EQ(rd->identifier_system, "https://claimgate.tw/accident-record");
    EQ(rd->identifier_value, "A99010001K/11501SB001/slip/1");
    EQ(rd->work_value, "A99010001K/11501SB001/slip");
    cr_assert_eq(rd->replaces_value.n, 0);
    cr_assert(!rd->withdraws);
    cr_assert_eq(rd->refs->kind, REF_ACCIDENT_NO);
    EQ(rd->refs->author, "A99010001K");
    EQ(rd->refs->value, "11501SB001");
    cr_assert_null(rd->refs->next);
}

Test(police_interpret, a_later_revision_replaces_the_one_before)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, kit_replace(mem, slip, "\"revision\":1", "\"revision\":3"));
    EQ(o.reading.identifier_value, "A99010001K/11501SB001/slip/3");
    EQ(o.reading.work_value, "A99010001K/11501SB001/slip");
    EQ(o.reading.replaces_value, "A99010001K/11501SB001/slip/2");
    o = accepted(mem, kit_replace(mem, slip, "\"revision\":1",
                                  "\"revision\":3,\"replaces\":1,\"status\":\"entered_in_error\""));
    EQ(o.reading.replaces_value, "A99010001K/11501SB001/slip/1");
    cr_assert(o.reading.withdraws);
}

Test(police_interpret, accident_with_its_sources)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, slip);
    const struct case_accident *a = o.reading.facts->accident;
    EQ(a->accident_no.v, "11501SB001");
    EQ(in_source(&o, a->accident_no.src), "\"11501SB001\"");
    EQ(a->agency.v, "A99010001K");
    EQ(a->unit.v, "交通隊");
    EQ(a->officer.v, "沙箱員警");
    EQ(a->class.v, "A2");
    EQ(a->form_era.v, "2022");
    cr_assert_eq(a->occurred.offset, 480);
    EQ(a->place->town.v, "大安區");
    cr_assert_eq(decimal_cmp(a->place->lon.v, (decimal){1215376, 4}), 0);
    cr_assert_eq(a->casualties->injured.v, 1);
    cr_assert(!a->casualties->dead_30d.set);
    cr_assert_eq(a->conditions->speed_limit.v, 50);
    EQ(a->type.code.v, "16");
    EQ(a->cause_main.code.v, "11");
    cr_assert(a->cause_main.resolved.v);
    cr_assert_eq(a->cause_main.minor.src.how, HOW_COPIED);
    cr_assert_eq(a->cause_main.code.src.how, HOW_MAPPED);
    cr_assert_eq(a->conditions->lane_dividers_n, 2);
    EQ(a->conditions->lane_dividers->next->minor.v, "未繪設快慢車道分隔線");
    EQ(o.reading.facts->event->kind.v, "traffic");
    EQ(o.reading.facts->event->narrative.v, "左轉未讓直行。");
    EQ(o.reading.facts->event->police_report->no.v, "11501SB001");
    EQ(o.reading.facts->meta->references->value.v, "11501SB001");
}

Test(police_interpret, a_label_of_the_other_form_is_kept_and_marked)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, slip);
    const struct case_police_code *light = &o.reading.facts->accident->conditions->light;
    EQ(light->minor.v, "日間自然光線");
    cr_assert(light->resolved.set && !light->resolved.v);
    cr_assert_eq(light->code.v.n, 0);
    EQ(light->era.v, "2022");
    const struct issue *i = kit_issue(&o, E_UNMAPPED);
    cr_assert_eq(kit_count(&o, E_UNMAPPED), 1);
    cr_assert_eq(i->severity, ISSUE_INFO);
    EQ(i->pointer, "/conditions/light");
    EQ(view_sub(o.tree.source, (size_t)i->from, (size_t)i->length), "{\"minor\":\"日間自然光線\"}");
}

Test(police_interpret, persons_vehicles_and_roles)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, slip);
    struct claim_case *c = o.reading.facts;
    const struct case_accident_party *first = c->accident->parties, *second = first->next,
                                     *third = second->next;
    cr_assert_eq(c->accident->parties_n, 3);
    cr_assert_eq(c->vehicles_n, 2);
    const struct case_party *wang = case_party_of(c, first->party.v);
    EQ(wang->person->names->text.v, "王沙箱");
    EQ(wang->person->sex.v, "male");
    EQ(wang->person->telecom->value.v, "0900-000-001");
    cr_assert_eq(wang->person->identifiers_n, 2, "its number, and its place on the form");
    EQ(first->sex.v, "male");
    cr_assert_eq(first->age.v, 37);
    EQ(first->impact_first.code.v, "1");
    EQ(first->impact_other->minor.v, "右側車身");
    EQ(first->licence->status.minor.v, "有適當之駕照");
    EQ(first->alcohol->code.minor.v, "經檢測無酒精反應");
    const struct case_vehicle *car = case_vehicle_of(c, first->vehicle.v);
    EQ(car->plate.v, "SBX-0001");
    EQ(car->cali_class.v, "汽");
    EQ(car->kind.codings->code.v, "B03");
    EQ(car->kind.text.v, "自用");
    EQ(car->cali->status.v, "insured");
    EQ(case_party_of(c, car->cali->insurer.v)->organisation->identifiers->value.v, "99000447");
    EQ(case_vehicle_of(c, second->vehicle.v)->cali_class.v, "機");
    cr_assert(view_eq(second->vehicle.v, third->vehicle.v), "the passenger is on the motorcycle");
    static const char *const expected[] = {"issuer", "driver", "rider", "victim", "passenger"};
    size_t n = 0;
    for (const struct case_role *r = c->roles; r; r = r->next, n++)
        cr_assert(n < COUNT_OF(expected) && view_eq(r->role.v, view_of(expected[n])), "%zu %.*s", n,
                  VIEW_ARG(r->role.v));
    cr_assert_eq(n, COUNT_OF(expected));
}

Test(police_interpret, persons_are_known_by_their_numbers)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, slip);
    size_t n = 0;
    for (const struct person_key *k = o.reading.persons; k; k = k->next, n++)
        cr_assert(k->is_subject && case_party_of(o.reading.facts, k->party));
    cr_assert_eq(n, 2);
    EQ(o.reading.persons->text, "moi|B290110002");
}

Test(police_interpret, photos_name_their_files)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, photos);
    cr_assert_eq(o.reading.n_attachments, 1);
    EQ(o.reading.attachments[0], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_eq(o.reading.facts->vehicles_n, 0);
}

Test(police_interpret, an_analysis_gives_opinions)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, analysis);
    const struct case_opinion *op = o.reading.facts->accident->opinions;
    EQ(op->level.v, "preliminary");
    EQ(op->body.v, "沙箱市政府警察局");
    cr_assert(op->binding.set && !op->binding.v);
    EQ(op->document.v, "#d1");
    cr_assert_eq(op->findings_n, 3);
    EQ(op->findings->degree.v, "main");
    EQ(op->findings->rule_cited->text.v, "安全規則102");
    cr_assert(case_party_of(o.reading.facts, op->findings->party.v));
    EQ(op->findings->next->next->party.v, "#ap3");
}

/* -- the papers of one accident fold into one -- */

static struct claim_case *
frame_of(arena *mem, size_t n)
{
    struct claim_case *c = case_new(mem);
    for (size_t i = 0; i < n; i++) {
        struct case_document *d = case_add_documents(mem, c);
        view id = arena_printf(mem, "doc-%zu", i);
        leaf_set_text(&d->document_id, id, source_gateway(HOW_COMPUTED));
        leaf_set_time(&d->received_at, instant_of_unix(1770000000 + (int64_t)i), 0,
                      source_gateway(HOW_COMPUTED));
    }
    return c;
}

Test(police_interpret, parts_of_one_accident_become_one)
{
    AUTO(arena_free) arena *mem = kit_arena();
    const char *texts[] = {analysis, slip, photos};
    struct case_part parts[3];
    struct claim_case *folded;
    struct fault f;
    fault_init(&f);
    for (size_t i = 0; i < 3; i++) {
        struct outcome o = accepted(mem, texts[i]);
        parts[i] =
            (struct case_part){.facts = o.reading.facts, .document_id = arena_printf(mem, "doc-%zu", i)};
    }
    cr_assert_eq(case_fold(frame_of(mem, 3), parts, 3, mem, &folded, &f), E_OK, "%s", f.where);
    cr_assert_eq(folded->accident->parties_n, 3);
    cr_assert_eq(folded->accident->opinions_n, 1);
    cr_assert_eq(folded->vehicles_n, 2);
    size_t persons = 0;
    for (const struct case_party *p = folded->parties; p; p = p->next)
        persons += p->person != NULL;
    cr_assert_eq(persons, 3, "王沙箱 of the analysis, who has no number there, is the one of the slip");
    cr_assert_eq(folded->conflicts_n, 0);
}

/* -- inquest -- */

Test(police_interpret, an_inquest_is_a_document_of_its_own_kind)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, inquest);
    struct claim_case *c = o.reading.facts;
    cr_assert_eq(o.reading.kind, KIND_INQUEST);
    EQ(o.reading.author, "A99110001J");
    EQ(o.reading.identifier_value, "A99110001J/11501SB001/other.inquest-1/1");
    EQ(o.reading.refs->author, "A99010001K");
    cr_assert_null(c->accident);
    EQ(c->death->manner.v, "accident");
    EQ(c->death->within.v, "30d");
    EQ(c->death->causes->text.v, "顱內出血");
    EQ(c->certificates->kind.v, "inquest");
    EQ(c->certificates->no.v, "J-1");
    cr_assert(case_party_of(c, c->death->person.v)->person->deceased_at.set);
    EQ(c->event->police_report->agency.v, "A99010001K");
}

/* -- refusals -- */

static void
expect_issue(const char *text, const char *part, const char *by, err code, const char *pointer)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = kit_json(mem, kit_replace(mem, text, part, by));
    cr_assert_eq(o.code, E_OK, "%s", by);
    const struct issue *i = kit_issue(&o, code);
    if (!i)
        kit_print_issues(&o);
    cr_assert(i, "%s: no %s", by, err_info(code)->code);
    cr_assert_eq(i->severity, ISSUE_ERROR, "%s", by);
    cr_assert(view_eq(i->pointer, view_of(pointer)), "%s: %.*s", by, VIEW_ARG(i->pointer));
    cr_assert(i->from >= 0 && (size_t)(i->from + i->length) <= o.tree.source.n);
}

Test(police_interpret, missing_members_are_named_with_their_owner)
{
    expect_issue(slip, "\"accident_no\":\"11501SB001\",", "", E_REQUIRED, "");
    expect_issue(slip, "\"class\":\"A2\",", "", E_REQUIRED, "");
    expect_issue(slip, "\"oid\":\"A99010001K\",", "", E_REQUIRED, "/agency");
    expect_issue(slip, "\"seq\":2,", "", E_REQUIRED, "/parties/1");
    expect_issue(slip, "{\"minor\":\"晴\"}", "{}", E_REQUIRED, "/conditions/weather");
    expect_issue(photos, "\"attachments\"", "\"files\"", E_REQUIRED, "");
    expect_issue(analysis, "\"opinions\"", "\"views\"", E_REQUIRED, "");
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = kit_json(mem, kit_replace(mem, slip, "\"oid\":\"A99010001K\",", ""));
    const struct issue *i = kit_issue(&o, E_REQUIRED);
    EQ(i->path, "$this.agency.oid");
    cr_assert_eq(o.tree.source.p[i->from], '{');
}

Test(police_interpret, forms_and_words_are_checked)
{
    expect_issue(slip, "\"version\":1", "\"version\":2", E_VALUE, "/version");
    expect_issue(slip, "\"version\":1", "\"version\":\"1\"", E_TYPE, "/version");
    expect_issue(slip, "\"part\":\"slip\"", "\"part\":\"paper\"", E_CODE_REQUIRED, "/part");
    expect_issue(slip, "\"form_era\":\"2022\"", "\"form_era\":\"2023\"", E_CODE_REQUIRED, "/form_era");
    expect_issue(slip, "11501SB001", "115/01", E_VALUE, "/accident_no");
    expect_issue(slip, "2026-01-05T08:30:00+08:00", "2026-01-05", E_VALUE, "/occurred");
    expect_issue(slip, "2026-01-05T08:30:00+08:00", "2026-02-30T08:30:00+08:00", E_VALUE, "/occurred");
    expect_issue(slip, "\"lon\":121.5376", "\"lon\":221.5", E_VALUE, "/place/lon");
    expect_issue(slip, "\"lon\":121.5376", "\"lon\":null", E_TYPE, "/place/lon");
    expect_issue(slip, "\"age\":37", "\"age\":-1", E_VALUE, "/parties/0/age");
    expect_issue(slip, "{\"minor\":\"晴\"}", "\"晴\"", E_TYPE, "/conditions/weather");
    expect_issue(slip, "\"birth_date\":\"1991-11-03\"", "\"birth_date\":\"1991\"", E_VALUE,
                 "/parties/1/birth_date");
    expect_issue(photos, "e3b0c4", "E3B0C4", E_VALUE, "/attachments/0/sha256");
    expect_issue(slip, "[{\"code\":\"2\"}]", "{\"code\":\"2\"}", E_TYPE, "/parties/0/impact_other");
    expect_issue(slip, "[{\"code\":\"2\"}]", "[]", E_REQUIRED, "/parties/0/impact_other");
}

Test(police_interpret, rules_between_members)
{
    expect_issue(slip, "\"seq\":2", "\"seq\":1", E_VALUE, "/parties/1/seq");
    expect_issue(slip, "\"rides_with\":2", "\"rides_with\":9", E_REFERENCE, "/parties/2/rides_with");
    expect_issue(analysis, "{\"party\":2,", "{\"party\":7,", E_REFERENCE, "/opinions/0/findings/1/party");
    expect_issue(analysis, "\"part\":\"analysis\"", "\"part\":\"slip\"", E_VALUE, "/part");
    expect_issue(slip, "\"revision\":1", "\"revision\":1,\"item\":\"a\"", E_VALUE, "/part");
    expect_issue(slip, "\"revision\":1", "\"revision\":2,\"replaces\":2", E_VALUE, "/replaces");
    expect_issue(inquest, "\"part\":\"other\",\"item\":\"inquest-1\"", "\"part\":\"slip\"", E_VALUE, "/part");
    expect_issue(inquest, "\"deceased\":1", "\"deceased\":2", E_REFERENCE, "/inquest/deceased");
}

Test(police_interpret, another_agencys_accident_is_not_ones_own)
{
    expect_issue(slip, "\"accident_no\"", "\"handled_by\":\"A99020001K\",\"accident_no\"", E_AGENCY,
                 "/handled_by");
    expect_issue(inquest, "\"kind\":\"prosecutor\"", "\"kind\":\"police\"", E_AGENCY, "/inquest");
    AUTO(arena_free) arena *mem = kit_arena();
    const char *by_board = kit_replace(mem, analysis, "\"unit\"", "\"kind\":\"appraisal_board\",\"unit\"");
    struct outcome o =
        accepted(mem, kit_replace(mem, kit_replace(mem, by_board, "analysis", "appraisal"), "\"accident_no\"",
                                  "\"handled_by\":\"A99020001K\",\"accident_no\""));
    EQ(o.reading.refs->author, "A99020001K");
    EQ(o.reading.facts->accident->agency.v, "A99020001K");
    EQ(o.reading.facts->accident->opinions->level.v, "appraisal");
    cr_assert_eq(o.reading.facts->accident->officer.v.n, 0);
}

Test(police_interpret, each_kind_of_agency_writes_its_own_papers)
{
    AUTO(arena_free) arena *mem = kit_arena();
    const char *board = "\"kind\":\"appraisal_board\",\"unit\"";
    expect_issue(analysis, "\"part\":\"analysis\"", "\"part\":\"appraisal\"", E_AGENCY, "/part");
    expect_issue(analysis, "\"part\":\"analysis\"", "\"part\":\"reappraisal\"", E_AGENCY, "/part");
    expect_issue(slip, "\"unit\"", board, E_AGENCY, "/part");
    expect_issue(analysis, "\"unit\"", board, E_AGENCY, "/part");
    const char *by_board = kit_replace(mem, analysis, "\"unit\"", board);
    expect_issue(by_board, "\"part\":\"analysis\"", "\"part\":\"appraisal\"", E_REQUIRED, "");
}

Test(police_interpret, an_inquest_of_a_nameless_party_is_refused)
{
    expect_issue(inquest,
                 "\"name\":\"林範例\",\"identifiers\":[{\"system\":\"http://"
                 "www.moi.gov.tw\",\"value\":\"A190130001\"}]",
                 "\"age\":40", E_REQUIRED, "/inquest/deceased");
}

Test(police_interpret, doubts_are_findings)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = accepted(mem, kit_replace(mem, slip, "A190130001", "A190130002"));
    cr_assert_eq(kit_issue(&o, E_CHECKSUM)->severity, ISSUE_WARNING);
    EQ(kit_issue(&o, E_CHECKSUM)->found, "one that fails");
    o = accepted(mem, kit_replace(mem, slip, "T08:30:00+08:00", "T00:30:00Z"));
    cr_assert(kit_issue(&o, E_OFFSET));
}

Test(police_interpret, unknown_members_are_kept)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o =
        accepted(mem, kit_replace(mem, slip, "\"seq\":1,", "\"seq\":1,\"helmet_colour\":{\"a\":[1,2]},"));
    const struct case_unmapped *u = o.reading.facts->unmapped;
    cr_assert_eq(o.reading.facts->unmapped_n, 1);
    EQ(u->locator.v, "/parties/0/helmet_colour");
    EQ(u->raw.v, "{\"a\":[1,2]}");
    EQ(u->document.v, "#d1");
}

Test(police_interpret, no_issue_and_no_fault_holds_a_value)
{
    AUTO(arena_free) arena *mem = kit_arena();
    struct outcome o = kit_json(mem, kit_replace(mem, slip, "A190130001", "A19013 0001"));
    for (const struct issue *i = o.issues.first; i; i = i->next) {
        cr_assert_eq(view_find(i->found, V("A19013")), i->found.n);
        cr_assert_eq(view_find(i->expected, V("A19013")), i->expected.n);
    }
    cr_assert_gt(o.issues.errors, 0);
}

Test(police_interpret, what_is_no_object_is_no_record)
{
    AUTO(arena_free) arena *mem = kit_arena();
    cr_assert_eq(kit_json(mem, "[]").code, E_DOCUMENT_KIND);
    cr_assert_eq(kit_json(mem, "3").code, E_DOCUMENT_KIND);
    struct outcome o = kit_json(mem, "{}");
    cr_assert_eq(o.code, E_OK);
    cr_assert_eq(kit_count(&o, E_REQUIRED), 11);
}

Test(police_interpret, a_full_arena_is_told)
{
    digest_start();
    for (size_t ceiling = 1 << 10; ceiling < (1 << 16); ceiling += 1 << 10) {
        AUTO(arena_free) arena *mem = arena_new(ceiling);
        struct outcome o = kit_json(mem, slip);
        cr_assert(o.code == E_OK || o.code == E_TOO_LARGE, "%zu: %s", ceiling, err_info(o.code)->code);
    }
}
