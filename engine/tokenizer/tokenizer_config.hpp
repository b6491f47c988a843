// What tokenizer_config.json and chat_template.jinja add to a tokenizer: BOS, EOS and the chat template.
#pragma once

#include <filesystem>
#include <string>

#include "engine/events/result.hpp"

namespace engine {

class BpeTokenizer;

// Both files may be absent. A named BOS or EOS must be a token of the vocabulary.
Status read_tokenizer_config(const std::filesystem::path& folder, BpeTokenizer& tokenizer);

// A file of a size that tokenizer files have; an error names what is wrong.
Result<std::string> read_small_file(const std::filesystem::path& path);

}  // namespace engine
