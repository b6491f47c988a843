set(dmscope_cuda_sources "")
foreach(source IN ITEMS
    cache.cu
    decode_attention.cu
    embed.cu
    finish_heads.cu
    gates.cu
    growing_buffer.cpp
    kernels_load.cu
    matmul.cu
    matmul_exact.cu
    matmul_small.cu
    matmul_tiled.cu
    memory_rate.cu
    nvtx.cpp
    prefill_attention.cu
    prefill_commit.cu
    rmsnorm.cu
    runtime.cpp
    sampling.cu)
  list(APPEND dmscope_cuda_sources "${PROJECT_SOURCE_DIR}/kernels/cuda/${source}")
endforeach()
