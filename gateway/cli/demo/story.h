/* A story: one scenario as data (stories/NUMBER.json), played step by step by a cast of parties.
 *
 *   {"scenario","title","cast":[…],"words":{…},"objects":{…},"steps":[…]}
 *
 * Words and objects of stories/common.json stand behind the story's own.  In a step, before it is given to a party:
 *   "${name}"          a word, or what an earlier step took
 *   "${day:7}"         the 7th day after the accident, which is today (Taiwan's)
 *   "${today}"         the day to which the clock has been moved
 *   "${consent:name}"  SHA-256 of the text in force, zh-TW
 *   "${new}"           32 random hex digits
 *   "#${name}"         the same as a number
 *   {"$use":"name",…}  the object of this name, with the members beside $use instead of its own
 *
 * Borrowed from the binary; memory from mem.  One thread. */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include "base/instant.h"
#include "base/json.h"

struct story {
    arena *mem;
    const json_t *common, *own;
    json_t *words; /* what steps took */
    date day;      /* of the accident */
};

/* Of all stories, in order: "3", "4", …; NULL at the end. */
const char *story_name(size_t i);
err story_open(const char *name, arena *mem, struct story *ret, struct fault *f) MUST_USE;
/* The value with everything filled in.  E_NOT_FOUND for a word or object that is not known. */
err story_fill(struct story *s, const json_t *value, arena *mem, json_t **ret, struct fault *f) MUST_USE;
/* The clock stands on the nth day after the accident. */
err story_go_to_day(struct story *s, int n) MUST_USE;
void story_keep(struct story *s, const char *word, view value);

#endif
