// Text from files and standard input, read whole and bounded, and the check that it is UTF-8.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "engine/events/result.hpp"

namespace app {

// More than any model's context holds; keeps an endless input (a device, a pipe) from filling the memory.
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

// `file` is the name used in errors.
engine::Result<std::string> read_text_file(const std::filesystem::path& path);
engine::Result<std::string> read_standard_input();

// Byte offset of the first byte that is not well-formed UTF-8 (overlong forms and surrogates are not).
std::optional<std::size_t> find_invalid_utf8(std::string_view text);
// `source` names the argument or the file.
engine::Status check_utf8(std::string_view text, const std::string& source);

}  // namespace app
