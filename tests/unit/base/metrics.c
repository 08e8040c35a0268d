#include "base/metrics.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>

static struct buf out;

static const char *
print(void)
{
    buf_init(&out, 1024 * 1024);
    BUF_LIT(&out, "\n");
    metrics_print(&out);
    cr_assert_not(out.failed);
    return out.p;
}

static void
expect(const char *line)
{
    char whole[400];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    cr_assert_not_null(strstr(print(), whole), "no line %s in\n%s", line, out.p);
    buf_done(&out);
}

Test(metrics, counters_add_and_print)
{
    metric_add(METRIC_HTTP_REQUESTS, "submit,201", 2);
    metric_add(METRIC_HTTP_REQUESTS, "submit,201", 3);
    metric_add(METRIC_HTTP_REQUESTS, "get,404", 1);
    cr_assert_eq(metric_value(METRIC_HTTP_REQUESTS, "submit,201"), 5);
    cr_assert_eq(metric_value(METRIC_HTTP_REQUESTS, "submit,202"), 0);
    expect("# HELP claimgate_http_requests_total Requests answered.");
    expect("# TYPE claimgate_http_requests_total "
           "counter\nclaimgate_http_requests_total{route=\"get\",code=\"404\"} 1\n"
           "claimgate_http_requests_total{route=\"submit\",code=\"201\"} 5");
}

Test(metrics, unlabelled_ones_are_there_from_the_start)
{
    expect("claimgate_idempotent_replays_total 0");
    expect("claimgate_http_requests_in_flight 0");
    expect("claimgate_submission_ack_seconds_count 0");
    metric_add(METRIC_REPLAYS, NULL, 1);
    metric_add(METRIC_REPLAYS, "", 1);
    expect("claimgate_idempotent_replays_total 2");
}

Test(metrics, gauges_are_set_and_moved)
{
    metric_set(METRIC_DELIVERY_QUEUE, NULL, 10);
    metric_add(METRIC_DELIVERY_QUEUE, NULL, -12);
    cr_assert_eq(metric_value(METRIC_DELIVERY_QUEUE, NULL), -2);
    expect("# TYPE claimgate_delivery_queue gauge\nclaimgate_delivery_queue -2");
    metric_set(METRIC_BUILD_INFO, "0.1,3.0,1.0", 1);
    expect("claimgate_build_info{version=\"0.1\",openssl=\"3.0\",microhttpd=\"1.0\"} 1");
}

Test(metrics, histograms_are_cumulative_with_seconds)
{
    static const int64_t TIMES[] = {0, 100, 101, 5000, 5001, 10000000, 10000001, 3};
    for (size_t i = 0; i < COUNT_OF(TIMES); i++)
        metric_observe_us(METRIC_HTTP_SECONDS, "submit", TIMES[i]);
    cr_assert_eq(metric_value(METRIC_HTTP_SECONDS, "submit"), 8);
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"0.0001\"} 3");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"0.00025\"} 4");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"0.005\"} 5");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"0.01\"} 6");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"1\"} 6");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"10\"} 7");
    expect("claimgate_http_request_duration_seconds_bucket{route=\"submit\",le=\"+Inf\"} 8");
    expect("claimgate_http_request_duration_seconds_sum{route=\"submit\"} 20.010206");
    expect("claimgate_http_request_duration_seconds_count{route=\"submit\"} 8");
}

Test(metrics, histograms_of_units_are_plain)
{
    metric_observe_us(METRIC_STORE_GROUP, NULL, 7);
    metric_observe_us(METRIC_STORE_GROUP, NULL, 5000);
    expect("claimgate_storage_group_units_bucket{le=\"5\"} 0");
    expect("claimgate_storage_group_units_bucket{le=\"10\"} 1");
    expect("claimgate_storage_group_units_bucket{le=\"+Inf\"} 2");
    expect("claimgate_storage_group_units_sum 5007");
}

Test(metrics, label_values_are_escaped_and_counted)
{
    metric_add(METRIC_HTTP_REJECTED, "a\"b\\c\nd", 1);
    expect("claimgate_http_rejected_total{reason=\"a\\\"b\\\\c\\nd\"} 1");
    metric_add(METRIC_SUBMISSIONS, "one", 1); /* one value too few */
    expect("claimgate_submissions_total{kind=\"one\",result=\"\"} 1");
    metric_add(METRIC_SUBMISSIONS, "a,b,c", 1); /* one too many */
    expect("claimgate_submissions_total{kind=\"a\",result=\"b,c\"} 1");
}

Test(metrics, label_sets_have_a_ceiling)
{
    char labels[32];
    for (int i = 0; i < 600; i++) {
        snprintf(labels, sizeof labels, "reason-%d", i);
        metric_add(METRIC_DENIED, labels, 1);
        metric_add(METRIC_DENIED, labels, 1);
    }
    cr_assert_eq(metric_value(METRIC_DENIED, "reason-0"), 2);
    cr_assert_eq(metric_value(METRIC_DENIED, "reason-511"), 2);
    cr_assert_eq(metric_value(METRIC_DENIED, "reason-512"), 0);
    cr_assert_eq(metric_value(METRIC_DENIED, METRIC_LABEL_OTHER), 176);
    int lines = 0;
    for (const char *p = print(); (p = strstr(p, "\nclaimgate_authz_denied_total{")); p++)
        lines++;
    cr_assert_eq(lines, 513);
    buf_done(&out);
    expect("claimgate_authz_denied_total{reason=\"other,other,other\"} 176");
}

enum { THREADS = 8, ROUNDS = 3, PER_THREAD = 5000 };

static void *
count_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < PER_THREAD; i++) {
        metric_add(METRIC_DUPLICATES, i % 2 ? "record" : "claim", 1);
        metric_observe_us(METRIC_STORE_FSYNC, NULL, 1000);
        metric_add(METRIC_HTTP_IN_FLIGHT, NULL, i % 2 ? 1 : -1);
    }
    return NULL;
}

/* Threads that have ended keep their counts, and those that come later go on with them. */
Test(metrics, no_thread_loses_a_count)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, count_many, NULL), 0);
        (void)print();
        buf_done(&out);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    int64_t total = (int64_t)THREADS * ROUNDS * PER_THREAD;
    cr_assert_eq(metric_value(METRIC_DUPLICATES, "claim"), total / 2);
    cr_assert_eq(metric_value(METRIC_DUPLICATES, "record"), total / 2);
    cr_assert_eq(metric_value(METRIC_STORE_FSYNC, NULL), total);
    cr_assert_eq(metric_value(METRIC_HTTP_IN_FLIGHT, NULL), 0);
    expect("claimgate_storage_fsync_duration_seconds_sum 120");
}
