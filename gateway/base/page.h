/* Pages for people's browsers: one look for all, Chinese first with English beside it, light and dark, no script, nothing from elsewhere.
 *
 * Words of others go in through buf_add_xml, never by printf.  Pure functions, any thread. */
#ifndef BASE_PAGE_H
#define BASE_PAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/instant.h"

/* Up to the heading.  place: the host on whose page one is, "" = left out. */
void page_begin(struct buf *out, const char *zh, const char *en, view place);
void page_end(struct buf *out);
/* <tag>zh <span lang="en">en</span></tag>; constants. */
void page_both(struct buf *out, const char *tag, const char *zh, const char *en);
/* What went wrong and what the person can do. */
void page_alert(struct buf *out, const char *zh, const char *en, const char *then_zh, const char *then_en);
/* YYYY-MM-DD hh:mm of Taiwan. */
view page_time(instant t, arena *mem);
/* The Content-Security-Policy of such a page: its own style sheet by its hash, and forms that lead where form_action says
 * ("" = nowhere).  Empty when the arena is full. */
view page_policy(view form_action, arena *mem);

#endif
