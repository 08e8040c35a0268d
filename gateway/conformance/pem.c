#include "conformance/pem.h"

#include "base/text.h"

view
text_at(const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);
    return json_is_string(value) ? view_make(json_string_value(value), json_string_length(value)) : V("");
}

bool
pem_body(view body, arena *mem, view *ret)
{
    char *packed = arena_alloc(mem, body.n + 1);
    size_t n = 0;
    for (size_t i = 0; packed && i < body.n; i++)
        if (body.p[i] != '\n' && body.p[i] != '\r')
            packed[n++] = body.p[i];
    return packed && text_base64_decode(view_make(packed, n), mem, ret) == E_OK;
}

bool
pem_next(view *rest, arena *mem, view *ret_label, view *ret_der)
{
    view begin = V("-----BEGIN "), dashes = V("-----");
    size_t at = view_find(*rest, begin);
    if (at == rest->n)
        return false;
    view text = view_sub(*rest, at + begin.n, rest->n);
    size_t label_end = view_find(text, dashes);
    view body = view_sub(text, label_end + dashes.n, text.n);
    size_t end = view_find(body, V("-----END "));
    if (label_end == text.n || end == body.n || !pem_body(view_sub(body, 0, end), mem, ret_der))
        return false;
    *ret_label = view_sub(text, 0, label_end);
    *rest = view_sub(body, end + 1, body.n);
    return true;
}

size_t
pem_all(view text, const char *label, arena *mem, view *ret, size_t max)
{
    size_t n = 0;
    view found, der;
    while (n < max && pem_next(&text, mem, &found, &der))
        if (view_eq(found, view_of(label)))
            ret[n++] = der;
    return n;
}
