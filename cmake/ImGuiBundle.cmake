# Dear ImGui (docking), ImPlot and GLFW from the source distribution of imgui-bundle: fetched once into build/deps, for
# all presets, and never part of the repository. Targets: dmscope::imgui (with ImPlot and the GLFW and OpenGL backends),
# dmscope::imgui_test_engine (for the test program only). OpenGL, X11 and Wayland are opened at run time, none is linked.
set(DMSCOPE_DEPS_DIR "${PROJECT_SOURCE_DIR}/build/deps" CACHE PATH "Where fetched sources lie")
set(DMSCOPE_IMGUI_BUNDLE "" CACHE FILEPATH "imgui_bundle-1.93.0.tar.gz to use instead of a download")

set(bundle "${DMSCOPE_DEPS_DIR}/imgui-bundle-1.93.0")
if(NOT EXISTS "${bundle}/LICENSE")
  find_program(DMSCOPE_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(DMSCOPE_SYSTEM_PYTHON NAMES python3 REQUIRED)
  message(STATUS "Fetching imgui-bundle 1.93.0 (54 MB) into ${bundle}")
  execute_process(
    COMMAND "${DMSCOPE_SYSTEM_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/fetch_imgui_bundle.py" "${bundle}" ${DMSCOPE_IMGUI_BUNDLE}
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "The window's libraries are missing, the reason is above. "
      "Without a network, give the archive with -DDMSCOPE_IMGUI_BUNDLE=FILE.")
  endif()
endif()

enable_language(C)
foreach(option DOCS TESTS EXAMPLES)
  set(GLFW_BUILD_${option} OFF CACHE INTERNAL "")
endforeach()
set(GLFW_INSTALL OFF CACHE INTERNAL "")
set(GLFW_LIBRARY_TYPE STATIC CACHE INTERNAL "")
add_subdirectory("${bundle}/external/glfw/glfw" "${PROJECT_BINARY_DIR}/glfw" EXCLUDE_FROM_ALL SYSTEM)
# Optimised also in a Debug build, without warnings and without sanitizers: what these would find in other people's code
# is not ours to fix. Their heap checks work all the same.
set(foreign_code -w -O2 -fno-sanitize=all)
target_compile_options(glfw PRIVATE ${foreign_code})

set(imgui "${bundle}/external/imgui/imgui")
set(implot "${bundle}/external/implot/implot")
add_library(dmscope_imgui STATIC EXCLUDE_FROM_ALL
  "${imgui}/imgui.cpp" "${imgui}/imgui_demo.cpp" "${imgui}/imgui_draw.cpp" "${imgui}/imgui_stacklayout.cpp"
  "${imgui}/imgui_tables.cpp" "${imgui}/imgui_widgets.cpp" "${imgui}/misc/cpp/imgui_stdlib.cpp"
  "${imgui}/backends/imgui_impl_glfw.cpp" "${imgui}/backends/imgui_impl_opengl3.cpp"
  "${implot}/implot.cpp" "${implot}/implot_items.cpp")
target_include_directories(dmscope_imgui SYSTEM PUBLIC
  "${imgui}" "${imgui}/backends" "${imgui}/misc/cpp" "${implot}" "${bundle}/external/glfw/glfw/include")
# The test engine's hooks are compiled in always: one branch per item, and the tests drive the very code that ships.
# Where the engine is not linked, empty hooks take its place.
target_compile_definitions(dmscope_imgui PUBLIC
  IMGUI_ENABLE_TEST_ENGINE IMGUI_USE_WCHAR32 IMGUI_DISABLE_DEMO_WINDOWS GLFW_INCLUDE_NONE)
# ImPlot compiles its plots for ten types of numbers, a minute and a half; these are the ones plotted here.
target_compile_definitions(dmscope_imgui PRIVATE "IMPLOT_CUSTOM_NUMERIC_TYPES=(float)(double)")
target_compile_options(dmscope_imgui PRIVATE ${foreign_code})
target_link_libraries(dmscope_imgui PRIVATE glfw PUBLIC ${CMAKE_DL_LIBS} Threads::Threads)
add_library(dmscope_imgui_hooks STATIC EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/app/gui/host/test_hooks.cpp")
target_include_directories(dmscope_imgui_hooks SYSTEM PRIVATE "${imgui}")
target_compile_definitions(dmscope_imgui_hooks PRIVATE IMGUI_ENABLE_TEST_ENGINE IMGUI_USE_WCHAR32)
target_link_libraries(dmscope_imgui_hooks PRIVATE dmscope_warnings)
target_link_libraries(dmscope_imgui PUBLIC dmscope_imgui_hooks)
add_library(dmscope::imgui ALIAS dmscope_imgui)

set(engine "${bundle}/external/imgui_test_engine/imgui_test_engine/imgui_test_engine")
add_library(dmscope_imgui_test_engine OBJECT EXCLUDE_FROM_ALL
  "${engine}/imgui_capture_tool.cpp" "${engine}/imgui_te_context.cpp" "${engine}/imgui_te_coroutine.cpp"
  "${engine}/imgui_te_engine.cpp" "${engine}/imgui_te_exporters.cpp" "${engine}/imgui_te_perftool.cpp"
  "${engine}/imgui_te_ui.cpp" "${engine}/imgui_te_utils.cpp")
target_include_directories(dmscope_imgui_test_engine SYSTEM PUBLIC "${engine}")
target_compile_definitions(dmscope_imgui_test_engine PUBLIC
  IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL=1 IMGUI_TEST_ENGINE_ENABLE_STD_FUNCTION=1
  IMGUI_TEST_ENGINE_ENABLE_CAPTURE=0)
target_compile_options(dmscope_imgui_test_engine PRIVATE -w -O1)
target_link_libraries(dmscope_imgui_test_engine PUBLIC dmscope_imgui)
add_library(dmscope::imgui_test_engine ALIAS dmscope_imgui_test_engine)

set(DMSCOPE_ICON_FONT "${bundle}/bindings/imgui_bundle/assets/fonts/Font_Awesome_6_Free-Solid-900.otf")
