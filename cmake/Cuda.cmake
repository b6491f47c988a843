# The CUDA toolkit, if there is one: DMSCOPE_CUDA is then true and the language is enabled. Without it the program runs
# on the CPU only, and says so; the kernels are compiled for the tests all the same (tests/cuda_emulation).
set(DMSCOPE_CUDA_TOOLKIT AUTO CACHE STRING "Build the CUDA backend: AUTO (if there is a toolkit), ON or OFF")
set_property(CACHE DMSCOPE_CUDA_TOOLKIT PROPERTY STRINGS AUTO ON OFF)

set(DMSCOPE_CUDA FALSE)
set(why_not "DMSCOPE_CUDA_TOOLKIT is OFF")
if(NOT DMSCOPE_CUDA_TOOLKIT STREQUAL "OFF")
  find_package(CUDAToolkit 13.0 QUIET)
  set(why_not "no CUDA Toolkit 13.0 or newer was found")
  # Sanitizer builds test the kernels in the emulation.
  if(CUDAToolkit_FOUND AND DMSCOPE_SANITIZE)
    set(why_not "sanitizers do not go with it")
  elseif(CUDAToolkit_FOUND)
    set(DMSCOPE_CUDA TRUE)
  endif()
endif()

if(DMSCOPE_CUDA)
  # Code for 8.0 runs on every 8.x, code for 9.0 on Hopper, and its PTX is compiled by the driver of newer devices. The
  # preset "cuda" has code for all of them instead.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "Compute capabilities to compile for")
  endif()
  if(NOT DEFINED CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}" CACHE FILEPATH "nvcc")
  endif()
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has C++20
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  endif()
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  message(STATUS "CUDA backend: toolkit ${CUDAToolkit_VERSION}, compute capabilities ${CMAKE_CUDA_ARCHITECTURES}")
elseif(DMSCOPE_CUDA_TOOLKIT STREQUAL "ON")
  message(FATAL_ERROR "DMSCOPE_CUDA_TOOLKIT is ON, but ${why_not}")
else()
  message(STATUS "CUDA backend: left out, ${why_not}")
endif()
