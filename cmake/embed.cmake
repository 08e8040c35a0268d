# embed_files(NAME ROOM ROOT dir GLOB pattern): puts files into the binary as `const struct embedded NAME[]` (base/embed.h),
# sorted by path below ROOT, and links them into room ROOM.
function(embed_files name in_room)
  cmake_parse_arguments(EMBED "" "ROOT;GLOB" "" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${EMBED_ROOT}/${EMBED_GLOB})
  set(out ${CMAKE_BINARY_DIR}/generated/${name}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} -DROOT=${CMAKE_SOURCE_DIR}/${EMBED_ROOT} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake VERBATIM)
  add_library(cg_embed_${name} STATIC ${out})
  target_include_directories(cg_embed_${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/gateway)
  get_target_property(kind cg_${in_room} TYPE)
  if(kind STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(cg_${in_room} INTERFACE cg_embed_${name})
  else()
    target_link_libraries(cg_${in_room} PUBLIC cg_embed_${name})
  endif()
endfunction()
