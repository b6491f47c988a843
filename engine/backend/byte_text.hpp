// Amounts of memory for people.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace engine {

inline std::string byte_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= std::int64_t{1} << 30) return fmt::format("{:.1f} GiB", value * 0x1p-30);
  if (bytes >= std::int64_t{1} << 20) return fmt::format("{:.1f} MiB", value * 0x1p-20);
  return fmt::format("{:.1f} KiB", value * 0x1p-10);
}

}  // namespace engine
