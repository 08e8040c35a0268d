/* The inside of a struct config and the one way in which a value gets there, checked against its row,
 * whatever it comes from.  For config.c, which knows the file, and config_values.c, which knows the
 * rest.  One thread while loading. */
#ifndef BASE_CONFIG_VALUES_H
#define BASE_CONFIG_VALUES_H

#include "base/config.h"

struct setting_value {
    char *text; /* as stated; numbers and booleans too */
    char *origin;
    size_t length;
    int64_t number; /* 0 or 1 for a boolean */
};

struct config {
    struct setting_value values[SETTING_COUNT];
};

/* Replaces the value; E_CONFIG with "origin: name" when the row does not allow it. */
err config_put(struct config *c, enum setting s, view text, const char *origin, struct fault *f) MUST_USE;
/* E_CONFIG for a name that no row has, with the nearest one. */
err config_unknown(view name, const char *origin, struct fault *f) MUST_USE;
err config_put_defaults(struct config *c, struct fault *f) MUST_USE;
err config_put_environment(struct config *c, struct fault *f) MUST_USE;
/* "name=value" */
err config_put_override(struct config *c, const char *override, struct fault *f) MUST_USE;

#endif
