/* Pictures of papers that nobody signed: the lowest kind of evidence, and marked as that wherever it is shown.
 *
 * The picture comes as an attachment (PUT /v1/attachments or /v1/uploads): sealed with all that the camera wrote, a copy without it beside.  Then the person's app says what it shows
 * (adapters/person/image.h) for a case that it filed and a person who claims in it.  It is a document of kind `attachment` and level `unsigned`: no verdict, no floor, never raised; a recipient gets it where a
 * permission names that kind.  Any thread; memory from the arena. */
#ifndef FLOW_IMAGE_H
#define FLOW_IMAGE_H

#include "flow/gateway.h"

struct image_in {
    partner_id sender;
    view client;
    view body; /* JSON */
    digest body_digest;
    instant received;
};

/* {"document","case","submission","image","level":"unsigned","outcome","receipt"}.  E_NOT_FOUND: no such case, or nobody who claims in it by an application of this app; E_ATTACHMENT_MISSING, E_IMAGE_FORM. */
err image_add(struct gateway *g, const struct image_in *in, arena *mem, view *ret_json, bool *ret_created,
              struct fault *f) MUST_USE;

#endif
