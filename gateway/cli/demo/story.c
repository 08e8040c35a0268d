#include "cli/demo/story.h"

#include "base/digest.h"
#include "base/embed.h"
#include "base/id.h"
#include "base/text.h"
#include "flow/person/consent_text.h"

#include <stdio.h>

#define DEPTH_MAX 32
#define TAIWAN_MINUTES 480

extern const struct embedded demo_stories[];
extern const size_t demo_stories_count;

/* -- open -- */

static bool
is_story(const struct embedded *file)
{
    return file->path[0] >= '0' && file->path[0] <= '9';
}

const char *
story_name(size_t i)
{
    for (size_t k = 0; k < demo_stories_count; k++)
        if (is_story(&demo_stories[k]) && i-- == 0)
            return demo_stories[k].path;
    return NULL;
}

static err
load(const char *path, arena *mem, const json_t **ret, struct fault *f)
{
    json_t *json = NULL;
    for (size_t k = 0; k < demo_stories_count; k++) {
        if (strcmp(demo_stories[k].path, path) != 0)
            continue;
        TRY(json_load(view_make(demo_stories[k].bytes, demo_stories[k].length), mem, &json, f));
        *ret = json;
        return E_OK;
    }
    return fault_set(f, E_NOT_FOUND, path, "a story", "none of this name");
}

err
story_open(const char *name, arena *mem, struct story *ret, struct fault *f)
{
    struct story s = {
        .mem = mem, .words = json_object(), .day = date_of_instant(clock_now(), TAIWAN_MINUTES)};
    if (!s.words || !arena_defer(mem, json_decref_fn, s.words))
        return E_TOO_LARGE;
    TRY(load("common.json", mem, &s.common, f));
    TRY(load(name, mem, &s.own, f));
    TRY(story_go_to_day(&s, 0));
    *ret = s;
    return E_OK;
}

err
story_go_to_day(struct story *s, int n)
{
    char text[16];
    story_keep(s, "today", date_print(date_of_days(date_days(s->day) + n), text));
    return json_text(s->words, "today").n ? E_OK : E_TOO_LARGE;
}

void
story_keep(struct story *s, const char *word, view value)
{
    json_object_set_new(s->words, word, json_text_new(value));
}

/* -- words -- */

static err
consent_hash(view name, arena *mem, view *ret)
{
    for (size_t i = 0; i < consent_texts_count; i++) {
        const struct consent_text *t = &consent_texts[i];
        if (!view_eq(view_of(t->id), name) || strcmp(t->lang, "zh-TW") != 0)
            continue;
        digest d = sha256(t->text);
        *ret = text_hex(mem, digest_view(&d));
        return ret->p ? E_OK : E_TOO_LARGE;
    }
    return E_NOT_FOUND;
}

static err
day_after(const struct story *s, view number, arena *mem, view *ret)
{
    char text[16];
    int64_t n;
    TRY(text_to_i64(number, &n));
    *ret = arena_dup(mem, date_print(date_of_days(date_days(s->day) + (int32_t)n), text));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
random_word(arena *mem, view *ret)
{
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    *ret = text_hex(mem, view_make(bytes, sizeof bytes));
    return ret->p ? E_OK : E_TOO_LARGE;
}

static err
word_of(const struct story *s, view name, arena *mem, view *ret)
{
    view rest = name, head = view_cut(&rest, ':', NULL);
    const char *word = arena_cstr(mem, name);
    const json_t *const places[] = {s->words, json_member(s->own, "words"), json_member(s->common, "words")};
    if (view_eq(head, V("day")))
        return day_after(s, rest, mem, ret);
    if (view_eq(head, V("consent")))
        return consent_hash(rest, mem, ret);
    if (view_eq(name, V("new")))
        return random_word(mem, ret);
    for (size_t i = 0; i < COUNT_OF(places) && word; i++) {
        *ret = json_text(places[i], word);
        if (ret->p)
            return E_OK;
    }
    return E_NOT_FOUND;
}

static err
fill_text(const struct story *s, view text, arena *mem, struct buf *out, int depth)
{
    while (text.n) {
        view word;
        size_t at = view_find(text, V("${"));
        buf_add_view(out, view_sub(text, 0, at));
        if (at == text.n)
            return E_OK;
        text = view_sub(text, at + 2, text.n);
        view name = view_cut(&text, '}', NULL);
        TRY(word_of(s, name, mem, &word));
        if (depth <= 0)
            return E_JSON_DEPTH;
        if (view_find(word, V("${")) < word.n)
            TRY(fill_text(s, word, mem, out, depth - 1)); /* words of words: four deep */
        else
            buf_add_view(out, word);
    }
    return out->failed ? E_TOO_LARGE : E_OK;
}

static err
fill_string(struct story *s, const json_t *value, arena *mem, json_t **ret, struct fault *f)
{
    struct buf out;
    int64_t number;
    view text = view_make(json_string_value(value), json_string_length(value));
    buf_init(&out, 1u << 20);
    err e = fill_text(s, text, mem, &out, 4);
    view whole = out.n ? buf_view(&out) : V("");
    bool is_number = view_starts(whole, V("#")) && text_to_i64(view_sub(whole, 1, whole.n), &number) == E_OK;
    *ret = e == E_OK ? is_number ? json_integer(number) : json_text_new(whole) : NULL;
    buf_done(&out);
    return e == E_OK ? E_OK : fault_set(f, e, arena_cstr(mem, text), "words that are known", "another");
}

/* -- objects -- */

static err fill(struct story *s, const json_t *value, int depth, arena *mem, json_t **ret, struct fault *f);

static err
used(struct story *s, const json_t *value, const json_t **ret, struct fault *f)
{
    const char *name = json_string_value(json_member(value, "$use"));
    const json_t *own = json_member(json_member(s->own, "objects"), name);
    *ret = own ? own : json_member(json_member(s->common, "objects"), name);
    return *ret ? E_OK : fault_set(f, E_NOT_FOUND, name, "an object of the story", "none of this name");
}

static err
fill_object(struct story *s, const json_t *value, int depth, arena *mem, json_t **ret, struct fault *f)
{
    const char *name;
    json_t *member, *filled;
    AUTO(json_free) json_t *whole = NULL;
    const json_t *base;
    if (json_member(value, "$use")) {
        TRY(used(s, value, &base, f));
        TRY(fill(s, base, depth, mem, &whole, f));
    } else {
        whole = json_object();
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        if (strcmp(name, "$use") == 0)
            continue;
        TRY(fill(s, member, depth, mem, &filled, f));
        json_object_set_new(whole, name, filled);
    }
    *ret = TAKE(whole);
    return E_OK;
}

static err
fill_list(struct story *s, const json_t *value, int depth, arena *mem, json_t **ret, struct fault *f)
{
    size_t i;
    json_t *item, *filled;
    AUTO(json_free) json_t *list = json_array();
    json_array_foreach(value, i, item)
    {
        TRY(fill(s, item, depth, mem, &filled, f));
        json_array_append_new(list, filled);
    }
    *ret = TAKE(list);
    return E_OK;
}

/* Recursion on our own stories, and bounded. */
static err
fill(struct story *s, const json_t *value, int depth, arena *mem, json_t **ret, struct fault *f)
{
    if (depth == DEPTH_MAX)
        return fault_set(f, E_JSON_DEPTH, "", "objects that end", "a circle");
    if (json_is_object(value))
        return fill_object(s, value, depth + 1, mem, ret, f);
    if (json_is_array(value))
        return fill_list(s, value, depth + 1, mem, ret, f);
    if (json_is_string(value))
        return fill_string(s, value, mem, ret, f);
    *ret = json_deep_copy(value);
    return *ret ? E_OK : E_TOO_LARGE;
}

err
story_fill(struct story *s, const json_t *value, arena *mem, json_t **ret, struct fault *f)
{
    TRY(fill(s, value, 0, mem, ret, f));
    return arena_defer(mem, json_decref_fn, *ret) ? E_OK : E_TOO_LARGE;
}
