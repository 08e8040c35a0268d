#include "case_kit.h"

#include "adapters/case_schema.h"

#include <stdio.h>

#define CEILING (64u << 20)

static arena *
room(void)
{
    return arena_new(CEILING);
}

Test(case_codec, every_member_survives)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = kit_case(mem, 2);
    struct kit k = {.mem = mem, .c = c};
    kit_link(&k);
    view once = kit_encode(c, true, mem);
    view twice = kit_encode(kit_decode(once, mem), true, mem);
    cr_assert(view_eq(once, twice));
    cr_assert_gt(once.n, 50000);
}

Test(case_codec, sources_survive)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = case_new(mem);
    struct case_party *p = case_add_parties(mem, c);
    struct case_person *person = case_make_party_person(mem, p);
    struct case_person_name *name = case_add_person_names(mem, person);
    leaf_set_text(&p->kind, V("person"), source_of(7, 9, HOW_MAPPED));
    leaf_set_text(&name->text, V("王小明"), (struct source){123456, 70000, 513, HOW_PARSED, 0});
    struct claim_case *back = kit_decode(kit_encode(c, true, mem), mem);
    struct source kind = back->parties->kind.src, text = back->parties->person->names->text.src;
    cr_assert_eq(kind.from, 7);
    cr_assert_eq(kind.how, HOW_MAPPED);
    cr_assert_eq(text.from, 123456);
    cr_assert_eq(text.length, 70000);
    cr_assert_eq(text.document, 513);
    cr_assert_eq(text.how, HOW_PARSED);
    cr_assert(view_eq(back->parties->person->names->id, V("p1n1")));
}

Test(case_codec, absent_members_are_left_out)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = case_new(mem);
    cr_assert_not_null(case_make_event(mem, c));
    struct case_expense *e = case_add_expenses(mem, c);
    cr_assert_not_null(case_make_expense_totals(mem, e));
    leaf_set_text(&e->no, V("R-1"), source_of(0, 1, HOW_COPIED));
    view text = kit_encode(c, false, mem);
    cr_assert(view_eq(text, V("{\"expenses\":[{\"id\":\"exp1\",\"no\":\"R-1\"}]}")), "%.*s", VIEW_ARG(text));
}

static const struct {
    const char *text;
    const char *where;
} bad[] = {
    {"{\"surprise\":1}", "/surprise"},
    {"{\"parties\":{}}", "/parties"},
    {"{\"parties\":[{\"kind\":\"person\"}]}", "/parties/0"},
    {"{\"parties\":[{\"id\":\"p\\\\1\"}]}", "/parties/0"},
    {"{\"parties\":[{\"id\":\"\"}]}", "/parties/0"},
    {"{\"parties\":[{\"id\":\"p1\",\"kind\":\"robot\"}]}", "/parties/0/kind"},
    {"{\"parties\":[{\"id\":\"p1\",\"kind\":7}]}", "/parties/0/kind"},
    {"{\"event\":{\"work_related\":\"yes\"}}", "/event/work_related"},
    {"{\"event\":{\"first_symptom\":\"2026-01-01\"}}", "/event/first_symptom"},
    {"{\"event\":{\"first_symptom\":{\"value\":\"2026-13-01\"}}}", "/event/first_symptom/value"},
    {"{\"event\":{\"first_symptom\":{\"value\":\"2026-01-01\",\"more\":\"x\"}}}",
     "/event/first_symptom/more"},
    {"{\"event\":{\"occurred\":{\"from\":\"yesterday\"}}}", "/event/occurred/from"},
    {"{\"accident\":{\"casualties\":{\"injured\":1.5}}}", "/accident/casualties/injured"},
    {"{\"expenses\":[{\"id\":\"exp1\",\"totals\":{\"copay\":{\"stated\":{\"amount\":12}}}}]}",
     "/expenses/0/totals/copay/stated/amount"},
    {"{\"expenses\":[{\"id\":\"exp1\",\"totals\":{\"copay\":{\"stated\":{\"amount\":\"1e3\"}}}}]}",
     "/expenses/0/totals/copay/stated/amount"},
    {"{\"event\":{\"kind\":\"illness\"},\"sources\":\"!!\"}", "/sources"},
    {"{\"event\":{\"kind\":\"illness\"},\"sources\":\"AAAA\"}", "/sources"},
    {"[]", ""},
};

Test(case_codec, refuses_what_the_encoder_never_writes)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        arena *mem AUTO(arena_free) = room();
        struct tree t;
        struct fault f;
        fault_init(&f);
        struct claim_case *c = NULL;
        cr_assert_eq(tree_read_json(view_of(bad[i].text), NULL, mem, &t, &f), E_OK);
        cr_assert_eq(case_decode(&t, tree_root(&t), mem, &c, &f), E_SCHEMA, "%s", bad[i].text);
        cr_assert_null(c);
        cr_assert_str_eq(f.where, bad[i].where);
    }
}

Test(case_codec, a_word_outside_its_list_is_not_stored)
{
    arena *mem AUTO(arena_free) = room();
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 16);
    struct claim_case *c = case_new(mem);
    leaf_set_text(&case_make_event(mem, c)->kind, V("earthquake"), source_of(0, 1, HOW_COPIED));
    cr_assert_eq(case_encode(c, NULL, false, &out), E_SCHEMA);
}

Test(case_codec, a_full_buffer_is_told)
{
    arena *mem AUTO(arena_free) = room();
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 100);
    cr_assert_eq(case_encode(kit_case(mem, 1), NULL, true, &out), E_TOO_LARGE);
}

static bool
only_first(void *self, enum case_record record, const void *element)
{
    (void)self;
    return record != RECORD_party || view_eq(((const struct case_head *)element)->id, V("p1"));
}

Test(case_codec, a_filter_leaves_groups_and_elements_out)
{
    arena *mem AUTO(arena_free) = room();
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 20);
    struct claim_case *c = kit_case(mem, 2);
    struct case_filter filter = {.groups = CASE_GROUP_BIT(GROUP_names), .element = only_first};
    cr_assert_eq(case_encode(c, &filter, false, &out), E_OK);
    cr_assert_eq(view_find(buf_view(&out), V("identifiers")), out.n);
    cr_assert_eq(view_find(buf_view(&out), V("expenses")), out.n);
    cr_assert_eq(view_find(buf_view(&out), V("\"p2\"")), out.n);
    cr_assert_lt(view_find(buf_view(&out), V("names")), out.n);
}

static const struct {
    const char *in, *out;
} times[] = {
    {"2026-06-01T08:30:00+08:00", "2026-06-01T08:30:00+08:00"},
    {"2026-06-01T23:30:00-05:00", "2026-06-01T23:30:00-05:00"},
    {"2026-06-01T08:30:00.250Z", "2026-06-01T08:30:00.250Z"},
    {"2026-06-01T08:30:00.123456+05:45", "2026-06-01T08:30:00.123456+05:45"},
    {"2026-06-01", "2026-06-01"},
    {"2026-06", "2026-06"},
    {"2026", "2026"},
};

Test(case_codec, times_keep_offset_and_precision)
{
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct leaf_time leaf = {0};
        char text[TIME_TEXT_SIZE];
        cr_assert_eq(leaf_parse_time(&leaf, view_of(times[i].in), source_of(0, 1, HOW_COPIED)), E_OK);
        view printed = leaf_print_time(&leaf, text);
        cr_assert(view_eq(printed, view_of(times[i].out)), "%.*s", VIEW_ARG(printed));
    }
}

Test(case_codec, dates_keep_what_was_written)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = case_new(mem);
    date day;
    cr_assert_eq(date_parse_roc(V("1150601"), &day), E_OK);
    leaf_set_date(&case_make_event(mem, c)->first_symptom, day, V("1150601"), source_of(0, 7, HOW_PARSED));
    view text = kit_encode(c, false, mem);
    cr_assert(view_eq(text, V("{\"event\":{\"first_symptom\":{\"value\":\"2026-06-01\",\"raw\":\"1150601\","
                              "\"calendar\":\"ROC\"}}}")),
              "%.*s", VIEW_ARG(text));
    cr_assert(view_eq(kit_encode(kit_decode(text, mem), false, mem), text));
}

Test(case_codec, provenance_is_rendered_on_demand)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = case_new(mem);
    cr_assert_not_null(case_add_documents(mem, c));
    struct case_expense *e = case_add_expenses(mem, c);
    leaf_set_text(&e->no, V("R-1"), source_of(40, 5, HOW_COPIED));
    leaf_set_text(&e->kind, V("other"), source_gateway(HOW_ASSERTED));
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 16);
    cr_assert_eq(case_print_provenance(c, &out), E_OK);
    cr_assert(
        view_eq(buf_view(&out),
                V("{\"/expenses/exp1/kind\":[{\"how\":\"asserted\"}],"
                  "\"/expenses/exp1/no\":[{\"document\":\"#d1\",\"range\":[40,5],\"how\":\"copied\"}]}")),
        "%.*s", VIEW_ARG(buf_view(&out)));
}

/* -- pointers -- */

Test(case_walk, pointers_lead_back)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = kit_case(mem, 2);
    view p = case_pointer(c, V("exp2l1"), V("amount/amount"), mem);
    cr_assert(view_eq(p, V("/expenses/exp2/lines/exp2l1/amount/amount")), "%.*s", VIEW_ARG(p));
    enum case_record record;
    view rest;
    const void *element = case_pointer_element(c, p, &record, &rest);
    cr_assert_eq(element, c->expenses->next->lines);
    cr_assert_eq(record, RECORD_expense_line);
    cr_assert(view_eq(rest, V("amount/amount")));
    cr_assert_null(case_pointer(c, V("exp9"), VIEW_NONE, mem).p);
    cr_assert_null(case_pointer_element(c, V("/nothing/here"), &record, &rest));
}

struct ids {
    view seen[4096];
    size_t n;
};

static err
unique_id(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    (void)at;
    struct ids *ids = self;
    if (case_row_of(record)->form != FORM_ELEMENT)
        return E_OK;
    view id = ((struct case_head *)record_at)->id;
    for (size_t i = 0; i < ids->n; i++)
        cr_assert_not(view_eq(ids->seen[i], id), "%.*s twice", VIEW_ARG(id));
    cr_assert_lt(ids->n, COUNT_OF(ids->seen));
    ids->seen[ids->n++] = id;
    return E_OK;
}

Test(case_walk, ids_are_unique_in_the_case)
{
    arena *mem AUTO(arena_free) = room();
    static struct ids ids;
    struct case_visitor v = {.enter = unique_id, .self = &ids};
    cr_assert_eq(case_walk(kit_case(mem, 2), &v), E_OK);
    cr_assert_gt(ids.n, 100);
}

/* -- the table -- */

Test(case_table, every_leaf_has_class_and_group)
{
    for (unsigned r = 0; r < RECORD_COUNT; r++) {
        const struct case_row *row = case_row_of((enum case_record)r);
        for (unsigned i = 0; i < row->n; i++) {
            const struct case_field *f = &row->fields[i];
            bool holds = f->kind == FIELD_ONE || f->kind == FIELD_LIST;
            if (row->form == FORM_VALUE)
                cr_assert(f->class == CLASS_inherit && f->group == GROUP_inherit, "%s.%s", row->name,
                          f->name);
            else if (!holds)
                cr_assert(f->class != CLASS_inherit && f->group != GROUP_inherit, "%s.%s", row->name,
                          f->name);
        }
    }
}

Test(case_table, names_are_short_and_once)
{
    for (unsigned r = 0; r < RECORD_COUNT; r++) {
        const struct case_row *row = case_row_of((enum case_record)r);
        for (unsigned i = 0; i < row->n; i++) {
            view name = case_field_name(&row->fields[i]);
            cr_assert_leq(name.n, CASE_NAME_MAX);
            for (unsigned k = 0; k < i; k++)
                cr_assert_not(view_eq(name, case_field_name(&row->fields[k])), "%s.%s", row->name,
                              row->fields[i].name);
        }
    }
}

Test(case_table, every_group_has_a_leaf)
{
    bool used[GROUP_COUNT] = {[GROUP_inherit] = true};
    for (unsigned r = 0; r < RECORD_COUNT; r++)
        for (unsigned i = 0; i < case_row_of((enum case_record)r)->n; i++)
            used[case_row_of((enum case_record)r)->fields[i].group] = true;
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        cr_assert(used[g], "%s", case_group_word((enum case_group)g));
}

Test(case_table, words)
{
    cr_assert(case_word_known(WORDS_cali_class, V("微電")));
    cr_assert(case_word_known(WORDS_contract_regime, V("n/a")));
    cr_assert_not(case_word_known(WORDS_line, V("lif")));
    cr_assert_not(case_word_known(WORDS_line, V("life|health")));
    cr_assert_not(case_word_known(WORDS_line, V("")));
}

/* -- the schema -- */

static void
compare_file(const char *path, bool closed)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4 << 20);
    case_print_schema(&out, closed);
    cr_assert_not(out.failed);
    if (getenv("CLAIMGATE_WRITE")) {
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file);
        cr_assert_eq(fwrite(out.p, 1, out.n, file), out.n);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = calloc(1, out.n + 2);
    size_t n = fread(text, 1, out.n + 1, file);
    fclose(file);
    cr_assert(view_eq(view_make(text, n), buf_view(&out)),
              "%s differs from the table: run this test with CLAIMGATE_WRITE=1", path);
    free(text);
}

Test(case_schema, files_are_what_the_table_says)
{
    compare_file(TEST_SOURCE_DIR "/openapi/case.schema.json", true);
    compare_file(TEST_SOURCE_DIR "/openapi/case.open.schema.json", false);
}

/* The vectors of the schema's contract test are read by the decoder too, and written back byte for byte. */
static view
read_sample(const char *path, arena *mem)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = arena_alloc(mem, 1 << 20);
    size_t n = fread(text, 1, 1 << 20, file);
    fclose(file);
    return view_trim(view_make(text, n));
}

#define SAMPLES TEST_SOURCE_DIR "/tests/vectors/case/"
static const char *const samples[] = {SAMPLES "full.json", SAMPLES "appendix.json", SAMPLES "motor.json"};

Test(case_schema, samples_are_read_and_written)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        arena *mem AUTO(arena_free) = room();
        view bytes = read_sample(samples[i], mem);
        view back = kit_encode(kit_decode(bytes, mem), false, mem);
        cr_assert(view_eq(back, bytes), "%s comes back as %.*s", samples[i], VIEW_ARG(back));
    }
}

/* The sample with every member of the table. */
Test(case_schema, full_sample_is_complete)
{
    arena *mem AUTO(arena_free) = room();
    struct claim_case *c = kit_case(mem, 2);
    struct kit k = {.mem = mem, .c = c};
    kit_link(&k);
    view text = kit_encode(c, false, mem);
    if (getenv("CLAIMGATE_WRITE")) {
        FILE *file = fopen(samples[0], "wb");
        cr_assert_not_null(file);
        cr_assert_eq(fwrite(text.p, 1, text.n, file), text.n);
        cr_assert_eq(fputc('\n', file), '\n');
        fclose(file);
    }
    cr_assert(view_eq(read_sample(samples[0], mem), text), "run this test with CLAIMGATE_WRITE=1");
}
