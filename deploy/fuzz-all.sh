#!/bin/sh
# Runs every fuzz target of the FHIR reader, writer, validator and FHIRPath until each has its share of N executions, and sums them.
#
#   deploy/fuzz-all.sh [N] [-j JOBS] [-o OUT]        N in all: default 50,000,000
#
# Ends with 1 when a target crashed, leaked or hung; what it found lies in OUT/crashes.  Every finding becomes a file of tests/fuzz/corpus.
set -eu
total=50000000
case "${1:-}" in [0-9]*) total=$1; shift ;; esac
exec "$(dirname "$0")/../tests/fuzz/run.sh" -n "$total" "$@"
