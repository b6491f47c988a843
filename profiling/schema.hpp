// What marks an SQLite file as a trace of ours, and of which version.
#pragma once

#include <cstdint>

namespace profiling {

inline constexpr std::int32_t kApplicationId = 0x444d5363;  // "DMSc"
inline constexpr std::int32_t kSchemaVersion = 1;           // PRAGMA user_version

}  // namespace profiling
