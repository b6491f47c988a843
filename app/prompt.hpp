// From what the user typed to the ids a session starts with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace CLI {
class App;
}

namespace app {

struct PromptOptions {
  std::optional<std::string> text;
  std::optional<std::string> file;
  bool raw = false;  // no chat template
  bool bos = false;
  std::optional<std::string> system;
  std::optional<std::string> thinking;  // "on" or "off"
};

void add_prompt_options(CLI::App& command, PromptOptions& options);

struct PromptText {
  std::string text;
  std::string source;  // "--prompt", or the file's name
};

// The text alone: one source, not empty, UTF-8. Needs no checkpoint.
engine::Result<PromptText> read_prompt(const PromptOptions& options);

struct Prompt {
  std::vector<engine::TokenId> ids;
  std::string notice;  // what the user should know, or empty
};

// Applies the checkpoint's chat template and checks the ids against its vocabulary.
engine::Result<Prompt> encode_prompt(const PromptText& prompt, const PromptOptions& options,
                                     const engine::Tokenizer& tokenizer, const engine::Model& model);

}  // namespace app
