/* C2SP signed-note: a text, an empty line, signature lines "— name base64(key id ‖ signature)".  What checkpoints and cosignatures share.  Any
 * thread; views point into the text or live in mem. */
#ifndef SIGNING_NOTE_H
#define SIGNING_NOTE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

#define NOTE_MAX 16384
#define NOTE_SIGNATURES_MAX 16
#define NOTE_DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define NOTE_KEY_ID 4

/* Of a key or an origin: printable, without spaces and '+'. */
bool note_name_is_good(view name);
/* Body with its last newline, and the signature lines. */
err note_split(view text, view *ret_body, view *ret_lines, struct fault *f) MUST_USE;
/* One line: the key's name, and key id and signature. */
err note_line_read(view line, arena *mem, view *ret_name, view *ret_bytes, struct fault *f) MUST_USE;

#endif
