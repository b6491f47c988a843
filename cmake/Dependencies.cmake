# Debian's libraries, linked statically where Debian ships an archive, so that the one binary starts on a
# machine that has none of them. Headers only: nlohmann-json, CLI11.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)

# Debian has no archive of fmt. Compiled as headers alone it takes more than half of the time that our files take, so
# what need not be in every file is compiled once, into an archive of our own; a version of fmt with which that does
# not work is taken as headers. A sanitizer build runs only where it was built and takes the shared library.
if(DMSCOPE_SANITIZE)
  add_library(dmscope::fmt ALIAS fmt::fmt)
else()
  get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  try_compile(DMSCOPE_FMT_ARCHIVE "${PROJECT_BINARY_DIR}/fmt-probe"
    SOURCES "${PROJECT_SOURCE_DIR}/cmake/fmt/archive.cpp" "${PROJECT_SOURCE_DIR}/cmake/fmt/probe.cpp"
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${fmt_include}"
    CXX_STANDARD 20)
  if(DMSCOPE_FMT_ARCHIVE)
    add_library(dmscope_fmt STATIC cmake/fmt/archive.cpp)
    target_include_directories(dmscope_fmt SYSTEM PUBLIC "${fmt_include}")
    add_library(dmscope::fmt ALIAS dmscope_fmt)
  else()
    add_library(dmscope::fmt ALIAS fmt::fmt-header-only)
  endif()
endif()

# dmscope_static(NAME HEADER LIBRARY...): imported target dmscope::NAME, the archive if there is one.
function(dmscope_static name header)
  find_path(DMSCOPE_${name}_INCLUDE ${header} REQUIRED)
  set(candidates "")
  foreach(library IN LISTS ARGN)
    list(APPEND candidates lib${library}.a ${library})
  endforeach()
  find_library(DMSCOPE_${name}_LIBRARY NAMES ${candidates} REQUIRED)
  add_library(dmscope::${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(dmscope::${name} PROPERTIES
    IMPORTED_LOCATION "${DMSCOPE_${name}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${DMSCOPE_${name}_INCLUDE}")
endfunction()

dmscope_static(sqlite sqlite3.h sqlite3)
set_property(TARGET dmscope::sqlite APPEND PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads ${CMAKE_DL_LIBS} m z)
dmscope_static(utf8proc utf8proc.h utf8proc)
set_property(TARGET dmscope::utf8proc APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS UTF8PROC_STATIC)
dmscope_static(pcre2 pcre2.h pcre2-8)
set_property(TARGET dmscope::pcre2 APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS PCRE2_STATIC PCRE2_CODE_UNIT_WIDTH=8)
