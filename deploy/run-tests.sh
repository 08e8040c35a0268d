#!/bin/sh
# Installs what building and testing need, builds and passes all tests:
#   release  gcc, hardened: every test (unit, fuzz corpora, threads, lint, flow, contract, vectors) except benchmarks
#   asan     clang, AddressSanitizer and UndefinedBehaviorSanitizer: unit, fuzz corpora, threads, flow
#   tsan     clang, ThreadSanitizer: threads
# Words behind choose among release, asan and tsan.
set -eu
cd "$(dirname "$0")/.."
deploy/install-packages.sh build test
export CMAKE_GENERATOR=Ninja CMAKE_C_COMPILER_LAUNCHER=ccache
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1"
export PYTHONDONTWRITEBYTECODE=1
jobs=$(nproc)
# The programs of tests/stress: the only ones that ThreadSanitizer needs.
threads=$(for file in tests/stress/*.c; do printf 'stress_%s ' "$(basename "$file" .c)"; done)
started=$(date +%s)
# All presets run whatever fails before, so that one run tells everything.
failed=""

# run_preset PRESET "TARGET ..." WORDS-FOR-CTEST...
run_preset() {
    preset=$1
    targets=$2
    shift 2
    echo "== $preset =="
    # shellcheck disable=SC2086  # a list of words
    if cmake --preset "$preset" -DCLAIMGATE_TESTS=ON && cmake --build --preset "$preset" --target $targets &&
        ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@"; then
        return
    fi
    failed="$failed $preset"
}

[ $# -gt 0 ] || set -- release asan tsan
for name in "$@"; do
    case $name in
    release) run_preset release all -LE '^bench$' ;;
    asan) run_preset asan all -L '^(unit|fuzz|tsan|flow)$' ;;
    tsan) run_preset tsan "$threads" -L '^tsan$' ;;
    *) echo "usage: $0 [release] [asan] [tsan]" >&2; exit 2 ;;
    esac
done

seconds=$(($(date +%s) - started))
if [ -n "$failed" ]; then
    echo "FAILED:$failed ($seconds s)"
    exit 1
fi
echo "ALL TESTS PASSED: $* ($seconds s)"
