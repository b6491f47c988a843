# -DDMSCOPE_SANITIZE=address,undefined instruments every target of the build. Instrumented code takes g++ 12 minutes
# where it optimises fully (35 s against 15 s for a file that reads JSON), hence -O1 -g1; asserts stay on.
# For code that need not be fast: tests, the command line.
set(DMSCOPE_LIGHT_OPTIMISATION -O1)
if(DMSCOPE_SANITIZE)
  set(DMSCOPE_LIGHT_OPTIMISATION -O0)
  add_compile_options(-fsanitize=${DMSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(-O1 -g1 -UNDEBUG)
  add_link_options(-fsanitize=${DMSCOPE_SANITIZE})
endif()
