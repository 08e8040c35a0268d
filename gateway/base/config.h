/* Settings: one row each in settings.def (name, type, default, range, reloadable, help in two
 * languages).  Read from flag, CLAIMGATE_* environment (never secrets), file (libconfig) and the
 * default, in this order; each value remembers its origin.  Unknown names and values out of range stop
 * the start with file and line and the nearest known name.
 *
 * A struct config is immutable after config_load; a reload makes a new one that is swapped by pointer. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/instant.h"

enum setting {
#define SETTING(id, name, type, fallback, min, max, reload, en, zh) SET_##id,
#include "base/settings.def"
#undef SETTING
    SETTING_COUNT
};

enum setting_type { SETTING_TEXT, SETTING_PATH, SETTING_INT, SETTING_BOOL, SETTING_SECONDS, SETTING_BYTES };

struct setting_row {
    const char *name; /* dotted: "http.listen" */
    enum setting_type type;
    const char *fallback;
    int64_t min, max;
    bool reload;
    const char *help[2];
};

struct config;

const struct setting_row *setting_info(enum setting s);
/* file NULL → only environment and defaults.  overrides: "name=value" strings from flags. */
err config_load(const char *file, const char *const *overrides, size_t n_overrides, struct config **ret,
                struct fault *f) MUST_USE;
void config_free(struct config *c);
DEFINE_AUTO(struct config *, config_free)

view config_text(const struct config *c, enum setting s);
#define CONFIG_PATH_SIZE 4352
/* A path setting, or <store.dir>/name when it is empty. */
void config_path(const struct config *c, enum setting s, const char *name, char out[CONFIG_PATH_SIZE]);
const char *config_cstr(const struct config *c, enum setting s);
int64_t config_int(const struct config *c, enum setting s);
bool config_bool(const struct config *c, enum setting s);
span config_span(const struct config *c, enum setting s);
/* "default", "environment CLAIMGATE_…", "file x.conf:12", "flag --set" */
view config_origin(const struct config *c, enum setting s);
/* The sample configuration file with every setting explained (deploy/claimgate.conf is this text; a test
 * compares). */
void config_print_sample(struct buf *out);

#endif
