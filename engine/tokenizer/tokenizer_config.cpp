#include "engine/tokenizer/tokenizer_config.hpp"

#include <optional>

#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/tokenizer_json.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

// "<s>" or {"content": "<s>", ...}; nothing if null.
Result<std::optional<std::string>> read_token(const JsonNode& root, const char* key) {
  const JsonNode node = root.member(key);
  if (node.is_null()) return std::optional<std::string>();
  Result<std::string> content = node.value->is_object() ? node.string("content") : root.string(key);
  if (!content) return content.error();
  return std::optional<std::string>(std::move(*content));
}

// A string, or a list of {"name", "template"} of which "default" is meant.
Result<std::string> read_template(const JsonNode& node) {
  if (node.value->is_string()) return node.value->get<std::string>();
  if (Status status = node.expect_array(); !status) {
    return bad_input("{}: expected a string or a list of named templates, found {}", node.where,
                     node.value->type_name());
  }
  for (std::size_t i = 0; i < node.value->size(); ++i) {
    const JsonNode entry = node.element(i);
    if (Status status = entry.expect_object(); !status) return status.error();
    const Result<std::string> name = entry.string("name");
    if (!name) return name.error();
    if (*name == "default") return entry.string("template");
  }
  return std::string();
}

Result<Llama2Layout> read_layout(const JsonNode& root) {
  const Result<bool> legacy = root.boolean("legacy", false);
  if (!legacy) return legacy.error();
  const Result<bool> add_prefix_space = root.boolean("add_prefix_space", true);
  if (!add_prefix_space) return add_prefix_space.error();
  return Llama2Layout{*legacy, *add_prefix_space};
}

Status read_config(const JsonNode& root, TokenizerConfig& config) {
  Result<std::optional<std::string>> bos = read_token(root, "bos_token");
  if (!bos) return bos.error();
  config.bos_token = std::move(*bos);
  Result<std::optional<std::string>> eos = read_token(root, "eos_token");
  if (!eos) return eos.error();
  config.eos_token = std::move(*eos);
  const Result<Llama2Layout> layout = read_layout(root);
  if (!layout) return layout.error();
  config.layout = *layout;
  const JsonNode chat_template = root.member("chat_template");
  if (chat_template.is_null()) return {};
  Result<std::string> text = read_template(chat_template);
  if (!text) return text.error();
  config.chat_template = std::move(*text);
  return {};
}

bool is_present(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<std::optional<TokenId>> find_token(const std::optional<std::string>& token, const char* key,
                                          const std::string& file, const BpeTokenizer& tokenizer) {
  if (!token) return std::optional<TokenId>();
  const std::optional<TokenId> id = tokenizer.id_of(*token);
  if (!id) return bad_input("{}: {}: {} is not in the vocabulary", file, key, in_quotes(*token));
  return id;
}

}  // namespace

Result<TokenizerConfig> read_tokenizer_config(const std::filesystem::path& folder) {
  TokenizerConfig config;
  const std::filesystem::path path = folder / "tokenizer_config.json";
  config.file = path.string();
  if (is_present(path)) {
    const Result<std::string> text = read_small_file(path);
    if (!text) return text.error();
    const Result<TokenizerJson> json = parse_tokenizer_json(*text, config.file);
    if (!json) return json.error();
    if (Status status = read_config({&json->tree, config.file + ":"}, config); !status) return status.error();
  }
  const std::filesystem::path jinja = folder / "chat_template.jinja";
  if (!is_present(jinja)) return config;
  Result<std::string> text = read_small_file(jinja);
  if (!text) return text.error();
  if (const std::size_t offset = find_invalid_utf8(*text); offset != std::string::npos) {
    return bad_input("{}: not valid UTF-8 at byte {}", jinja.string(), offset);
  }
  config.chat_template = std::move(*text);
  return config;
}

Status apply_tokenizer_config(TokenizerConfig config, BpeTokenizer& tokenizer) {
  const Result<std::optional<TokenId>> bos =
      find_token(config.bos_token, "bos_token", config.file, tokenizer);
  if (!bos) return bos.error();
  if (*bos) tokenizer.set_bos(**bos);
  const Result<std::optional<TokenId>> eos =
      find_token(config.eos_token, "eos_token", config.file, tokenizer);
  if (!eos) return eos.error();
  if (*eos) tokenizer.set_eos(**eos);
  tokenizer.set_chat_template(std::move(config.chat_template));
  return {};
}

}  // namespace engine
