/* Log events: one row each in log.def (name, level, constant message).  Fields are typed; there is no
 * field constructor for personal data or free text, so that neither can be logged.  JSON lines on
 * stderr.  Library rooms (base, signing, fhir, adapters) do not log; flow, http, relay, duty and main
 * do, one line per request, delivery and state change.  Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"

enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

enum log_event_id {
#define LOG_EVENT(id, level, stream, message) LOG_##id,
#include "base/log.def"
#undef LOG_EVENT
    LOG_EVENT_COUNT
};

struct log_field {
    const char *name; /* constant */
    int type;
    int64_t number;
    view kind;
    const void *ref;
};

/* F_ID("case", case_id value) prints kind-…; F_N a number; F_CODE a public code (a constant); F_DIGEST
 * the first 16 hex digits; F_NAME a constant or a route's name. */
struct log_field F_N(const char *name, int64_t number);
struct log_field F_CODE(const char *name, err code);
struct log_field F_NAME(const char *name, const char *constant);
struct log_field F_UID(const char *name, const char *kind, const uid *id);
struct log_field F_DIGEST(const char *name, const digest *d);

/* debug, info, warn, error; E_SYNTAX else. */
err log_level_parse(view text, enum log_level *ret) MUST_USE;
void log_start(enum log_level least, int fd);
void log_write(enum log_event_id event, const struct log_field *fields, size_t n);
#define log_event(event, ...)                                                                                \
    log_write((event), (const struct log_field[]){__VA_ARGS__},                                              \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
