set(dmscope_cuda_backend_sources "")
foreach(source IN ITEMS
    cuda_activations.cpp
    cuda_backend.cpp
    cuda_cache.cpp
    cuda_forward.cpp
    cuda_output.cpp
    cuda_probe.cpp
    cuda_rope.cpp
    cuda_runner.cpp
    cuda_sampler.cpp
    cuda_step.cpp
    cuda_timer.cpp
    cuda_upload.cpp
    cuda_weights.cpp)
  list(APPEND dmscope_cuda_backend_sources "${PROJECT_SOURCE_DIR}/engine/backend/${source}")
endforeach()
list(APPEND dmscope_cuda_backend_sources "${PROJECT_SOURCE_DIR}/engine/bench/gpu_ceiling.cpp")
