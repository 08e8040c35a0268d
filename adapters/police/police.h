/* Police: signed accident records (JSON or XML of openapi/accident-record.schema.json) to facts of a case.  A record is one part of one accident: slip, diagram, photos,
 * analysis, appraisal, reappraisal, other; unique by (agency OID, accident number, part, revision).  Codes carry the form's era: keys are (major, minor, era) (DOMAIN D17). */
#ifndef ADAPTERS_POLICE_H
#define ADAPTERS_POLICE_H

#include "adapters/adapter.h"

/* Of a record's identity <oid>/<accident_no>/<part>/<revision>. */
#define POLICE_IDENTIFIER_SYSTEM "https://claimgate.tw/accident-record"

/* Syntax only: XML fills the same tree as JSON.  E_XML_DOCTYPE, E_XML_SYNTAX … */
err police_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
err police_read_signed(void *self, view octets, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
err police_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                     struct fault *f) MUST_USE;

#endif
