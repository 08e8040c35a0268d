#include "signing/cms/der.h"

#include "base/text.h"

bool
der_next(view *rest, struct der_item *ret)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    if (rest->n < 2 || (p[0] & 0x1f) == 0x1f)
        return false;
    size_t head = 2;
    size_t length = p[1];
    if (length >= 0x80) {
        size_t octets = length & 0x7f;
        /* 0x80 alone is BER's indefinite form; four octets are far above every ceiling. */
        if (octets == 0 || octets > 4 || rest->n < 2 + octets || p[2] == 0)
            return false;
        length = 0;
        for (size_t i = 0; i < octets; i++)
            length = length << 8 | p[2 + i];
        if (length < 0x80)
            return false;
        head += octets;
    }
    if (length > rest->n - head)
        return false;
    ret->tag = p[0];
    ret->value = view_make(rest->p + head, length);
    ret->whole = view_make(rest->p, head + length);
    rest->p += head + length;
    rest->n -= head + length;
    return true;
}

bool
der_take(view *rest, uint8_t tag, struct der_item *ret)
{
    if (rest->n == 0 || (uint8_t)rest->p[0] != tag)
        return false;
    return der_next(rest, ret);
}

void
der_take_if(view *rest, uint8_t tag, struct der_item *ret)
{
    *ret = (struct der_item){0};
    (void)der_take(rest, tag, ret);
}

bool
der_only(view der, uint8_t tag, struct der_item *ret)
{
    return der_take(&der, tag, ret) && der.n == 0;
}

bool
der_small(view integer, uint32_t *ret)
{
    const uint8_t *p = (const uint8_t *)integer.p;
    if (integer.n == 0 || integer.n > 4 || (p[0] & 0x80))
        return false;
    if (integer.n > 1 && p[0] == 0 && !(p[1] & 0x80))
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < integer.n; i++)
        value = value << 8 | p[i];
    *ret = value;
    return true;
}

static unsigned
two_digits(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static bool
is_day(date d)
{
    if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31)
        return false;
    date back = date_of_days(date_days(d));
    return back.month == d.month && back.day == d.day;
}

bool
der_time(const struct der_item *item, instant *ret)
{
    view t = item->value;
    size_t year_digits = item->tag == DER_UTC_TIME ? 2 : item->tag == DER_GENERALIZED_TIME ? 4 : 0;
    if (year_digits == 0 || t.n != year_digits + 11 || t.p[t.n - 1] != 'Z')
        return false;
    if (!text_is_digits(view_sub(t, 0, t.n - 1)))
        return false;
    unsigned year = two_digits(t.p);
    if (year_digits == 4)
        year = year * 100 + two_digits(t.p + 2);
    else
        year += year < 50 ? 2000 : 1900; /* RFC 5280 4.1.2.5.1 */
    const char *p = t.p + year_digits;
    date d = {.year = (int16_t)year,
              .month = (uint8_t)two_digits(p),
              .day = (uint8_t)two_digits(p + 2),
              .precision = DATE_DAY};
    unsigned hour = two_digits(p + 4), minute = two_digits(p + 6), second = two_digits(p + 8);
    if (year == 0 || !is_day(d) || hour > 23 || minute > 59 || second > 59)
        return false;
    *ret = instant_of_unix((int64_t)date_days(d) * 86400 + (int64_t)(hour * 3600 + minute * 60 + second));
    return true;
}

/* The parts of a TBSCertificate up to and with the serial number and issuer; *rest is left behind the issuer.
 */
static bool
open_tbs(view certificate, view *rest, view *ret_issuer, view *ret_serial)
{
    struct der_item outer, tbs, item;
    if (!der_only(certificate, DER_SEQUENCE, &outer) || !der_take(&outer.value, DER_SEQUENCE, &tbs))
        return false;
    *rest = tbs.value;
    der_take_if(rest, DER_CONTEXT(0), &item);
    if (!der_take(rest, DER_INTEGER, &item))
        return false;
    *ret_serial = item.whole;
    if (!der_take(rest, DER_SEQUENCE, &item) || !der_take(rest, DER_SEQUENCE, &item))
        return false;
    *ret_issuer = item.whole;
    return true;
}

bool
der_certificate_names(view certificate, view *ret_issuer, view *ret_serial)
{
    view rest;
    return open_tbs(certificate, &rest, ret_issuer, ret_serial);
}

view
der_certificate_key_id(view certificate)
{
    static const view subject_key_identifier = {"\x55\x1d\x0e", 3};
    view rest, issuer, serial;
    struct der_item item, list, extension, oid;
    if (!open_tbs(certificate, &rest, &issuer, &serial))
        return VIEW_NONE;
    while (der_next(&rest, &item))
        if (item.tag == DER_CONTEXT(3))
            break;
    if (item.tag != DER_CONTEXT(3) || !der_only(item.value, DER_SEQUENCE, &list))
        return VIEW_NONE;
    while (der_take(&list.value, DER_SEQUENCE, &extension)) {
        if (!der_take(&extension.value, DER_OID, &oid) || !view_eq(oid.value, subject_key_identifier))
            continue;
        struct der_item octets, id;
        if (der_take(&extension.value, DER_OCTETS, &octets) && der_only(octets.value, DER_OCTETS, &id))
            return id.value;
    }
    return VIEW_NONE;
}

static void
add_header(struct buf *out, uint8_t tag, size_t n)
{
    uint8_t head[6] = {tag};
    size_t used = 1, bytes = 0;
    while (bytes < 4 && n >> 8 * bytes)
        bytes++;
    if (n < 0x80) {
        head[used++] = (uint8_t)n;
    } else {
        head[used++] = (uint8_t)(0x80 | bytes);
        for (size_t i = bytes; i > 0; i--)
            head[used++] = (uint8_t)(n >> 8 * (i - 1));
    }
    buf_add(out, head, used);
}

void
der_add(struct buf *out, uint8_t tag, view content)
{
    add_header(out, tag, content.n);
    buf_add_view(out, content);
}
