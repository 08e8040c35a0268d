/* A call that an adapter wants made, and what came back, as plain values.
 *
 * An adapter speaks an outside language and never the wire: it makes the call, the caller moves the bytes under its own egress
 * policy, and the adapter judges the answer.  Views are borrowed from the arena the call was made in. */
#ifndef ADAPTERS_CALL_H
#define ADAPTERS_CALL_H

#include "base/view.h"

#include <stdint.h>

#define ADAPTER_HEADERS_MAX 6

struct adapter_header {
    const char *name; /* constant */
    view value;
};

struct adapter_call {
    const char *method;
    view url;
    struct adapter_header headers[ADAPTER_HEADERS_MAX];
    size_t n_headers;
    view body;
    size_t answer_max; /* bytes that are worth reading */
};

struct adapter_answer {
    int status;
    view body, media_type;
    int64_t retry_after; /* seconds, -1 = none */
};

#endif
