// What a running model costs in resident memory, beyond the weights it touches and the caches it holds.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "engine/backend/backend.hpp"

namespace engine {

struct ResidentMemory {
  std::int64_t resident_bytes = 0;
  std::int64_t peak_bytes = 0;
};

// Of this process, from /proc/self/status.
Result<ResidentMemory> resident_memory();

struct MemorySample {
  std::int32_t tokens = 0;          // prefilled, then decoded for a few steps
  std::int64_t weight_bytes = 0;    // touched
  std::int64_t cache_bytes = 0;     // of the pages held
  ResidentMemory resident;          // while the caches are held
  std::int64_t overhead_bytes = 0;  // resident peak - weights - caches
};

// Meaningful in a process that has done nothing else: measure this first.
Result<MemorySample> measure_memory(std::shared_ptr<const Model> model, const BackendOptions& options,
                                    std::int32_t tokens, const std::stop_token& stop);

}  // namespace engine
