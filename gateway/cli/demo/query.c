#include "cli/demo/query.h"

#include "base/decimal.h"
#include "base/text.h"

#define VALUES_MAX 4096

struct values {
    const json_t *items[VALUES_MAX];
    size_t n;
};

static void
add(struct values *v, const json_t *item)
{
    if (item && v->n < VALUES_MAX)
        v->items[v->n++] = item;
}

static void
add_all(struct values *v, const json_t *of)
{
    size_t i;
    const char *name;
    json_t *item;
    json_array_foreach(of, i, item) add(v, item);
    json_object_foreach((json_t *)(uintptr_t)of, name, item) add(v, item);
}

/* "member=word" of a list: its items that say so. */
static void
add_those(struct values *v, const json_t *list, view name)
{
    size_t i;
    json_t *item;
    char member[64];
    view word = name, head = view_cut(&word, '=', NULL);
    if (head.n >= sizeof member)
        return;
    memcpy(member, head.p, head.n);
    member[head.n] = '\0';
    json_array_foreach(list, i, item)
    {
        if (view_eq(json_text(item, member), word))
            add(v, item);
    }
}

static void
step(const struct values *from, view name, arena *mem, struct values *to)
{
    int64_t place = -1;
    const char *word = arena_cstr(mem, name);
    to->n = 0;
    for (size_t i = 0; i < from->n && word; i++) {
        const json_t *one = from->items[i];
        if (view_eq(name, V("*")))
            add_all(to, one);
        else if (view_find_byte(name, '=') < name.n)
            add_those(to, one, name);
        else if (json_is_array(one) && text_to_i64(name, &place) == E_OK && place >= 0)
            add(to, json_array_get(one, (size_t)place));
        else
            add(to, json_member(one, word));
    }
}

static struct values *
find(const json_t *root, view path, arena *mem)
{
    struct values *now = arena_alloc(mem, sizeof *now), *next = arena_alloc(mem, sizeof *next);
    if (!now || !next)
        return NULL;
    now->n = 0;
    add(now, root);
    view_cut(&path, '/', NULL);
    while (path.n) {
        step(now, view_cut(&path, '/', NULL), mem, next);
        struct values *last = now;
        now = next;
        next = last;
    }
    return now;
}

static view
text_of(const json_t *value, arena *mem)
{
    if (json_is_string(value))
        return view_make(json_string_value(value), json_string_length(value));
    return json_dump_arena(value, mem);
}

static err
join(const struct values *v, arena *mem, view *ret)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    for (size_t i = 0; i < v->n; i++) {
        if (i)
            BUF_LIT(&out, ", ");
        buf_add_view(&out, text_of(v->items[i], mem));
    }
    *ret = out.n ? arena_dup(mem, buf_view(&out)) : V("");
    bool whole = !out.failed;
    buf_done(&out);
    return whole && ret->p ? E_OK : E_TOO_LARGE;
}

static err
sum(const struct values *v, arena *mem, view *ret)
{
    char text[24];
    decimal whole = decimal_of(0), one;
    for (size_t i = 0; i < v->n; i++) {
        TRY(decimal_parse(text_of(v->items[i], mem), &one));
        TRY(decimal_add(whole, one, &whole));
    }
    *ret = arena_dup(mem, decimal_print(whole, text));
    return ret->p ? E_OK : E_TOO_LARGE;
}

err
query(const json_t *root, view body, view question, arena *mem, view *ret)
{
    view rest = question, word = view_starts(question, V("/")) ? V("") : view_cut(&rest, ' ', NULL);
    if (view_eq(word, V("text"))) {
        *ret = view_find(body, rest) < body.n ? V("yes") : V("no");
        return E_OK;
    }
    struct values *found = view_starts(rest, V("/")) ? find(root, rest, mem) : NULL;
    if (!found)
        return E_SYNTAX;
    if (view_eq(word, V("sum")))
        return sum(found, mem, ret);
    if (view_eq(word, V("count"))) {
        *ret = arena_printf(mem, "%zu", found->n);
        return ret->p ? E_OK : E_TOO_LARGE;
    }
    return word.n ? E_SYNTAX : join(found, mem, ret);
}
