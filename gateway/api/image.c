#include "api/api.h"

#include "flow/intake/image.h"
#include "flow/motor/motor.h"

err
api_IMAGE_CREATE(void *app, struct request *rq, struct reply *rp)
{
    const struct image_in in = {.sender = rq->caller.partner,
                                .client = rq->caller.client,
                                .body = rq->body,
                                .body_digest = rq->body_digest,
                                .received = rq->received};
    view json;
    bool created = false;
    TRY(image_add(app, &in, rq->mem, &json, &created, &rq->fault));
    api_acknowledged(rq);
    reply_json(rp, created ? 201 : 200, json);
    return E_OK;
}

err
api_CLAIM_IMAGE(void *app, struct request *rq, struct reply *rp)
{
    struct motor_picture picture;
    claim_id id;
    photo_id photo;
    TRY(API_ID(claim_id, rq, 0, &id));
    TRY(API_ID(photo_id, rq, 1, &photo));
    TRY(claim_photo_fetch(app, rq->caller.partner, id, photo, rq->received, rq->mem, &picture, &rq->fault));
    rp->status = 200;
    rp->media = view_eq(picture.media, V("image/png")) ? "image/png" : "image/jpeg";
    rp->body = picture.bytes;
    reply_header(rq, rp, "Cache-Control", V("no-store"));
    return E_OK;
}
