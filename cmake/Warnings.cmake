# dmscope_warnings: every warning flag of the project, in one place.
add_library(dmscope_warnings INTERFACE)
target_compile_options(dmscope_warnings INTERFACE -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow)
if(DMSCOPE_WARNINGS_AS_ERRORS)
  target_compile_options(dmscope_warnings INTERFACE -Werror)
endif()
