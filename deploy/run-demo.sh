#!/bin/sh
# Installs what the build needs, builds the release preset and shows the main job end to end.  Words behind go to `claimgate demo`: --motor shows motor claims.
set -eu
cd "$(dirname "$0")/.."
deploy/install-packages.sh build
export CMAKE_GENERATOR=Ninja CMAKE_C_COMPILER_LAUNCHER=ccache
# Tests are left as they were configured; a first configuration leaves them out, since they need more packages.
if [ -f build/release/CMakeCache.txt ]; then
    cmake --preset release
else
    cmake --preset release -DCLAIMGATE_TESTS=OFF
fi
cmake --build --preset release --target claimgate
exec build/release/claimgate demo "$@"
