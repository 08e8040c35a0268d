#include "base/config_values.h"

#include "base/config_names.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static char *
copy_or_abort(view v)
{
    char *p = calloc(1, v.n + 1);
    if (!p)
        abort();
    if (v.n)
        memcpy(p, v.p, v.n);
    return p;
}

static err
refuse(const struct setting_row *row, const char *origin, const char *expected, const char *found,
       struct fault *f)
{
    return fault_setf(f, E_CONFIG, expected, found, "%s: %s", origin, row->name);
}

static err
check_text(const struct setting_row *row, view text, const char *origin, struct fault *f)
{
    char expected[80], found[40];
    if (!text_is_utf8(text, NULL))
        return refuse(row, origin, "UTF-8 text", "other bytes", f);
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F)
            return refuse(row, origin, "text on one line", "a control character", f);
    }
    if ((int64_t)text.n >= row->min && (int64_t)text.n <= row->max)
        return E_OK;
    snprintf(expected, sizeof expected, "%lld to %lld bytes", (long long)row->min, (long long)row->max);
    snprintf(found, sizeof found, "%zu bytes", text.n);
    return refuse(row, origin, expected, found, f);
}

static const char *
unit_of(enum setting_type type)
{
    switch (type) {
    case SETTING_SECONDS:
        return " seconds";
    case SETTING_BYTES:
        return " bytes";
    default:
        return "";
    }
}

static err
check_number(const struct setting_row *row, view text, const char *origin, int64_t *ret, struct fault *f)
{
    char expected[80], found[40];
    int64_t number;
    snprintf(expected, sizeof expected, "an integer from %lld to %lld%s", (long long)row->min,
             (long long)row->max, unit_of(row->type));
    if (text_to_i64(text, &number) != E_OK)
        return refuse(row, origin, expected, "something else", f);
    if (number < row->min || number > row->max) {
        snprintf(found, sizeof found, "%lld", (long long)number);
        return refuse(row, origin, expected, found, f);
    }
    *ret = number;
    return E_OK;
}

static err
check_bool(const struct setting_row *row, view text, const char *origin, int64_t *ret, struct fault *f)
{
    bool yes = view_eq(text, V("true"));
    if (!yes && !view_eq(text, V("false")))
        return refuse(row, origin, "true or false", "something else", f);
    *ret = yes;
    return E_OK;
}

static err
check_value(const struct setting_row *row, view text, const char *origin, int64_t *ret, struct fault *f)
{
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        return check_text(row, text, origin, f);
    case SETTING_BOOL:
        return check_bool(row, text, origin, ret, f);
    case SETTING_INT:
    case SETTING_SECONDS:
    case SETTING_BYTES:
        return check_number(row, text, origin, ret, f);
    }
    assert(false);
    return E_INTERNAL;
}

err
config_put(struct config *c, enum setting s, view text, const char *origin, struct fault *f)
{
    int64_t number = 0;
    TRY(check_value(setting_info(s), text, origin, &number, f));
    struct setting_value *value = &c->values[s];
    free(value->text);
    free(value->origin);
    *value = (struct setting_value){copy_or_abort(text), copy_or_abort(view_of(origin)), text.n, number};
    return E_OK;
}

err
config_unknown(view name, const char *origin, struct fault *f)
{
    enum setting near = setting_nearest(name);
    char expected[120];
    if (near == SETTING_COUNT)
        snprintf(expected, sizeof expected, "a known setting");
    else
        snprintf(expected, sizeof expected, "a known setting; the nearest is %s", setting_info(near)->name);
    return fault_setf(f, E_CONFIG, expected, "an unknown setting", "%s: %.*s", origin, VIEW_ARG(name));
}

err
config_put_defaults(struct config *c, struct fault *f)
{
    for (unsigned s = 0; s < SETTING_COUNT; s++)
        TRY(config_put(c, (enum setting)s, view_of(setting_info((enum setting)s)->fallback), "default", f));
    return E_OK;
}

err
config_put_environment(struct config *c, struct fault *f)
{
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        char name[SETTING_ENV_SIZE], origin[SETTING_ENV_SIZE + 16];
        const char *text = getenv(setting_env((enum setting)s, name));
        if (!text)
            continue;
        snprintf(origin, sizeof origin, "environment %s", name);
        TRY(config_put(c, (enum setting)s, view_of(text), origin, f));
    }
    return E_OK;
}

err
config_put_override(struct config *c, const char *override, struct fault *f)
{
    view rest = view_of(override);
    bool found;
    view name = view_cut(&rest, '=', &found);
    if (!found)
        return fault_set(f, E_CONFIG, "flag --set", "name=value", "no equals sign");
    enum setting s = setting_by_name(name);
    if (s == SETTING_COUNT)
        return config_unknown(name, "flag --set", f);
    return config_put(c, s, rest, "flag --set", f);
}

void
config_free(struct config *c)
{
    if (!c)
        return;
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        free(c->values[s].text);
        free(c->values[s].origin);
    }
    free(c);
}

view
config_text(const struct config *c, enum setting s)
{
    return (view){c->values[s].text, c->values[s].length};
}

void
config_path(const struct config *c, enum setting s, const char *name, char out[CONFIG_PATH_SIZE])
{
    view v = config_text(c, s);
    if (v.n)
        snprintf(out, CONFIG_PATH_SIZE, "%.*s", VIEW_ARG(v));
    else
        snprintf(out, CONFIG_PATH_SIZE, "%s/%s", config_cstr(c, SET_STORE_DIR), name);
}

const char *
config_cstr(const struct config *c, enum setting s)
{
    return c->values[s].text;
}

int64_t
config_int(const struct config *c, enum setting s)
{
    assert(setting_info(s)->type != SETTING_TEXT && setting_info(s)->type != SETTING_PATH);
    return c->values[s].number;
}

bool
config_bool(const struct config *c, enum setting s)
{
    assert(setting_info(s)->type == SETTING_BOOL);
    return c->values[s].number != 0;
}

span
config_span(const struct config *c, enum setting s)
{
    assert(setting_info(s)->type == SETTING_SECONDS);
    return SPAN_SECONDS(c->values[s].number);
}

view
config_origin(const struct config *c, enum setting s)
{
    return view_of(c->values[s].origin);
}
