/* A strict reader of DER (X.690): definite lengths in their shortest form, tags of one byte.  It walks a CMS
 * message without copying or decoding keys, so that a known signer costs a digest and one signature check.
 * BER is refused here; the caller has it re-encoded first.  Views borrow the input.  Pure
 * functions, any thread; only the signing room includes this. */
#ifndef SIGNING_DER_H
#define SIGNING_DER_H

#include "base/buf.h"
#include "base/instant.h"
#include "base/view.h"

#include <stdint.h>

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTETS 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_ENUMERATED 0x0a
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
/* [n] constructed, [n] primitive */
#define DER_CONTEXT(n) (uint8_t)(0xa0 | (n))
#define DER_CONTEXT_PRIMITIVE(n) (uint8_t)(0x80 | (n))

/* Appends one element. */
void der_add(struct buf *out, uint8_t tag, view content);

struct der_item {
    uint8_t tag;
    view value; /* content octets */
    view whole; /* with tag and length */
};

/* Takes the next element off *rest; false (and *rest untouched) when the form is off or nothing is left. */
bool der_next(view *rest, struct der_item *ret);
/* The next element must have this tag. */
bool der_take(view *rest, uint8_t tag, struct der_item *ret);
/* Takes it when it has this tag; else ret->whole is the empty view. */
void der_take_if(view *rest, uint8_t tag, struct der_item *ret);
/* Exactly one element of this tag and nothing behind it. */
bool der_only(view der, uint8_t tag, struct der_item *ret);
/* Value of a small non-negative INTEGER (content octets); false when negative, overlong or above 2^31. */
bool der_small(view integer, uint32_t *ret);
/* UTCTime or GeneralizedTime with seconds and Z. */
bool der_time(const struct der_item *item, instant *ret);
/* Issuer and serial number as they stand in a certificate: *ret_issuer is the whole Name, *ret_serial the
 * whole INTEGER. */
bool der_certificate_names(view certificate, view *ret_issuer, view *ret_serial);
/* Content of the subjectKeyIdentifier extension; the empty view when there is none. */
view der_certificate_key_id(view certificate);

#endif
