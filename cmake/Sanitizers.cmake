# -DDMSCOPE_SANITIZE=address,undefined instruments every target of the build.
if(DMSCOPE_SANITIZE)
  add_compile_options(-fsanitize=${DMSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DMSCOPE_SANITIZE})
endif()
