// A trace whose prompt is a given text, for what no model of ours writes: other scripts, signs, very long
// tokens.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/events/result.hpp"

namespace gui_tests {

// Two layers of two heads; every second token is marked in every head. An existing trace is replaced.
engine::Status write_text_trace(const std::filesystem::path& path, const std::vector<std::string>& tokens);

// Hebrew, Arabic, Chinese, faces, letters with accents, signs that turn text around, damaged bytes and a
// token of 600 characters, then `words` words.
std::vector<std::string> unusual_tokens(std::int32_t words);
// Of these: the token of 600 characters.
inline constexpr std::int32_t kLongToken = 12;

}  // namespace gui_tests
