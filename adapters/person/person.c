#include "adapters/person/application.h"

static err
bad(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_SCHEMA, where, expected, "another form");
}

err
person_members(const struct tree *t, const struct node *object, const char *const *names, const char *where,
               struct fault *f)
{
    if (!object || object->kind != NODE_OBJECT)
        return bad(f, where, "an object");
    for (NODE_EACH(child, t, object)) {
        view name = node_name(t, child);
        size_t i = 0;
        while (names[i] && !view_eq(name, view_of(names[i])))
            i++;
        if (!names[i])
            return fault_setf(f, E_SCHEMA, "a known member", "an unknown one", "%s/%.*s", where,
                              VIEW_ARG(view_sub(name, 0, 40)));
    }
    return E_OK;
}

view
person_text(const struct tree *t, const struct node *object, const char *name)
{
    const struct node *n = node_member(t, object, view_of(name));
    return n && n->kind == NODE_STRING ? node_text(t, n) : VIEW_NONE;
}

static err
read_keys(const struct tree *t, const struct node *n, arena *mem, struct applied_person *p)
{
    for (NODE_EACH(id, t, node_member(t, n, V("identifiers")))) {
        view key = person_key_text(person_text(t, id, "system"), person_text(t, id, "value"), mem);
        struct person_key *k = key.p ? arena_make(mem, struct person_key) : NULL;
        if (key.p && !k)
            return E_TOO_LARGE;
        if (!k)
            continue;
        *k = (struct person_key){.text = key, .is_subject = view_eq(p->role, V("subject")), .next = p->keys};
        p->keys = k;
    }
    return E_OK;
}

err
person_read(const struct tree *t, const struct node *n, const char *role, const char *where, arena *mem,
            struct applied_person **ret, struct fault *f)
{
    static const char *const names[] = {"identifiers", "name",    "birth_date", "sex",
                                        "telecom",     "address", "relation",   NULL};
    TRY(person_members(t, n, names, where, f));
    struct applied_person *p = arena_make(mem, struct applied_person);
    if (!p)
        return E_TOO_LARGE;
    p->role = view_of(role);
    p->name = person_text(t, n, "name");
    p->relation = person_text(t, n, "relation");
    p->birth_date = person_text(t, n, "birth_date");
    if (p->birth_date.n && date_parse(p->birth_date, &p->born) != E_OK)
        return bad(f, where, "birth_date as YYYY-MM-DD");
    TRY(read_keys(t, n, mem, p));
    if (!p->keys)
        return bad(f, where, "identifiers with a national, residence or passport number");
    *ret = p;
    return E_OK;
}
