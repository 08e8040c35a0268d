#include "base/issue.h"

void
issues_init(struct issues *list, arena *mem, size_t ceiling)
{
    *list = (struct issues){.mem = mem, .ceiling = ceiling};
}

/* The first error is kept even past the ceiling: it is the reason that the sender reads. */
static bool
has_room(const struct issues *list, enum issue_severity severity)
{
    return list->n < list->ceiling || (severity == ISSUE_ERROR && list->errors == 0);
}

struct issue *
issue_add(struct issues *list, enum issue_severity severity, err code, view path, view expected, view found)
{
    struct issue *i = has_room(list, severity) ? arena_make(list->mem, struct issue) : NULL;
    list->errors += severity == ISSUE_ERROR;
    if (!i) {
        list->dropped++;
        return NULL;
    }
    *i = (struct issue){
        .code = code,
        .severity = severity,
        .path = arena_dup(list->mem, path),
        .from = FAULT_NOWHERE,
        .length = FAULT_NOWHERE,
        .expected = arena_dup(list->mem, expected),
        .found = arena_dup(list->mem, found),
    };
    if (list->last)
        list->last->next = i;
    else
        list->first = i;
    list->last = i;
    list->n++;
    return i;
}

/* fault_set wants C strings and cuts them to size between two characters. */
static const char *
terminate(view v, char *out, size_t size)
{
    size_t n = v.n < size ? v.n : size - 1;
    if (n)
        memcpy(out, v.p, n);
    out[n] = '\0';
    return out;
}

err
issues_fault(const struct issues *list, struct fault *f)
{
    if (list->errors == 0)
        return E_OK;
    const struct issue *i = list->first;
    while (i && i->severity != ISSUE_ERROR)
        i = i->next;
    /* The arena was full before the first error: the document is refused all the same. */
    if (!i)
        return fault_set(f, E_TOO_LARGE, "", "", "");
    /* Strict mode: a finding's own code says that it refuses nothing. */
    err code = err_info(i->code)->status < 400 ? E_STRICT : i->code;
    if (!f || f->code != E_OK)
        return code;
    view place = i->path.n ? i->path : i->pointer;
    char where[2 * sizeof f->where], expected[2 * sizeof f->expected], found[2 * sizeof f->found];
    fault_set(f, code, terminate(place, where, sizeof where),
              terminate(i->expected, expected, sizeof expected), terminate(i->found, found, sizeof found));
    f->from = i->from;
    f->length = i->length;
    f->line = i->line;
    f->column = i->column;
    return code;
}

/* A fault names one place: a JSON pointer when it begins with a slash, else a path. */
struct issue *
issue_of_fault(struct issues *list, const struct fault *f)
{
    view where = view_of(f->where);
    bool is_pointer = view_starts(where, V("/"));
    enum issue_severity severity = err_info(f->code)->status < 400 ? ISSUE_WARNING : ISSUE_ERROR;
    struct issue *i = issue_add(list, severity, f->code, is_pointer ? VIEW_NONE : where, view_of(f->expected),
                                view_of(f->found));
    if (!i)
        return NULL;
    if (is_pointer)
        i->pointer = arena_dup(list->mem, where);
    i->from = f->from;
    i->length = f->length;
    i->line = f->line;
    i->column = f->column;
    return i;
}
