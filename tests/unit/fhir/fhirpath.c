#include "fhir/fhirpath.h"

#include "fhir/bundle_index.h"

#include "fhir_kit.h"

/* One patient for all rows; given has an item with an extension and no value. */
static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"Clinic\"}],"
    "\"name\":[{\"use\":\"official\",\"family\":\"Lin\",\"given\":[\"Mei\",null],"
    "\"_given\":[null,{\"extension\":[{\"url\":\"http://e/x\",\"valueString\":\"v\"}]}]},"
    "{\"use\":\"usual\",\"given\":[\"\\u7f8e\\u7f8e\",\"Mei\"]}],"
    "\"gender\":\"female\",\"birthDate\":\"1990-05-17\","
    "\"_birthDate\":{\"extension\":[{\"url\":\"http://e/t\",\"valueDateTime\":\"1990-05-17T08:00:00Z\"}]},"
    "\"deceasedBoolean\":false,\"multipleBirthInteger\":2,"
    "\"managingOrganization\":{\"reference\":\"#o\"},"
    "\"extension\":[{\"url\":\"http://e/"
    "q\",\"valueQuantity\":{\"value\":4.50,\"unit\":\"mg\",\"code\":\"mg\","
    "\"system\":\"http://unitsofmeasure.org\"}},"
    "{\"url\":\"http://e/d\",\"valueDecimal\":12.50},{\"url\":\"http://e/d\",\"valueDecimal\":12.5}]}";

static const struct node *
resolve(void *self, const struct node *from, view reference)
{
    return bundle_resolve(self, from, reference);
}
static const struct fhirpath_doors doors = {.resolve = resolve};

static struct fhirpath_focus
focus_of(struct kit *k)
{
    cr_assert_eq(kit_read(k, patient), E_OK);
    cr_assert_eq(bundle_of_resource(&k->tree, k->mem, &k->bundle, &k->issues), E_OK);
    const struct node *root = tree_root(&k->tree);
    return (struct fhirpath_focus){
        .tree = &k->tree, .node = root, .resource = root, .doors = &doors, .self = &k->bundle, .mem = k->mem};
}

/* The values with blanks between them; a fault as its code. */
static view
answer(struct kit *k, const struct fhirpath_focus *focus, const char *text)
{
    view program;
    struct fhirpath_values values;
    struct buf out AUTO_DONE(buf_done) = {0};
    fault_init(&k->fault);
    err e = fhirpath_compile(view_of(text), k->mem, &program, &k->fault);
    if (e == E_OK && fhirpath_check(program) != E_OK)
        return V("its program is refused");
    if (e == E_OK)
        e = fhirpath_eval(program, focus, &values, &k->fault);
    if (e != E_OK)
        return view_of(err_info(e)->code);
    buf_init(&out, 1U << 20);
    for (uint32_t i = 0; i < values.n; i++) {
        if (i > 0)
            buf_add_byte(&out, ' ');
        view value = fhirpath_text(focus, &values.items[i], k->mem);
        buf_add_view(&out, value.p ? value : V("-"));
    }
    return out.n > 0 ? arena_dup(k->mem, buf_view(&out)) : V("");
}

static const struct {
    const char *expression, *answer;
} rows[] = {
    /* paths */
    {"name.given", "Mei - 美美 Mei"},
    {"Patient.name.family", "Lin"},
    {"Encounter.name", ""},
    {"name[1].given[0]", "美美"},
    {"name[2]", ""},
    {"deceased", "false"},
    {"deceasedBoolean", "false"},
    {"multipleBirth + 1", "3"},
    {"name.given.extension('http://e/x').value", "v"},
    {"name.given.extension.url", "http://e/x"},
    {"birthDate.extension('http://e/t').value is dateTime", "true"},
    {"contained.name", "Clinic"},
    {"contained[0] is Organization", "true"},
    {"managingOrganization.resolve().name", "Clinic"},
    {"%resource.id & %context.id & %rootResource.id", "ppp"},
    {"`name`.`use`", "official usual"},
    /* values */
    {"name.given.hasValue()", "false"},
    {"name[0].given.select(hasValue())", "true false"},
    {"extension('http://e/d').value", "12.50 12.5"},
    {"extension('http://e/d').value.distinct()", "12.50"},
    {"extension('http://e/q').value", "4.50 'mg'"},
    {"extension('http://e/q').value = 0.0045 'g'", "true"},
    {"extension('http://e/q').value.value * 2", "9.00"},
    /* logic of three values */
    {"{} and false", "false"},
    {"{} and true", ""},
    {"{} or true", "true"},
    {"{} xor true", ""},
    {"{} implies true", "true"},
    {"false implies (name | name.given) = 1", "true"},
    {"true and (name)", "fhirpath-failed"},
    {"active and gender", "true"},
    {"not()", "false"},
    {"{}.not()", ""},
    /* precedence */
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"-2.abs()", "-2"},
    {"1 | 2 | 2 = 1 | 2", "true"},
    {"true or false and false", "true"},
    {"1 + 1 is Integer", "true"},
    {"5 div 2 + 5 mod 2", "3"},
    {"1 < 2 = true", "true"},
    {"'a' in 'a' | 'b' and true", "true"},
    /* numbers */
    {"0.1 + 0.2 = 0.3", "true"},
    {"1 / 3 * 3 = 1", "false"},
    {"10 / 4", "2.5"},
    {"1 / 0", ""},
    {"9223372036854775807 + 1", ""},
    {"99999999999999999999", "fhirpath-syntax"},
    {"2.5.round()", "3"},
    {"(-2.5).round()", "-3"},
    {"1.005.round(2)", "1.01"},
    {"12345678901234567890.123456789 + 0.000000001", "12345678901234567890.123456790"},
    {"2.power(10)", "1024"},
    {"16.sqrt()", "4"},
    /* times */
    {"birthDate = @1990-05-17", "true"},
    {"birthDate > @1990-05", ""},
    {"birthDate < @1991", "true"},
    {"@2024-01-31 + 1 month", "2024-02-29"},
    {"@2024 + 24 months", "2026"},
    {"@2026-01-01T00:00:00+08:00 = @2025-12-31T16:00:00Z", "true"},
    {"@2026-01-01T00:00:00 = @2026-01-01T00:00:00Z", ""},
    {"@T23:30 + 45 minutes", "00:15"},
    {"@2024 + 999999999999 weeks", ""},
    {"@2024-01 - 40 days", "2023-12"},
    {"@2026-02-30", "fhirpath-failed"},
    {"now() > @2000", "true"},
    /* texts */
    {"'\\u7f8e'.length()", "1"},
    {"name[1].given[0].substring(1)", "美"},
    {"'a,b,,c'.split(',').join('-')", "a-b--c"},
    {"'abc'.matches('^[a-c]+$')", "true"},
    {"'line\\nline'.matches('^line.line$')", "true"},
    {"'xay'.matches('a')", "true"},
    {"'xay'.matchesFull('a')", "false"},
    {"'TAF'.matches('^(?!CAP$|TAF$)[A-Z]+$')", "false"},
    {"'abc'.matches('[')", "fhirpath-failed"},
    {"'2026-11'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", "11/2026"},
    {"'ab'.replace('', '-')", "-a-b-"},
    {"'A' & {} & 'b'", "Ab"},
    {"'A' + {}", ""},
    {"name.contains('x')", "fhirpath-failed"},
    {"'a\\qb'", "fhirpath-syntax"},
    {"'abc'.upper().lower().toChars().count()", "3"},
    /* collections */
    {"name.where(use = 'official').family", "Lin"},
    {"name.exists(given.count() > 1)", "true"},
    {"name.all(use.exists())", "true"},
    {"name.select(given.count())", "2 2"},
    {"name.given.isDistinct()", "false"},
    {"(1 | 2 | 3).aggregate($total + $this, 0)", "6"},
    {"(3 | 1 | 2).sort()", "1 2 3"},
    {"(3 | 1 | 2).sort(-$this)", "3 2 1"},
    {"(1 | 2).select($index)", "0 1"},
    {"iif(active, 'on', 'off')", "on"},
    {"iif(false, 1 / 0 + 'x')", ""},
    {"(1 | 2 | 3).intersect(2 | 3 | 4).exclude(3)", "2"},
    {"(1|2|3|4|5|6|7|8|9|10|11|10|1).count()", "11"},
    {"1.subsetOf(1 | 2) and (1 | 2).supersetOf(2)", "true"},
    {"repeat(contained).count()", "1"},
    {"name.trace('n', given).count()", "2"},
    {"descendants().where($this is Quantity).unit", "mg"},
    {"children().count() = descendants().count()", "false"},
    {"(1 | 2).single()", "fhirpath-failed"},
    {"name = name", "true"},
    {"name ~ (name[1] | name[0])", "true"},
    /* types */
    {"gender is string", "true"},
    {"gender as string", ""},
    {"gender.ofType(code)", "female"},
    {"gender is System.String", "false"},
    {"active is Boolean", "true"},
    {"active.is(Boolean)", "false"},
    /* Found by eight valid e-prescriptions that were refused: as(Boolean) takes a FHIR boolean. */
    {"active.as(Boolean)", "true"},
    {"deceased.as(Boolean) = false", "true"},
    {"gender is Boolean", "false"},
    {"1 is System.Integer", "true"},
    {"type().name", "Patient"},
    {"Patient is DomainResource", "true"},
    {"gender is stringy", "fhirpath-failed"},
    /* what is no expression */
    {"", "fhirpath-syntax"},
    {"name.", "fhirpath-syntax"},
    {"name.first(1)", "fhirpath-syntax"},
    {"name.where()", "fhirpath-syntax"},
    {"unheard()", "fhirpath-syntax"},
    {"(name", "fhirpath-syntax"},
    {"name)", "fhirpath-syntax"},
    {"a ? b", "fhirpath-syntax"},
    {"'open", "fhirpath-syntax"},
    {"/* open", "fhirpath-syntax"},
    {"%unknown", "fhirpath-syntax"},
    {"name // and a remark\n.family", "Lin"},
};

Test(fhirpath, answers)
{
    struct kit k;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        view got = answer(&k, &focus, rows[i].expression);
        cr_expect(view_eq(got, view_of(rows[i].answer)), "%s gives \"%.*s\", not \"%s\" (%s / %s)",
                  rows[i].expression, VIEW_ARG(got), rows[i].answer, k.fault.expected, k.fault.found);
    }
    kit_done(&k);
}

static bool
holds(struct kit *k, const struct fhirpath_focus *focus, const char *text)
{
    view program;
    bool truth = false;
    cr_assert_eq(fhirpath_compile(view_of(text), k->mem, &program, &k->fault), E_OK, "%s", text);
    cr_assert_eq(fhirpath_holds(program, focus, &truth, &k->fault), E_OK, "%s", text);
    return truth;
}

Test(fhirpath, as_an_invariant_empty_is_false_and_any_value_true)
{
    struct kit k;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    cr_assert(holds(&k, &focus, "name"));
    cr_assert(holds(&k, &focus, "gender"));
    cr_assert(!holds(&k, &focus, "photo"));
    cr_assert(!holds(&k, &focus, "deceased"));
    cr_assert(
        holds(&k, &focus,
              "extension.value.where($this is decimal).all($this > 12.4 and $this.toString().length() > 3)"));
    kit_done(&k);
}

Test(fhirpath, a_small_invariant_takes_nothing_of_the_arena)
{
    struct kit k;
    view program;
    bool truth = false;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    view text =
        V("name.where(use = 'official').exists(family.exists() or given.exists()) and birthDate < @2020");
    cr_assert_eq(fhirpath_compile(text, k.mem, &program, &k.fault), E_OK);
    size_t before = arena_used(k.mem);
    cr_assert_eq(fhirpath_holds(program, &focus, &truth, &k.fault), E_OK);
    cr_assert(truth);
    cr_assert_eq(arena_used(k.mem), before);
    kit_done(&k);
}

/* A program may lie anywhere in a file that is mapped. */
Test(fhirpath, a_program_runs_from_any_address)
{
    struct kit k;
    view program;
    bool truth = false;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    cr_assert_eq(fhirpath_compile(V("name.count() = 2 and 1.5 > 1"), k.mem, &program, &k.fault), E_OK);
    char *copy = arena_alloc(k.mem, program.n + 3);
    for (size_t shift = 0; shift < 3; shift++) {
        memcpy(copy + shift, program.p, program.n);
        cr_assert_eq(fhirpath_holds((view){copy + shift, program.n}, &focus, &truth, &k.fault), E_OK);
        cr_assert(truth);
    }
    kit_done(&k);
}

/* Every single byte changed: refused, or run to an end without harm. */
Test(fhirpath, damaged_programs_do_no_harm)
{
    struct kit k;
    view program;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    view text =
        V("name.where(use = 'official' and given.count() > 0).select(family | given).first().length() + 2");
    cr_assert_eq(fhirpath_compile(text, k.mem, &program, &k.fault), E_OK);
    char *copy = arena_alloc(k.mem, program.n);
    size_t refused = 0;
    for (size_t i = 0; i < program.n * 8; i++) {
        uint64_t steps = 100000;
        struct fhirpath_values values;
        memcpy(copy, program.p, program.n);
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
        focus.steps = &steps;
        if (fhirpath_check((view){copy, program.n}) != E_OK)
            refused++;
        else
            cr_assert_leq(fhirpath_eval((view){copy, program.n}, &focus, &values, NULL), ERR_COUNT);
    }
    cr_assert_gt(refused, 100);
    kit_done(&k);
}

Test(fhirpath, ends_by_its_steps_and_its_memory)
{
    struct kit k;
    view program;
    struct fhirpath_values values;
    uint64_t steps = 1000;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    focus.steps = &steps;
    view cube = V("descendants().select(%resource.descendants().select(%resource.descendants()))");
    cr_assert_eq(fhirpath_compile(cube, k.mem, &program, &k.fault), E_OK);
    cr_assert_eq(fhirpath_eval(program, &focus, &values, &k.fault), E_FHIRPATH_LIMIT);
    cr_assert_eq(steps, 0);
    focus.steps = NULL;
    arena *small = arena_new(1U << 20);
    focus.mem = small;
    fault_init(&k.fault);
    cr_assert_eq(fhirpath_eval(program, &focus, &values, &k.fault), E_TOO_LARGE);
    arena_free(small);
    kit_done(&k);
}

Test(fhirpath, a_pattern_that_goes_back_and_forth_ends)
{
    struct kit k;
    kit_init(&k);
    struct fhirpath_focus focus = focus_of(&k);
    view got = answer(&k, &focus, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^((a+)+)+$')");
    cr_assert(view_eq(got, V("fhirpath-limit")) || view_eq(got, V("false")), "%.*s", VIEW_ARG(got));
    kit_done(&k);
}

Test(fhirpath, nesting_is_bounded)
{
    struct kit k;
    struct buf text AUTO_DONE(buf_done) = {0};
    view program;
    kit_init(&k);
    buf_init(&text, 1U << 20);
    for (int i = 0; i < FHIRPATH_NESTING_MOST + 1; i++)
        buf_add_byte(&text, '(');
    cr_assert_eq(fhirpath_compile(buf_view(&text), k.mem, &program, &k.fault), E_FHIRPATH_SYNTAX);
    cr_assert_eq(k.fault.from, FHIRPATH_NESTING_MOST);
    kit_done(&k);
}

static void
count_one(void *self, uint32_t function)
{
    (void)function;
    ++*(unsigned *)self;
}

Test(fhirpath, tells_which_functions_a_program_calls)
{
    struct kit k;
    view program;
    unsigned n = 0;
    kit_init(&k);
    view text = V("name.where(given.exists()).select(iif(true, 1)).first() = name.exists(use = 'a')");
    cr_assert_eq(fhirpath_compile(text, k.mem, &program, &k.fault), E_OK);
    fhirpath_functions_of(program, count_one, &n);
    cr_assert_eq(n, 5); /* where exists select iif first */
    kit_done(&k);
}
