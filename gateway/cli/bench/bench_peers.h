/* Other readers and validators beside ours in `claimgate bench validate`: on the same bytes, one after the other on the same core.  What
 * is not here is skipped with a reason.  One thread. */
#ifndef CLI_BENCH_PEERS_H
#define CLI_BENCH_PEERS_H

#include "cli/bench/bench.h"

enum bench_peer {
    PEER_JANSSON, /* its own parser and free: no positions, decimals as doubles */
    PEER_MEDPLUM, /* @medplum/core's validateResource on Node: JSON.parse and the structure of base R4 */
    PEER_HL7, /* HL7's validator (as HAPI packs it) on Java, base R4 without a terminology server, warmed up */
    BENCH_PEERS
};
extern const char *const bench_peer_names[BENCH_PEERS];

struct bench_peers {
    const char *why[BENCH_PEERS]; /* NULL: it is here; else why it is skipped */
};

void bench_peers_find(struct bench_peers *ret);
/* MB of input a second of each peer that is here; 0 for one that failed on these bytes or would take too long. */
void bench_peers_measure(const struct bench_peers *peers, view bytes, double ret_mb_s[BENCH_PEERS]);

#endif
