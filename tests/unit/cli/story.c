#include "cli/demo/story.h"

#include "cli/demo/query.h"

#include <criterion/criterion.h>

static arena *mem;

static void
begin(void)
{
    mem = arena_new(16u << 20);
}

static void
end(void)
{
    arena_free(mem);
}

static json_t *
json_of(const char *text)
{
    json_t *json = NULL;
    cr_assert_eq(json_load(view_of(text), mem, &json, NULL), E_OK, "%s", text);
    return json;
}

/* -- questions -- */

static void
asks(const char *text, const char *question, const char *expected)
{
    view answer = VIEW_NONE;
    cr_assert_eq(query(json_of(text), view_of(text), view_of(question), mem, &answer), E_OK, "%s", question);
    cr_assert(view_eq(answer, view_of(expected)), "%s: %.*s", question, VIEW_ARG(answer));
}

Test(query, finds_sums_counts_and_searches, .init = begin, .fini = end)
{
    const char *const text = "{\"a\":{\"n\":7,\"b\":[{\"kind\":\"x\",\"m\":\"10.50\"},{\"kind\":\"y\",\"m\":"
                             "\"2\"},{\"kind\":\"x\"}]},"
                             "\"t\":true,\"o\":{\"q\":[1]}}";
    asks(text, "/a/n", "7");
    asks(text, "/t", "true");
    asks(text, "/o", "{\"q\":[1]}");
    asks(text, "/a/b/0/m", "10.50");
    asks(text, "/a/b/*/kind", "x, y, x");
    asks(text, "/a/b/kind=x/m", "10.50");
    asks(text, "/a/b/kind=z/m", "");
    asks(text, "/a/b/9/m", "");
    asks(text, "/nothing/here", "");
    asks(text, "sum /a/b/*/m", "12.50");
    asks(text, "sum /a/b/kind=z/m", "0");
    asks(text, "count /a/b/*", "3");
    asks(text, "count /a/*", "2");
    asks(text, "count /nothing/*", "0");
    asks(text, "text 10.50", "yes");
    asks(text, "text 11.50", "no");
}

Test(query, an_answer_without_json_can_be_searched, .init = begin, .fini = end)
{
    view answer;
    cr_assert_eq(query(NULL, V("plain"), V("text lain"), mem, &answer), E_OK);
    cr_assert(view_eq(answer, V("yes")));
    cr_assert_eq(query(NULL, V("plain"), V("/a"), mem, &answer), E_OK);
    cr_assert_eq(answer.n, 0u);
}

Test(query, other_questions_are_refused, .init = begin, .fini = end)
{
    static const char *const wrong[] = {"", "a", "sum", "sum a", "mean /a", "sum /a/n/word", "each /a"};
    json_t *json = json_of("{\"a\":{\"n\":{\"word\":\"x\"}}}");
    view answer;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        cr_expect_eq(query(json, V("{}"), view_of(wrong[i]), mem, &answer), E_SYNTAX, "%s", wrong[i]);
}

/* -- filling in -- */

static struct story
story_of(const char *own)
{
    struct story s = {.mem = mem, .words = json_object(), .day = {2026, 2, 27, DATE_DAY, CALENDAR_AD}};
    s.own = json_of(own);
    s.common = json_of(
        "{\"words\":{\"K1\":\"A99\",\"deep\":\"<${K1}>\"},\"objects\":{\"one\":{\"a\":\"${K1}\",\"b\":2}}}");
    cr_assert(arena_defer(mem, json_decref_fn, s.words));
    return s;
}

static void
fills(const char *own, const char *value, const char *expected)
{
    struct story s = story_of(own);
    json_t *filled = NULL;
    struct fault f;
    fault_init(&f);
    story_keep(&s, "took", V("clm-1"));
    cr_assert_eq(story_fill(&s, json_of(value), mem, &filled, &f), E_OK, "%s at %s", value, f.where);
    cr_assert(view_eq(json_dump_arena(filled, mem), view_of(expected)), "%.*s",
              VIEW_ARG(json_dump_arena(filled, mem)));
}

Test(story, words_days_and_objects_are_filled_in, .init = begin, .fini = end)
{
    const char *const own = "{\"words\":{\"no\":\"115\",\"K1\":\"own\"},\"objects\":{\"two\":{\"$use\":"
                            "\"one\",\"b\":3,\"c\":[\"${no}\"]}}}";
    fills("{}", "[\"x ${K1} y\",1,true,null]", "[\"x A99 y\",1,true,null]");
    fills("{}", "[\"${deep}\",\"${took}\"]", "[\"<A99>\",\"clm-1\"]");
    fills(own, "\"${K1}${no}\"", "\"own115\"");
    fills(own, "\"#${no}\"", "115");
    fills(own, "\"#\"", "\"#\"");
    fills("{}", "[\"${day:0}\",\"${day:2}\",\"${day:-27}\"]",
          "[\"2026-02-27\",\"2026-03-01\",\"2026-01-31\"]");
    fills("{}", "{\"$use\":\"one\"}", "{\"a\":\"A99\",\"b\":2}");
    fills(own, "{\"$use\":\"two\",\"d\":{\"$use\":\"one\",\"a\":1}}",
          "{\"a\":\"own\",\"b\":3,\"c\":[\"115\"],\"d\":{\"a\":1,\"b\":2}}");
}

Test(story, what_is_not_known_is_refused, .init = begin, .fini = end)
{
    static const struct {
        const char *value;
        err expected;
    } cases[] = {
        {"\"${nobody}\"", E_NOT_FOUND},
        {"\"${consent:nothing}\"", E_NOT_FOUND},
        {"\"${day:x}\"", E_SYNTAX},
        {"{\"$use\":\"nothing\"}", E_NOT_FOUND},
        {"{\"$use\":\"circle\"}", E_JSON_DEPTH},
        {"\"${round}\"", E_JSON_DEPTH},
    };
    struct story s = story_of(
        "{\"words\":{\"round\":\"${round}\"},\"objects\":{\"circle\":{\"a\":{\"$use\":\"circle\"}}}}");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *filled = NULL;
        cr_expect_eq(story_fill(&s, json_of(cases[i].value), mem, &filled, NULL), cases[i].expected, "%s",
                     cases[i].value);
    }
}

/* -- the stories themselves -- */

static bool
is_in(const json_t *list, view word)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        if (view_eq(view_of(json_string_value(one)), word))
            return true;
    }
    return false;
}

/* A step with what earlier ones took filled in; what it takes is kept for later ones. */
static void
check_step(struct story *s, const json_t *raw, const char *name, size_t number)
{
    struct fault f;
    json_t *step = NULL, *fact;
    const char *word;
    size_t i;
    fault_init(&f);
    cr_assert_eq(story_fill(s, raw, mem, &step, &f), E_OK, "%s, step %zu: %s", name, number, f.where);
    if (json_member(step, "day"))
        return;
    cr_expect(is_in(json_member(s->own, "cast"), json_text(step, "by")) ||
                  view_eq(json_text(step, "by"), V("op")),
              "%s, step %zu: who plays it", name, number);
    view code = json_text(step, "expect");
    cr_expect(!code.n || view_eq(view_of(err_info(err_by_code(code))->code), code),
              "%s, step %zu: %.*s is no code", name, number, VIEW_ARG(code));
    cr_expect(!code.n || json_text(step, "tell").n, "%s, step %zu: a refusal is told", name, number);
    json_array_foreach(json_member(step, "facts"), i, fact)
    {
        view answer;
        cr_expect(json_text(fact, "what").n && json_text(fact, "is").p, "%s, step %zu: fact %zu", name,
                  number, i);
        cr_expect_eq(query(NULL, V(""), json_text(fact, "at"), mem, &answer), E_OK, "%s, step %zu: fact %zu",
                     name, number, i);
    }
    json_object_foreach(json_object_get(step, "take"), word, fact) story_keep(s, word, V("taken"));
}

Test(story, every_step_of_every_story_can_be_filled_in_by_the_ones_before_it, .init = begin, .fini = end)
{
    size_t n = 0;
    for (; story_name(n); n++) {
        struct story s;
        size_t i;
        json_t *step;
        cr_assert_eq(story_open(story_name(n), mem, &s, NULL), E_OK);
        cr_expect(json_text(s.own, "title").n && json_text(s.own, "scenario").n);
        json_array_foreach(json_member(s.own, "steps"), i, step) check_step(&s, step, story_name(n), i);
    }
    cr_assert_geq(n, 6u);
}
