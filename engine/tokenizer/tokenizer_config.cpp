#include "engine/tokenizer/tokenizer_config.hpp"

#include <optional>

#include "engine/tokenizer/bpe_tokenizer.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/tokenizer_json.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

// "<s>" or {"content": "<s>", ...}; nothing if null.
Result<std::optional<TokenId>> read_token(const JsonNode& root, const char* key, const Tokenizer& tokenizer) {
  const JsonNode node = root.member(key);
  if (node.is_null()) return std::optional<TokenId>();
  const Result<std::string> content = node.value->is_object() ? node.string("content") : root.string(key);
  if (!content) return content.error();
  const std::optional<TokenId> id = tokenizer.id_of(*content);
  if (!id) return bad_input("{}: {} is not in the vocabulary", node.where, in_quotes(*content));
  return id;
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

Status apply_config(const JsonNode& root, BpeTokenizer& tokenizer) {
  const Result<std::optional<TokenId>> bos = read_token(root, "bos_token", tokenizer);
  if (!bos) return bos.error();
  if (*bos) tokenizer.set_bos(**bos);
  const Result<std::optional<TokenId>> eos = read_token(root, "eos_token", tokenizer);
  if (!eos) return eos.error();
  if (*eos) tokenizer.set_eos(**eos);
  const JsonNode chat_template = root.member("chat_template");
  if (chat_template.is_null()) return {};
  Result<std::string> text = read_template(chat_template);
  if (!text) return text.error();
  tokenizer.set_chat_template(std::move(*text));
  return {};
}

bool is_present(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

Status read_tokenizer_config(const std::filesystem::path& folder, BpeTokenizer& tokenizer) {
  const std::filesystem::path config = folder / "tokenizer_config.json";
  if (is_present(config)) {
    const Result<std::string> text = read_small_file(config);
    if (!text) return text.error();
    const Result<TokenizerJson> json = parse_tokenizer_json(*text, config.string());
    if (!json) return json.error();
    if (Status status = apply_config({&json->tree, config.string() + ":"}, tokenizer); !status) return status;
  }
  const std::filesystem::path jinja = folder / "chat_template.jinja";
  if (!is_present(jinja)) return {};
  Result<std::string> text = read_small_file(jinja);
  if (!text) return text.error();
  if (const std::size_t offset = find_invalid_utf8(*text); offset != std::string::npos) {
    return bad_input("{}: not valid UTF-8 at byte {}", jinja.string(), offset);
  }
  tokenizer.set_chat_template(std::move(*text));
  return {};
}

}  // namespace engine
