# Warnings as errors, hardening, sanitizers: one interface target that every target of ours links.
add_library(cg_compile INTERFACE)
target_compile_options(cg_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wundef -Wwrite-strings -Wformat=2 -Wvla -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE -fno-strict-aliasing
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Out parameters are untouched on failure and the result is MUST_USE; gcc 12 cannot follow that and guesses. Clang's
  # -Wsometimes-uninitialized and the sanitizers look at the same thing without guessing.
  target_compile_options(cg_compile INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_compile_options(cg_compile INTERFACE -Wno-gnu-statement-expression -Wno-gnu-auto-type
    -Wno-gnu-zero-variadic-macro-arguments -Wno-unused-command-line-argument)
endif()
target_compile_definitions(cg_compile INTERFACE _GNU_SOURCE CLAIMGATE_VERSION="${PROJECT_VERSION}")
target_link_options(cg_compile INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(CLAIMGATE_SANITIZE)
  target_compile_options(cg_compile INTERFACE -fsanitize=${CLAIMGATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cg_compile INTERFACE -fsanitize=${CLAIMGATE_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo")
  target_compile_options(cg_compile INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(CLAIMGATE_FUZZ)
  target_compile_options(cg_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Assertions guard programming errors and stay on in release.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
