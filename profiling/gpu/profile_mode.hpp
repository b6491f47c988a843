// How closely the work of a GPU is watched. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace profiling {

enum class ProfileMode : std::uint8_t {
  off,       // nothing is recorded, CUPTI is not even loaded
  light,     // each launch: a graph as a whole, and every kernel, copy and set that no graph launched
  detailed,  // every kernel, copy and set, those inside graphs too
};

constexpr std::string_view name_of(ProfileMode mode) {
  switch (mode) {
    case ProfileMode::off:
      return "off";
    case ProfileMode::light:
      return "light";
    case ProfileMode::detailed:
      return "detailed";
  }
  return "";
}

constexpr std::optional<ProfileMode> profile_mode(std::string_view name) {
  for (const ProfileMode mode : {ProfileMode::off, ProfileMode::light, ProfileMode::detailed}) {
    if (name == name_of(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace profiling
