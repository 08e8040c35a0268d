/* What others get of a photo: the picture without what the camera, its owner or a program wrote into it.
 *
 * Nothing is decoded: a JPEG is walked by its segments and a PNG by its chunks, and only those are copied that the picture needs.  Out go EXIF with place and device, XMP,
 * IPTC (APP13), comments, thumbnails, everything behind the picture's end; of EXIF one value comes back in, the orientation, in a segment of our own.  Colour profiles stay.  Pure; any thread. */
#ifndef ADAPTERS_CLAIMLINK_PHOTO_H
#define ADAPTERS_CLAIMLINK_PHOTO_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>

/* "image/jpeg", "image/png" by the file's beginning; empty for all else. */
view photo_media(view bytes);
/* False when the file is neither, or not in form: then there is no copy. *ret_left: whether anything was left out. */
bool photo_copy(view bytes, arena *mem, view *ret, bool *ret_left);

#endif
