#include "base/config_names.h"
#include "base/config_values.h"

#include <inttypes.h>

/* The part before the dot; empty for a setting that stands alone. */
static view
group_of(enum setting s)
{
    view rest = view_of(setting_info(s)->name);
    bool found;
    view group = view_cut(&rest, '.', &found);
    return found ? group : VIEW_NONE;
}

static bool
is_first_of_group(enum setting s)
{
    for (unsigned earlier = 0; earlier < s; earlier++) {
        if (view_eq(group_of((enum setting)earlier), group_of(s)))
            return false;
    }
    return true;
}

static void
print_value(struct buf *out, const struct setting_row *row)
{
    view value = view_of(row->fallback);
    if (row->type != SETTING_TEXT && row->type != SETTING_PATH) {
        buf_add_view(out, value);
        return;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_add_byte(out, '\\');
        buf_add_byte(out, value.p[i]);
    }
    buf_add_byte(out, '"');
}

static void
print_form(struct buf *out, const struct setting_row *row)
{
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        buf_printf(out, "at most %" PRId64 " bytes", row->max);
        break;
    case SETTING_BOOL:
        BUF_LIT(out, "true or false");
        break;
    case SETTING_INT:
        buf_printf(out, "%" PRId64 " to %" PRId64, row->min, row->max);
        break;
    case SETTING_SECONDS:
        buf_printf(out, "%" PRId64 " to %" PRId64 " seconds", row->min, row->max);
        break;
    case SETTING_BYTES:
        buf_printf(out, "%" PRId64 " to %" PRId64 " bytes", row->min, row->max);
        break;
    }
    if (row->reload)
        BUF_LIT(out, "; can be reloaded");
}

static void
print_setting(struct buf *out, enum setting s, const char *indent)
{
    const struct setting_row *row = setting_info(s);
    view group = group_of(s);
    char env[SETTING_ENV_SIZE];
    buf_printf(out, "\n%s# %s\n%s# %s\n%s# (", indent, row->help[LANG_EN], indent, row->help[LANG_ZH],
               indent);
    print_form(out, row);
    buf_printf(out, "; %s)\n%s%s = ", setting_env(s, env), indent, row->name + (group.n ? group.n + 1 : 0));
    print_value(out, row);
    BUF_LIT(out, ";\n");
}

static void
print_group(struct buf *out, enum setting first)
{
    view group = group_of(first);
    if (group.n)
        buf_printf(out, "\n%.*s:\n{", VIEW_ARG(group));
    for (unsigned s = first; s < SETTING_COUNT; s++) {
        if (view_eq(group_of((enum setting)s), group))
            print_setting(out, (enum setting)s, group.n ? "  " : "");
    }
    if (group.n)
        BUF_LIT(out, "};\n");
}

static const char HEAD[] =
    "# claimgate: all settings with their defaults.  A flag --set name=value goes before the environment,\n"
    "# the environment before this file, this file before the default.  No secret stands here: keys are\n"
    "# named by path.\n"
    "# claimgate 的所有設定與預設值。優先順序：--set 旗標、環境變數、本檔、預設值。\n"
    "# 本檔不放任何機密，金鑰一律以路徑指定。\n";

void
config_print_sample(struct buf *out)
{
    buf_add_view(out, view_of(HEAD));
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        if (is_first_of_group((enum setting)s))
            print_group(out, (enum setting)s);
    }
}
