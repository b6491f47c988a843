# -DDMSCOPE_SANITIZE=address,undefined instruments every target of the build.
if(DMSCOPE_SANITIZE)
  add_compile_options(-fsanitize=${DMSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DMSCOPE_SANITIZE})
endif()
# A fuzz target learns only from code that reports its coverage, so the libraries must be built for it too.
if(DMSCOPE_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
