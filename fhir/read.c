#include "fhir/fhir.h"
#include "fhir/hash.h"
#include "fhir/shape.h"
#include "fhir/xml_read.h"

static err
read_xml(view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    struct xml_list list;
    TRY(xml_read_list(bytes, mem, &list, f));
    return xml_list_to_tree(&list, mem, ret, f);
}

err
fhir_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    shape_start();
    hash_start();
    if (media == FHIR_XML)
        return read_xml(bytes, mem, ret, f);
    return tree_read_json(bytes, NULL, mem, ret, f);
}

err
fhir_read_signed(void *self, view octets, arena *mem, struct tree *ret, struct fault *f)
{
    (void)self;
    view text = octets;
    if (view_starts(text, V("\xEF\xBB\xBF")))
        text = view_sub(text, 3, text.n);
    text = view_trim(text);
    return fhir_read(text.n > 0 && text.p[0] == '<' ? FHIR_XML : FHIR_JSON, octets, mem, ret, f);
}
