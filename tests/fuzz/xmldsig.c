/* room: signing
 *
 * Signed XML.  The corpus holds documents signed over the two payloads below; the keys are not kept
 * anywhere, so what verifies must give one of the two, character for character. */
#include "signing/xml/xmldsig.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char record[] =
    "<record xmlns=\"urn:police\" Id=\"r1\"><no>A1</no><plate>ABC-1234</plate></record>";
static const char bundle[] = "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"b1\"></id></Bundle>";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        digest_start();
        xmldsig_start();
        started = true;
    }
    arena *mem AUTO(arena_free) = arena_new(8 << 20);
    view xml = view_make(data, size);
    struct xmldsig_result r;
    if (xmldsig_verify(xml, mem, &r, NULL) != E_OK)
        return 0;
    if (!xmldsig_present(xml))
        abort();
    if (!view_eq(r.payload, view_of(record)) && !view_eq(r.payload, view_of(bundle)))
        abort();
    if (r.payload.p < r.octets.p || r.payload.p + r.payload.n > r.octets.p + r.octets.n)
        abort();
    return 0;
}
