#include "app/prompt.hpp"

#include <CLI/CLI.hpp>

#include "app/text_input.hpp"
#include "engine/tokenizer/chat_template.hpp"

namespace app {

namespace {

engine::Status check_options(const PromptOptions& options) {
  if (options.text.has_value() == options.file.has_value()) {
    return engine::bad_input("--prompt: expected exactly one of --prompt and --prompt-file");
  }
  if (options.raw && options.system) return engine::bad_input("--system: has no meaning with --raw");
  if (options.raw && options.thinking) return engine::bad_input("--thinking: has no meaning with --raw");
  if (options.thinking && *options.thinking != "on" && *options.thinking != "off") {
    return engine::bad_input("--thinking: expected on or off, got '{}'", *options.thinking);
  }
  if (options.system) return check_utf8(*options.system, "--system");
  return {};
}

// What the chat options ask for must exist in the checkpoint's format.
engine::Status check_format(engine::ChatFormat format, const PromptOptions& options) {
  if (options.thinking && format != engine::ChatFormat::qwen3) {
    return engine::bad_input(
        "--thinking: only Qwen3's chat template has this switch, this checkpoint's is {}",
        engine::name_of(format));
  }
  if (options.system && format == engine::ChatFormat::none) {
    return engine::bad_input("--system: the checkpoint has no chat template that takes a system text");
  }
  if (options.bos && format != engine::ChatFormat::none) {
    return engine::bad_input("--bos: the chat template decides about the first token, use it with --raw");
  }
  return {};
}

struct Templated {
  std::string text;
  std::string notice;
};

engine::Result<Templated> apply_template(const PromptText& prompt, const PromptOptions& options,
                                         const engine::Tokenizer& tokenizer) {
  if (options.raw) return Templated{prompt.text, ""};
  const engine::ChatFormat format = engine::recognise_chat_format(tokenizer.chat_template());
  if (auto status = check_format(format, options); !status) return status.error();
  if (format == engine::ChatFormat::none) {
    const char* what = tokenizer.chat_template().empty() ? "the checkpoint has no chat template"
                                                         : "the checkpoint's chat template is unknown";
    return Templated{prompt.text, fmt::format("{}: the prompt is completed as plain text", what)};
  }
  engine::ChatOptions chat;
  chat.system = options.system.value_or("");
  if (options.thinking) chat.thinking = *options.thinking == "on";
  return Templated{engine::apply_chat_format(format, tokenizer.chat_template(), prompt.text, chat), ""};
}

engine::Status check_ids(const std::vector<engine::TokenId>& ids, const engine::Model& model) {
  for (const engine::TokenId id : ids) {
    if (id < 0 || id >= model.config.vocab) {
      return engine::bad_input("{}: token id {} is outside vocab_size {} of config.json",
                               (model.folder / "tokenizer.json").string(), id, model.config.vocab);
    }
  }
  return {};
}

}  // namespace

void add_prompt_options(CLI::App& command, PromptOptions& options) {
  command.add_option("--prompt", options.text, "The prompt")->type_name("TEXT");
  command.add_option("--prompt-file", options.file, "A file with the prompt, '-' for standard input")
      ->type_name("FILE");
  command.add_flag("--raw", options.raw, "Complete the prompt as it is, without the chat template");
  command.add_flag("--bos", options.bos, "Begin a raw prompt with the tokenizer's BOS");
  command.add_option("--system", options.system, "System text of the chat template")->type_name("TEXT");
  command.add_option("--thinking", options.thinking, "Qwen3: on or off (default: as its template has it)")
      ->type_name("on|off");
}

engine::Result<PromptText> read_prompt(const PromptOptions& options) {
  if (auto status = check_options(options); !status) return status.error();
  PromptText prompt;
  if (options.text) {
    prompt = {*options.text, "--prompt"};
  } else {
    auto text = *options.file == "-" ? read_standard_input() : read_text_file(*options.file);
    if (!text) return text.error();
    prompt = {std::move(*text), *options.file == "-" ? "standard input" : *options.file};
  }
  if (prompt.text.empty()) return engine::bad_input("{}: expected a prompt, it is empty", prompt.source);
  if (auto status = check_utf8(prompt.text, prompt.source); !status) return status.error();
  return prompt;
}

engine::Result<Prompt> encode_prompt(const PromptText& prompt, const PromptOptions& options,
                                     const engine::Tokenizer& tokenizer, const engine::Model& model) {
  auto templated = apply_template(prompt, options, tokenizer);
  if (!templated) return templated.error();
  auto ids = tokenizer.encode(templated->text);
  if (!ids) return ids.error();
  if (options.bos) {
    if (!tokenizer.bos()) {
      return engine::bad_input("--bos: {} names no bos_token",
                               (model.folder / "tokenizer_config.json").string());
    }
    ids->insert(ids->begin(), *tokenizer.bos());
  }
  if (ids->empty()) return engine::bad_input("{}: expected a prompt of at least one token", prompt.source);
  if (auto status = check_ids(*ids, model); !status) return status.error();
  return Prompt{std::move(*ids), templated->notice};
}

}  // namespace app
