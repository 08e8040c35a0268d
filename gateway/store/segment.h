/* Append-only files of sealed bodies, addressed by (day, number, offset).
 *
 * A struct segments belongs to the writer's thread; segment_read may be called by any thread.  Bodies of a
 * group are planned (they get their address), then a thread of their own writes and syncs them while the
 * writer runs the units; the writer waits for it before it commits the rows that name them.  The length
 * that the last commit knew is a row (segment_tail): at start everything behind it is cut off.  After a
 * failure of write or sync nothing may be appended any more: the store has failed. */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "store/store.h"

#define SEGMENT_BYTES (INT64_C(256) << 20)  /* then the next number begins */
#define SEGMENT_RESERVE (INT64_C(16) << 20) /* disk space is taken in steps of this size: cheaper syncs */

struct segment_tail {
    int32_t day, number; /* day 0: no file yet */
    int64_t length;
};

struct segments;

/* "day-number" → day and number; false for another file's name. */
bool segment_parse_name(const char *name, struct segment_tail *ret);

/* store_dir is a descriptor that must outlive the segments. */
err segments_open(int store_dir, bool fresh, const struct segment_tail *tail, struct segments **ret,
                  struct fault *f) MUST_USE;
/* Cuts off what was reserved when clean. */
void segments_close(struct segments *s, bool clean);

/* Where the next body goes. */
struct segment_tail segments_tail(const struct segments *s);
/* Gives the bodies of one unit their addresses (offset, day, number; length is filled already).  Not
 * between begin and end.  False: the file system failed. */
bool segments_plan(struct segments *s, const struct unit_body *bodies) MUST_USE;
/* Writes and syncs what is planned.  The bytes must stay until the end is reached. */
void segments_flush_begin(struct segments *s);
bool segments_flush_end(struct segments *s) MUST_USE;
/* After the end: the next body goes to an earlier tail. */
void segments_rewind(struct segments *s, struct segment_tail to);
/* Gives the disk space of a body back that nobody will name and that stands before the tail. */
void segments_punch(struct segments *s, const struct address *at);

/* E_STORE_CORRUPT when the file is missing, short or its bytes differ from the check; E_TOO_LARGE. */
err segment_read(int store_dir, const struct address *at, arena *mem, view *ret) MUST_USE;

#endif
