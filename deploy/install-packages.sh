#!/bin/sh
# Installs the packages of deploy/packages.txt for the purposes given (build, test, run) that are not there yet.
# A third word names a command: where that is there, by whatever way, the package is not wanted.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -gt 0 ] || { echo "usage: $0 build|test|run ..." >&2; exit 2; }

missing=""
for purpose in "$@"; do
    # shellcheck disable=SC2013  # names of packages and commands, no spaces
    for entry in $(awk -v purpose="$purpose" '$1 !~ /^#/ && $2 == purpose { print $1 "/" $3 }' "$here/packages.txt"); do
        package=${entry%%/*}
        command=${entry#*/}
        [ -z "$command" ] || ! command -v "$command" >/dev/null || continue
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Missing:$missing. Install them, or run this as root." >&2; exit 1; }
    as_root="sudo"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086  # a list of words
$as_root apt-get install -q -y --no-install-recommends $missing
