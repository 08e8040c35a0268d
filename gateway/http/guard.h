/* The wire guard: refuses what two readers of the same bytes could understand differently (request smuggling)
 * and what is out of bounds.  libmicrohttpd 0.9.75 accepts Content-Length beside Transfer-Encoding, two
 * Hosts, folded lines, bare line feeds and NUL bytes; a request that passes here has one meaning (RFC 9110,
 * RFC 9112).
 *
 * Pure: views in, verdict out, so that tests and the fuzzer drive it without a server.  One guard belongs to
 * one request.  The first rule that is broken stays in `refused`; the rest is still collected, so that the
 * answer knows language and request id.  Headers that claim to speak for somebody else (X-Forwarded-*,
 * X-Real-IP, X-HTTP-Method-Override) are read by nobody. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base/err.h"
#include "http/http.h"

enum known_header {
#define HEADER(id, name, single) HEADER_##id,
#include "http/headers.def"
#undef HEADER
    KNOWN_HEADER_COUNT
};

#define GUARD_HEADERS_MAX 100
#define GUARD_HEADERS_BYTES_MAX 32768
#define GUARD_HEADER_BYTES_MAX 16384
#define GUARD_JWS_BYTES_MAX 12288
#define GUARD_PATH_BYTES_MAX 2048
#define GUARD_TARGET_BYTES_MAX 8192

struct guard {
    view known[KNOWN_HEADER_COUNT]; /* trimmed; p is NULL when absent */
    view proxy_name;                /* the header in which the proxy hands over a certificate; empty = none */
    view proxy_value;
    size_t n, bytes;
    const char
        *line_start;    /* first byte of the request as the peer's bytes lie in memory; NULL = not known */
    const char *cursor; /* where the line before ended */
    enum method method;
    view path;        /* raw, from the first '/' */
    view authority;   /* of a target in absolute form, else empty */
    bool is_asterisk; /* OPTIONS * */
    bool has_length, is_chunked, expects_continue;
    uint64_t length;
    err refused;
    struct fault *fault;
};

void guard_init(struct guard *g, view proxy_name, struct fault *fault);
/* target: the request target without the query; target_bytes: its length with the query. */
void guard_line(struct guard *g, view method, view target, size_t target_bytes, view version);
/* Switches the layout rule on: the library wiped each CRLF with two NULs and left the bytes where they were,
 * so line ends, folded lines and NUL bytes show as gaps between what it hands out.  Only before libmicrohttpd
 * 1.0. */
void guard_layout(struct guard *g, view method, view target, size_t target_bytes, view version);
void guard_header(struct guard *g, view name, view value);
/* Rules over the whole head.  header_bytes: size of the head on the wire (layout rule), 0 = not known. */
err guard_end(struct guard *g, size_t header_bytes) MUST_USE;

bool guard_is_token(view text);
/* Name of a known header in lower case. */
view guard_header_name(enum known_header header);
/* E_METHOD_UNKNOWN; names are case-sensitive. */
err method_parse(view text, enum method *ret) MUST_USE;
const char *method_name(enum method m);

#endif
