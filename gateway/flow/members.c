#include "flow/members.h"

#include <string.h>

static bool
is_of_kind(const json_t *value, char kind)
{
    switch (kind) {
    case 's':
        return json_is_string(value);
    case 'i':
        return json_is_integer(value);
    case 'a':
        return json_is_array(value);
    }
    return json_is_object(value);
}

static const char *
kind_word(char kind)
{
    return kind == 's' ? "a string" : kind == 'i' ? "an integer" : kind == 'a' ? "an array" : "an object";
}

err
members_only(const json_t *json, const char *const *known, struct fault *f)
{
    size_t found = 0;
    if (!json_is_object(json))
        return fault_set(f, E_SCHEMA, "", "a JSON object", "another kind of value");
    for (; *known; known++) {
        const char *name = *known + 2;
        const json_t *value = json_object_get(json, name);
        if (!value)
            continue;
        if (!is_of_kind(value, (*known)[0]))
            return fault_setf(f, E_SCHEMA, kind_word((*known)[0]), "another kind of value", "/%s", name);
        found++;
    }
    if (found != json_object_size(json))
        return fault_set(f, E_SCHEMA, "", "members of the schema only", "an unknown member");
    return E_OK;
}
