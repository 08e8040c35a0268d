/* The egress policy as pure functions: ranges, URL form, ports.  Inside of the net room. */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "net/net.h"

#include <netinet/in.h>

#define URL_BYTES_MAX 2048

/* What a URL says about its target. */
struct target {
    char host[256]; /* without brackets */
    char port[8];
    bool is_https;
};

/* E_EGRESS unless form, scheme and port fit the policy. */
err egress_read_url(const struct net_policy *p, view url, struct target *ret, struct fault *f) MUST_USE;
/* 16 bytes, IPv4 as ::ffff:a.b.c.d. */
err egress_check_bytes(const struct net_policy *p, const uint8_t address[16], struct fault *f) MUST_USE;

#endif
