// What tokenizer_config.json and chat_template.jinja add to a tokenizer: BOS, EOS and the chat template.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/events/result.hpp"
#include "engine/tokenizer/bpe_tokenizer.hpp"
#include "engine/tokenizer/llama2_tokenizer.hpp"

namespace engine {

struct TokenizerConfig {
  // As text; absent where the file has none or null.
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::string chat_template;  // empty if none
  Llama2Layout layout;        // for tokenizer.model alone; tokenizer.json says it itself
  std::string file;           // for errors
};

// Both files may be absent.
Result<TokenizerConfig> read_tokenizer_config(const std::filesystem::path& folder);

// A named BOS or EOS must be a token of the vocabulary.
Status apply_tokenizer_config(TokenizerConfig config, BpeTokenizer& tokenizer);

// A file of a size that tokenizer files have; an error names what is wrong.
Result<std::string> read_small_file(const std::filesystem::path& path);

}  // namespace engine
