#include "net/egress.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *address;
    bool strict, sandbox; /* allowed? */
} addresses[] = {
    {"8.8.8.8", true, true},
    {"140.112.8.116", true, true},
    {"9.255.255.255", true, true},
    {"11.0.0.0", true, true},
    {"100.63.255.255", true, true},
    {"100.128.0.0", true, true},
    {"172.15.255.255", true, true},
    {"172.32.0.0", true, true},
    {"192.167.255.255", true, true},
    {"192.0.1.0", true, true},
    {"198.17.255.255", true, true},
    {"198.20.0.0", true, true},
    {"223.255.255.255", true, true},
    {"0.0.0.0", false, false},
    {"0.1.2.3", false, false},
    {"10.0.0.0", false, true},
    {"10.255.255.255", false, true},
    {"100.64.0.1", false, true},
    {"100.127.255.255", false, true},
    {"127.0.0.1", false, true},
    {"127.255.255.254", false, true},
    {"169.254.169.254", false, false},
    {"169.254.0.0", false, false},
    {"172.16.0.1", false, true},
    {"172.31.255.255", false, true},
    {"192.0.0.8", false, false},
    {"192.0.2.1", false, false},
    {"192.88.99.1", false, false},
    {"192.168.0.1", false, true},
    {"198.18.0.1", false, false},
    {"198.19.255.255", false, false},
    {"198.51.100.9", false, false},
    {"203.0.113.9", false, false},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.1", false, false},
    {"255.255.255.255", false, false},
    {"2001:4860:4860::8888", true, true},
    {"2400:cb00::1", true, true},
    {"2a00::1", true, true},
    {"3ffe::1", true, true},
    {"::", false, false},
    {"::1", false, true},
    {"::2", false, false},
    {"::8.8.8.8", false, false},      /* compatible form */
    {"::ffff:8.8.8.8", false, false}, /* mapped form */
    {"::ffff:127.0.0.1", false, false},
    {"::ffff:169.254.169.254", false, false},
    {"64:ff9b::8.8.8.8", false, false}, /* NAT64 */
    {"64:ff9b:1::1", false, false},
    {"100::1", false, false},
    {"2001::1", false, false}, /* Teredo */
    {"2001:20::1", false, false},
    {"2001:1ff::1", false, false},
    {"2001:200::1", true, true},
    {"2001:db8::1", false, false},
    {"2002:7f00:1::", false, false}, /* 6to4 of 127.0.0.1 */
    {"3fff::1", false, false},
    {"3fff:1000::1", true, true},
    {"5f00::1", false, false},
    {"fc00::1", false, true},
    {"fd12:3456::1", false, true},
    {"fe80::1", false, false},
    {"febf::1", false, false},
    {"fec0::1", false, false},
    {"ff02::1", false, false},
};

static err
check(const struct net_policy *p, const char *text, struct fault *f)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    fault_init(f);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return net_check_address(p, (struct sockaddr *)&v4, f);
    cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
    return net_check_address(p, (struct sockaddr *)&v6, f);
}

Test(egress, addresses)
{
    const struct net_policy strict = {.allow_private = false}, sandbox = {.allow_private = true};
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct fault f;
        cr_expect_eq(check(&strict, addresses[i].address, &f), addresses[i].strict ? E_OK : E_EGRESS, "%s",
                     addresses[i].address);
        cr_expect_eq(check(&sandbox, addresses[i].address, &f), addresses[i].sandbox ? E_OK : E_EGRESS,
                     "%s in the sandbox", addresses[i].address);
        cr_expect_eq(f.code, addresses[i].sandbox ? E_OK : E_EGRESS);
    }
}

Test(egress, own_networks)
{
    struct net_range own[3];
    struct fault f;
    cr_assert_eq(net_range_parse(V("140.112.0.0/16"), &own[0]), E_OK);
    cr_assert_eq(net_range_parse(V("2400:cb00::/33"), &own[1]), E_OK);
    cr_assert_eq(net_range_parse(V("10.1.2.3"), &own[2]), E_OK);
    const struct net_policy p = {.allow_private = true, .own = own, .n_own = 3};
    cr_expect_eq(check(&p, "140.112.8.116", &f), E_EGRESS);
    cr_expect_eq(check(&p, "140.113.0.1", &f), E_OK);
    cr_expect_eq(check(&p, "2400:cb00:7fff::1", &f), E_EGRESS);
    cr_expect_eq(check(&p, "2400:cb00:8000::1", &f), E_OK);
    cr_expect_eq(check(&p, "10.1.2.3", &f), E_EGRESS);
    cr_expect_eq(check(&p, "10.1.2.4", &f), E_OK);
    cr_expect_eq(check(&p, "140.112.8.116", &f), E_EGRESS);
}

Test(egress, ranges)
{
    static const char *const bad[] = {"",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0/8",
                                      "::/129",
                                      "x",
                                      "1.2.3.4/8/9",
                                      "10.0.0.0/8 ",
                                      "0x7f.0.0.1",
                                      "1111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct net_range r;
        cr_expect_eq(net_range_parse(view_of(bad[i]), &r), E_SYNTAX, "%s", bad[i]);
    }
}

Test(egress, other_families)
{
    const struct net_policy sandbox = {.allow_private = true};
    struct sockaddr_storage s;
    struct fault f;
    memset(&s, 0, sizeof s);
    s.ss_family = AF_UNIX;
    fault_init(&f);
    cr_expect_eq(net_check_address(&sandbox, (struct sockaddr *)&s, &f), E_EGRESS);
}

static const struct {
    const char *url;
    bool strict, sandbox;
    const char *host, *port;
} urls[] = {
    {"https://example.tw/hook", true, true, "example.tw", "443"},
    {"https://example.tw", true, true, "example.tw", "443"},
    {"https://example.tw:443/", true, true, "example.tw", "443"},
    {"https://example.tw:8443/", true, true, "example.tw", "8443"}, /* listed below */
    {"https://xn--fiq228c.tw/", true, true, "xn--fiq228c.tw", "443"},
    {"https://8.8.8.8/", true, true, "8.8.8.8", "443"},
    {"https://[2001:4860:4860::8888]/", true, true, "2001:4860:4860::8888", "443"},
    {"HTTPS://example.tw/a?b=c", true, true, "example.tw", "443"},
    {"http://example.tw/", false, true, "example.tw", "80"},
    {"https://127.0.0.1/", false, true, "127.0.0.1", "443"},
    {"https://[::1]:9/", false, true, "::1", "9"},
    {"https://10.0.0.1:8080/", false, true, "10.0.0.1", "8080"},
    {"https://example.tw:22/", false, true, "example.tw", "22"},
    {"https://example.tw:25/", false, true, "example.tw", "25"},
    {"https://example.tw:6379/", false, true, "example.tw", "6379"},
    {"https://2130706433/", false, true, "127.0.0.1", "443"},
    {"https://0x7f000001/", false, true, "127.0.0.1", "443"},
    {"https://0177.0.0.1/", false, true, "127.0.0.1", "443"},
    {"https://127.1/", false, true, "127.0.0.1", "443"},
    {"https://169.254.169.254/latest/meta-data", false, false, NULL, NULL},
    {"https://2852039166/", false, false, NULL, NULL}, /* 169.254.169.254 */
    {"https://0xa9.0xfe.0xa9.0xfe/", false, false, NULL, NULL},
    {"https://[::ffff:127.0.0.1]/", false, false, NULL, NULL},
    {"https://[::ffff:7f00:1]/", false, false, NULL, NULL},
    {"https://[64:ff9b::7f00:1]/", false, false, NULL, NULL},
    {"https://[fe80::1]/", false, false, NULL, NULL},
    {"https://[fe80::1%25eth0]/", false, false, NULL, NULL},
    {"https://0.0.0.0/", false, false, NULL, NULL},
    {"https://good.tw@evil.tw/", false, false, NULL, NULL},
    {"https://user:pass@example.tw/", false, false, NULL, NULL},
    {"https://@example.tw/", false, false, NULL, NULL},
    {"https://example.tw/#fragment", false, false, NULL, NULL},
    {"https://example.tw\\@evil.tw/", false, false, NULL, NULL},
    {"https://example.tw /", false, false, NULL, NULL},
    {"https://exam\tple.tw/", false, false, NULL, NULL},
    {"https://\xe4\xbe\x8b.tw/", false, false, NULL, NULL},
    {"https://ex%61mple.tw/%", true, true, "example.tw", "443"},
    {"https://127%2e0.0.1/", false, true, "127.0.0.1", "443"},
    {"https:///path", false, false, NULL, NULL},
    {"https://", false, false, NULL, NULL},
    {"https:/example.tw/", false, false, NULL, NULL},
    {"https:////example.tw/", false, false, NULL, NULL},
    {"https:/a://b/", false, false, NULL, NULL},
    {"https://?a", false, false, NULL, NULL},
    {"https://example.tw?a=b", true, true, "example.tw", "443"},
    {"https:example.tw", false, false, NULL, NULL},
    {"//example.tw/", false, false, NULL, NULL},
    {"example.tw", false, false, NULL, NULL},
    {"ftp://example.tw/", false, false, NULL, NULL},
    {"file:///etc/passwd", false, false, NULL, NULL},
    {"gopher://example.tw/", false, false, NULL, NULL},
    {"dict://example.tw/", false, false, NULL, NULL},
    {"https://example.tw:0/", false, false, NULL, NULL},
    {"https://example.tw:65536/", false, false, NULL, NULL},
    {"https://example.tw:443x/", false, false, NULL, NULL},
    {"", false, false, NULL, NULL},
};

Test(egress, urls)
{
    static const uint16_t ports[] = {8443};
    const struct net_policy strict = {.ports = ports, .n_ports = 1}, sandbox = {.allow_private = true};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct fault f;
        struct target t;
        fault_init(&f);
        err e = egress_read_url(&strict, view_of(urls[i].url), &t, &f);
        cr_expect_eq(e, urls[i].strict ? E_OK : E_EGRESS, "%s: %s (%s)", urls[i].url, err_info(e)->code,
                     f.found);
        fault_init(&f);
        e = egress_read_url(&sandbox, view_of(urls[i].url), &t, &f);
        cr_expect_eq(e, urls[i].sandbox ? E_OK : E_EGRESS, "%s in the sandbox: %s (%s)", urls[i].url,
                     err_info(e)->code, f.found);
        if (e != E_OK || !urls[i].host)
            continue;
        cr_expect_str_eq(t.host, urls[i].host, "%s: %s", urls[i].url, t.host);
        cr_expect_str_eq(t.port, urls[i].port, "%s: %s", urls[i].url, t.port);
    }
}

Test(egress, long_url)
{
    static char url[3000] = "https://example.tw/";
    const struct net_policy strict = {.allow_private = false};
    struct fault f;
    memset(url + 19, 'a', sizeof url - 20);
    fault_init(&f);
    cr_expect_eq(net_check_url(&strict, view_make(url, 2048), &f), E_OK);
    cr_expect_eq(net_check_url(&strict, view_make(url, 2049), &f), E_EGRESS);
}

/* A name is judged by all that it resolves to. */
Test(egress, names)
{
    const struct net_policy strict = {.allow_private = false}, sandbox = {.allow_private = true};
    struct fault f;
    fault_init(&f);
    cr_expect_eq(net_check_url(&strict, V("https://localhost/"), &f), E_OK, "the form is right");
    cr_expect_eq(net_check_target(&strict, V("https://localhost/"), &f), E_EGRESS);
    fault_init(&f);
    cr_expect_eq(net_check_target(&sandbox, V("https://localhost/"), &f), E_OK);
    cr_expect_eq(net_check_target(&sandbox, V("https://name.invalid/"), &f), E_NETWORK);
}
