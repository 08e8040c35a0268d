#include "base/id.h"

#include <assert.h>
#include <stdatomic.h>

#define TEXT_LENGTH 26u
#define KIND_MOST 12u

/* Crockford's: no i, l, o, u. */
static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The last time and counter given out: 48 bits of milliseconds, 12 bits of counter. */
static _Atomic uint64_t last_ticket;

/* Strictly increasing in the process (RFC 9562, 6.2, method 1).  In a new millisecond the counter starts
 * at random in its lower half; when it runs over, it borrows from the next millisecond, as it also does
 * while the clock stands or goes back. */
static uint64_t
take_ticket(uint64_t ms, uint64_t start)
{
    uint64_t fresh = ms << 12 | (start & 0x7FF);
    uint64_t last = atomic_load_explicit(&last_ticket, memory_order_relaxed);
    uint64_t next;
    do {
        next = ms > last >> 12 ? fresh : last + 1;
    } while (!atomic_compare_exchange_weak_explicit(&last_ticket, &last, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return next;
}

void
uid_restart(void)
{
    atomic_store(&last_ticket, 0);
}

uid
uid_new(void)
{
    uid u;
    uint8_t start[2];
    int64_t us = clock_now().us;
    uint64_t ms = us > 0 ? (uint64_t)us / 1000 & 0xFFFFFFFFFFFFu : 0;
    random_bytes(u.b, sizeof u.b);
    memcpy(start, u.b, sizeof start);
    uint64_t ticket = take_ticket(ms, (uint64_t)start[0] << 8 | start[1]);
    uint64_t high = (ticket >> 12) << 16 | 0x7000 | (ticket & 0xFFF);
    for (unsigned i = 0; i < 8; i++)
        u.b[i] = (uint8_t)(high >> (56 - 8 * i));
    u.b[8] = (uint8_t)((u.b[8] & 0x3F) | 0x80);
    return u;
}

/* 128 bits in 26 symbols: the first carries three. */
view
uid_print(view kind, uid u, char out[ID_TEXT_SIZE])
{
    assert(kind.n <= KIND_MOST);
    if (kind.n)
        memcpy(out, kind.p, kind.n);
    char *end = out + kind.n;
    *end++ = '-';
    uint32_t bits = 0;
    unsigned held = 2;
    for (unsigned i = 0; i < sizeof u.b; i++) {
        bits = (bits << 8 | u.b[i]) & 0xFFFF;
        held += 8;
        while (held >= 5) {
            held -= 5;
            *end++ = ALPHABET[bits >> held & 31];
        }
    }
    *end = '\0';
    return (view){out, (size_t)(end - out)};
}

/* 0..31, or 32. */
static unsigned
symbol_value(char c)
{
    const char *at = c ? strchr(ALPHABET, c) : NULL;
    return at ? (unsigned)(at - ALPHABET) : 32;
}

/* One text per id: lower case only, none of Crockford's look-alikes.  The nil id means absent and is no
 * id. */
err
uid_parse(view kind, view text, uid *ret)
{
    if (text.n != kind.n + 1 + TEXT_LENGTH || !view_starts(text, kind) || text.p[kind.n] != '-')
        return E_SYNTAX;
    const char *symbols = text.p + kind.n + 1;
    uid u;
    uint32_t bits = symbol_value(symbols[0]);
    if (bits > 7)
        return E_SYNTAX;
    unsigned held = 3, n = 0;
    for (unsigned i = 1; i < TEXT_LENGTH; i++) {
        unsigned value = symbol_value(symbols[i]);
        if (value > 31)
            return E_SYNTAX;
        bits = (bits << 5 | value) & 0xFFFF;
        held += 5;
        if (held >= 8) {
            held -= 8;
            u.b[n++] = (uint8_t)(bits >> held);
        }
    }
    if (uid_is_none(u))
        return E_SYNTAX;
    *ret = u;
    return E_OK;
}
