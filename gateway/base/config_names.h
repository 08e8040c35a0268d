/* Names of settings: lookup, environment spelling and the nearest known name, for config.c.  Pure
 * functions over settings.def, any thread. */
#ifndef BASE_CONFIG_NAMES_H
#define BASE_CONFIG_NAMES_H

#include "base/config.h"

/* SETTING_COUNT when no row has the name. */
enum setting setting_by_name(view name);
/* SETTING_COUNT when no name is near enough to be what was meant. */
enum setting setting_nearest(view name);
/* http.listen → CLAIMGATE_HTTP_LISTEN */
#define SETTING_ENV_SIZE 96
const char *setting_env(enum setting s, char out[SETTING_ENV_SIZE]);

#endif
