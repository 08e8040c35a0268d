/* Certificates whose status the gateway keeps asking for: those of partners and of whoever signed a paper.  A table
 * by fingerprint with the time of the next question; bounded.  Behind one lock; any thread. */
#ifndef DUTY_KNOWN_H
#define DUTY_KNOWN_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/instant.h"
#include "signing/verify.h"

#define KNOWN_MAX 65536

struct known;

struct known *known_new(void);
void known_free(struct known *k);
/* Copies; false when it was there (or the table is full). */
bool known_add(struct known *k, enum trust_use use, view leaf, view chain);
struct known_certificate {
    digest fingerprint;
    enum trust_use use;
    view leaf, chain; /* in the arena */
    int failures;
};
/* One whose time has come, taken off until known_put_off says when it is next asked for. */
bool known_due(struct known *k, instant now, arena *mem, struct known_certificate *ret);
void known_put_off(struct known *k, const digest *fingerprint, instant until, int failures);
/* Asks for all anew: after a new trust list. */
void known_hurry(struct known *k);

#endif
