/* Writes the log as files under <store.dir>/log: checkpoint and tile/… (signing/log/tiles.h), after each head.
 *
 * A complete tile never changes and is written once; of partial ones only those of the latest head stay.  All can be made anew from the store,
 * so nothing is synced; the audit compares.  One thread. */
#ifndef DUTY_TILES_H
#define DUTY_TILES_H

#include "flow/gateway.h"

struct tile_files;
struct tile_files *tile_files_new(const char *store_dir);
void tile_files_free(struct tile_files *w);
/* Brings the files up to a head of that size.  E_FILE; the next call tries again. */
err tile_files_write(struct tile_files *w, struct gateway *g, uint64_t size, view checkpoint) MUST_USE;

#endif
