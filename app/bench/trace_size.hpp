// The size of a trace and the time to read one, for a synthetic run of 32k tokens at 36 layers of 8 KV heads
// (the shape of an 8B model) with random gates: no model is needed, and the same everywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "engine/events/result.hpp"

namespace app {

struct TraceSize {
  std::int32_t tokens = 0;
  std::int32_t layers = 0;
  std::int32_t kv_heads = 0;
  std::uintmax_t bytes = 0;  // without kernel rows
  double write_seconds = 0;
  std::int64_t kernel_rows = 0;
  double bytes_per_kernel_row = 0;  // indexes included
  double open_seconds = 0;
  double replay_seconds = 0;  // every event again, from opening the file on
  double state_seconds = 0;   // live slots of every head at one position, the slowest of several
};

// Such a run as a trace, with or without kernel rows; an existing trace is replaced.
engine::Status write_synthetic_trace(const std::filesystem::path& path, bool spans,
                                     const std::stop_token& stop);

engine::Result<TraceSize> measure_trace_size(const std::filesystem::path& folder, std::stop_token stop);

}  // namespace app
