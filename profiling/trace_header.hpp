// The first 100 bytes of an SQLite file, read before SQLite itself may touch it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/events/result.hpp"

namespace profiling {

struct TraceHeader {
  std::int64_t page_bytes = 0;
  std::int64_t pages = 0;  // the size the file should have, as of its last checkpoint
  bool write_ahead = false;
  std::uint32_t application_id = 0;
  std::uint32_t user_version = 0;
  std::uint64_t file_bytes = 0;
};

// Refuses what is not a regular file with an SQLite header. Never blocks on a pipe or a device.
engine::Result<TraceHeader> read_trace_header(const std::filesystem::path& path);

}  // namespace profiling
