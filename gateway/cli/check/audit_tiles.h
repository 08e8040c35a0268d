/* The files of the log (checkpoint, tile/…) beside its entries: fed with every entry in order, then asked for the end. */
#ifndef CLI_AUDIT_TILES_H
#define CLI_AUDIT_TILES_H

#include "signing/log/tiles.h"
#include "store/audit.h"

struct audit_tiles;
/* dir: the store's.  n: entries under the checkpoint that stands there.  Reads the right edge at once, since a gateway that runs may replace it. */
struct audit_tiles *audit_tiles_new(const char *dir, uint64_t n);
/* Before the first entry. */
void audit_tiles_tell(struct audit_tiles *a, void (*finding)(void *self, const struct audit_finding *found),
                      void *self);
void audit_tiles_free(struct audit_tiles *a);
void audit_tiles_leaf(struct audit_tiles *a, const digest *hash);
/* Number of findings. */
uint64_t audit_tiles_end(struct audit_tiles *a);

#endif
