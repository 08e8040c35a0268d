/* Metrics: one row each in metrics.def (name, kind, labels, help).  Counters and gauges are per-thread
 * shards of atomics summed on scrape; histograms have fixed buckets.  Label values come only from enums,
 * route names or the partner registry.  Any thread. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"

enum metric {
#define METRIC(id, kind, name, labels, help) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* Label sets of one metric; what comes after them is counted under METRIC_LABEL_OTHER. */
#define METRIC_SERIES_MOST 512u
#define METRIC_LABEL_OTHER "other,other,other"

/* labels: values in the row's order separated by commas, a constant string or a string that lives as
 * long as the process. NULL when the row has no labels. */
void metric_add(enum metric m, const char *labels, int64_t n);
void metric_set(enum metric m, const char *labels, int64_t value);
/* Histograms: microseconds, printed as seconds where the name ends in _seconds, else plain units. */
void metric_observe_us(enum metric m, const char *labels, int64_t us);
int64_t metric_value(enum metric m, const char *labels);
/* Prometheus text. */
void metrics_print(struct buf *out);

#endif
