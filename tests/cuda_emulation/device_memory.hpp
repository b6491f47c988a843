// What the emulated device's two kinds of memory have in common: allocations (runtime.cpp) and reserved
// addresses that memory is mapped to (virtual_memory.cpp).
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace cuda_emulation {

std::unique_lock<std::recursive_mutex> lock_device();

// Counts so many bytes of the device as taken, or refuses.
cudaError_t take_memory(std::size_t bytes);
void give_back_memory(std::size_t bytes);
void count_allocation(int change);

// Whether work is queued, and how many operations were queued ever.
bool work_is_queued();
std::int64_t operations_queued();

// Throws Fault if `data` lies among reserved addresses and not all of the range has memory behind it.
void check_mapped(const void* data, std::size_t bytes);

}  // namespace cuda_emulation
