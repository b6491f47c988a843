set(dmscope_cuda_sources "")
foreach(source IN ITEMS
    cache.cu
    embed.cu
    kernels_load.cu
    matmul.cu
    matmul_exact.cu
    matmul_small.cu
    matmul_tiled.cu
    memory_rate.cu
    rmsnorm.cu
    runtime.cpp)
  list(APPEND dmscope_cuda_sources "${PROJECT_SOURCE_DIR}/kernels/cuda/${source}")
endforeach()
