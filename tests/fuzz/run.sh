#!/bin/sh
# Runs fuzz targets for a while and counts their executions.  Seeds are the corpora of the tree and, where there is one, a folder of
# further files for each target; what is found stays in OUT/TARGET.
#
#   tests/fuzz/run.sh [-s SECONDS | -n EXECUTIONS] [-j JOBS] [-o OUT] [-e FOLDER] [TARGET…]
#
# -n: so many executions in all, the same share for each target and job (deploy/fuzz-all.sh).
# Targets: the readers, the writer's round trip, the validator, FHIRPath.  Ends with 1 when any crashed, leaked or hung.
set -eu
seconds=60 executions='' jobs=1 out=build/fuzz/found extra=''
while getopts s:n:j:o:e: option; do
    case $option in
    s) seconds=$OPTARG ;;
    n) executions=$OPTARG ;;
    j) jobs=$OPTARG ;;
    o) out=$OPTARG ;;
    e) extra=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- json_tree json_jansson fhir_xml fhir_round fhir_validate fhirpath
[ -f CMakePresets.json ] || { echo "run it in the root of the tree" >&2; exit 2; }
[ -f build/fuzz/CMakeCache.txt ] || cmake --preset fuzz -G Ninja -DCLAIMGATE_TESTS=ON >/dev/null
for target; do
    cmake --build build/fuzz --target "fuzz_$target" >/dev/null
done

# What ends a run: a time, or a number of executions.
limit="-max_total_time=$seconds"
[ -z "$executions" ] || limit="-runs=$(((executions + $# * jobs - 1) / ($# * jobs)))"

# One target: libFuzzer in JOBS processes that share the folder.
run() {
    mkdir -p "$out/$1" "$out/crashes"
    seeds="tests/fuzz/corpus/$1"
    [ -n "$extra" ] && [ -d "$extra/$1" ] && seeds="$seeds $extra/$1"
    # shellcheck disable=SC2086 # two folders
    "build/fuzz/fuzz_$1" "$limit" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$out/crashes/$1-" "$out/$1" $seeds >"$out/$1.$2.log" 2>&1
}

failed=0 total=0
for target; do
    pids=
    for job in $(seq "$jobs"); do
        run "$target" "$job" &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid" || failed=1
    done
    count=$(cat "$out/$target".*.log | sed -n 's/^stat::number_of_executed_units: *//p' | awk '{ n += $1 } END { print n + 0 }')
    total=$((total + count))
    echo "$target $count"
done
echo "all $total"
[ "$failed" = 0 ] || { echo "see $out/crashes" >&2; exit 1; }
