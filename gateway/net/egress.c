#include "net/egress.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>

enum range_class { RANGE_PRIVATE, RANGE_NEVER };

static struct range_row {
    const char *network;
    uint8_t bits; /* as written */
    enum range_class class;
    const char *meaning;
    struct net_range range;
} rows[] = {
#define RANGE(network, bits, class, meaning) {network, bits, RANGE_##class, meaning, {{0}, 0}},
#include "net/ranges.def"
#undef RANGE
};
static pthread_once_t rows_once = PTHREAD_ONCE_INIT;

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool
read_address(const char *text, uint8_t ret[16], bool *ret_is_v4)
{
    uint8_t bytes[16];
    *ret_is_v4 = inet_pton(AF_INET, text, bytes + 12) == 1;
    if (*ret_is_v4)
        memcpy(bytes, mapped_prefix, sizeof mapped_prefix);
    else if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    memcpy(ret, bytes, 16);
    return true;
}

static void
compile_rows(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_v4 = false;
        bool is_read = read_address(rows[i].network, rows[i].range.address, &is_v4);
        assert(is_read);
        rows[i].range.bits = (uint8_t)(rows[i].bits + (is_v4 ? 96 : 0));
    }
}

err
net_range_parse(view text, struct net_range *ret)
{
    char host[64];
    bool has_bits = false, is_v4 = false;
    view rest = text;
    view address = view_cut(&rest, '/', &has_bits);
    struct net_range range;
    uint64_t bits = 0;
    if (address.n == 0 || address.n >= sizeof host)
        return E_SYNTAX;
    memcpy(host, address.p, address.n);
    host[address.n] = '\0';
    if (!read_address(host, range.address, &is_v4))
        return E_SYNTAX;
    uint64_t most = is_v4 ? 32 : 128;
    if (!has_bits)
        bits = most;
    else if (text_to_u64(rest, &bits) != E_OK || bits > most)
        return E_SYNTAX;
    range.bits = (uint8_t)(bits + (is_v4 ? 96 : 0));
    *ret = range;
    return E_OK;
}

static bool
is_inside(const uint8_t address[16], const struct net_range *range)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8U;
    if (memcmp(address, range->address, whole) != 0)
        return false;
    unsigned mask = (0xff00U >> rest) & 0xffU;
    return rest == 0 || ((unsigned)(address[whole] ^ range->address[whole]) & mask) == 0;
}

static err
refuse(struct fault *f, const char *expected, const char *found)
{
    return fault_set(f, E_EGRESS, "url", expected, found);
}

/* Outside of 2000::/3 and the mapped form nothing is routed worldwide (RFC 4291, IANA IPv6 address space), so
 * that compatible, NAT64, site-local, link-local and multicast forms need no row of their own. */
static bool
is_global_kind(const uint8_t address[16])
{
    return (address[0] & 0xe0) == 0x20 || memcmp(address, mapped_prefix, sizeof mapped_prefix) == 0;
}

err
egress_check_bytes(const struct net_policy *p, const uint8_t address[16], struct fault *f)
{
    bool is_private = false;
    pthread_once(&rows_once, compile_rows);
    for (size_t i = 0; i < p->n_own; i++) {
        if (is_inside(address, &p->own[i]))
            return refuse(f, "an address outside of the operator's networks", "one of them");
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!is_inside(address, &rows[i].range))
            continue;
        if (rows[i].class == RANGE_NEVER || !p->allow_private)
            return refuse(f, "a public address", rows[i].meaning);
        is_private = true;
    }
    if (!is_private && !is_global_kind(address))
        return refuse(f, "a public address", "an address that is not routed");
    return E_OK;
}

err
net_check_address(const struct net_policy *p, const struct sockaddr *address, struct fault *f)
{
    uint8_t bytes[16];
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(bytes, mapped_prefix, sizeof mapped_prefix);
        memcpy(bytes + 12, &v4.sin_addr, 4);
        return egress_check_bytes(p, bytes, f);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, 16);
        /* A mapped address on an IPv6 socket is a disguise: names resolve to IPv4 as such. */
        if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0)
            return refuse(f, "a public address", "an IPv4-mapped address");
        return egress_check_bytes(p, bytes, f);
    }
    return refuse(f, "an IPv4 or IPv6 address", "another kind");
}

/* Only what every URL parser reads alike: no white space, backslash, quotes, control or non-ASCII bytes. */
static bool
has_strange_byte(view url)
{
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\\\"<>^`{|}", c))
            return true;
    }
    return false;
}

/* libcurl also reads https:/host and https:///host; others read these as a path. */
static bool
has_plain_start(view url)
{
    size_t colon = view_find_byte(url, ':');
    return view_eq(view_sub(url, colon, 3), V("://")) && colon + 3 < url.n && url.p[colon + 3] != '/';
}

static bool
get_part(CURLU *u, CURLUPart part, char *out, size_t size)
{
    char *text = NULL;
    if (curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return false;
    size_t n = strlen(text);
    bool fits = n < size;
    if (fits)
        memcpy(out, text, n + 1);
    curl_free(text);
    return fits;
}

static bool
has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool is_there = curl_url_get(u, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return is_there;
}

static bool
port_is_allowed(const struct net_policy *p, const char *port)
{
    uint64_t number = 0;
    if (text_to_u64(view_of(port), &number) != E_OK || number == 0)
        return false;
    if (p->allow_private || number == 443)
        return true;
    for (size_t i = 0; i < p->n_ports; i++) {
        if (p->ports[i] == number)
            return true;
    }
    return false;
}

static err
check_parts(const struct net_policy *p, CURLU *u, struct target *t, struct fault *f)
{
    char scheme[16];
    if (!get_part(u, CURLUPART_SCHEME, scheme, sizeof scheme))
        return refuse(f, "https", "no scheme");
    t->is_https = view_eq_nocase(view_of(scheme), V("https"));
    if (!t->is_https && !((p->allow_private || p->allow_plain) && view_eq_nocase(view_of(scheme), V("http"))))
        return refuse(f, "https", "another scheme");
    if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD) || has_part(u, CURLUPART_OPTIONS))
        return refuse(f, "no credentials in the URL", "credentials");
    if (has_part(u, CURLUPART_FRAGMENT))
        return refuse(f, "no fragment", "a fragment");
    if (has_part(u, CURLUPART_ZONEID))
        return refuse(f, "no zone in the address", "a zone");
    if (!get_part(u, CURLUPART_HOST, t->host, sizeof t->host) ||
        !get_part(u, CURLUPART_PORT, t->port, sizeof t->port))
        return refuse(f, "a host", "none or too long");
    return port_is_allowed(p, t->port) ? E_OK : refuse(f, "port 443 or a listed one", "another port");
}

/* A host that is an address is judged at once; the library turns 0x7f.1 and 2130706433 into 127.0.0.1
 * first. */
static err
check_literal(const struct net_policy *p, struct target *t, struct fault *f)
{
    uint8_t bytes[16];
    bool is_v4 = false;
    size_t n = strlen(t->host);
    if (n == 0)
        return refuse(f, "a host", "none");
    if (t->host[0] == '[' && t->host[n - 1] == ']') {
        memmove(t->host, t->host + 1, n - 2);
        t->host[n - 2] = '\0';
    }
    if (strchr(t->host, '%'))
        return refuse(f, "a host without escapes", "escapes");
    if (!read_address(t->host, bytes, &is_v4))
        return E_OK;
    if (!is_v4 && memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0)
        return refuse(f, "a public address", "an IPv4-mapped address");
    return egress_check_bytes(p, bytes, f);
}

err
egress_read_url(const struct net_policy *p, view url, struct target *ret, struct fault *f)
{
    char text[URL_BYTES_MAX + 1];
    struct target target = {.is_https = false};
    if (url.n == 0 || url.n > URL_BYTES_MAX)
        return refuse(f, "a URL of at most 2048 bytes", url.n == 0 ? "none" : "a longer one");
    if (has_strange_byte(url))
        return refuse(f, "printable ASCII without spaces, quotes and backslash", "another byte");
    if (!has_plain_start(url))
        return refuse(f, "https://host/path", "another form");
    memcpy(text, url.p, url.n);
    text[url.n] = '\0';
    CURLU *u = curl_url();
    if (!u)
        return E_INTERNAL;
    err e = E_OK;
    if (curl_url_set(u, CURLUPART_URL, text, 0) != CURLUE_OK)
        e = refuse(f, "https://host/path", "another form");
    if (e == E_OK)
        e = check_parts(p, u, &target, f);
    if (e == E_OK)
        e = check_literal(p, &target, f);
    curl_url_cleanup(u);
    if (e == E_OK)
        *ret = target;
    return e;
}

err
net_check_url(const struct net_policy *p, view url, struct fault *f)
{
    struct target target;
    return egress_read_url(p, url, &target, f);
}

err
net_check_target(const struct net_policy *p, view url, struct fault *f)
{
    struct target target;
    TRY(egress_read_url(p, url, &target, f));
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    if (getaddrinfo(target.host, target.port, &hints, &list) != 0)
        return fault_set(f, E_NETWORK, "url", "a host that resolves", "one that does not");
    err e = E_OK;
    for (const struct addrinfo *a = list; a && e == E_OK; a = a->ai_next)
        e = net_check_address(p, a->ai_addr, f);
    freeaddrinfo(list);
    return e;
}
