#include "engine/tokenizer/tokenizer.hpp"

#include <fstream>

#include "engine/tokenizer/bpe_tokenizer.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/llama2_tokenizer.hpp"
#include "engine/tokenizer/tokenizer_config.hpp"
#include "engine/tokenizer/tokenizer_json.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr std::uintmax_t kLargestFile = 64 << 20;  // the largest published tokenizer.json has about 35 MB

Result<BpeOptions> read_bpe_options(const JsonNode& model) {
  BpeOptions options;
  Result<std::optional<std::string>> unk_token = model.optional_string("unk_token");
  if (!unk_token) return unk_token.error();
  options.unk_token = std::move(*unk_token);
  struct Text {
    const char* key;
    std::string* value;
  };
  for (const Text& text : {Text{"continuing_subword_prefix", &options.continuing_subword_prefix},
                           Text{"end_of_word_suffix", &options.end_of_word_suffix}}) {
    Result<std::optional<std::string>> value = model.optional_string(text.key);
    if (!value) return value.error();
    *text.value = value->value_or("");
  }
  struct Flag {
    const char* key;
    bool* value;
  };
  for (const Flag& flag : {Flag{"fuse_unk", &options.fuse_unk}, Flag{"byte_fallback", &options.byte_fallback},
                           Flag{"ignore_merges", &options.ignore_merges}}) {
    const Result<bool> value = model.boolean(flag.key, false);
    if (!value) return value.error();
    *flag.value = *value;
  }
  return options;
}

// Dropout makes encoding random; it is a matter of training.
Status check_model_kind(const JsonNode& model) {
  if (Status status = model.expect_object(); !status) return status;
  const Result<std::optional<std::string>> type = model.optional_string("type");
  if (!type) return type.error();
  if (type->value_or("BPE") != "BPE") {
    return bad_input("{}.type: expected BPE, found {}", model.where, in_quotes(**type));
  }
  const JsonNode dropout = model.member("dropout");
  const bool none = dropout.is_null() || (dropout.value->is_number() && dropout.value->get<double>() == 0);
  if (!none) return bad_input("{}: expected null or 0", dropout.where);
  return {};
}

Result<BpeModel> read_model(TokenizerJson& json, const JsonNode& model, const std::string& file) {
  if (Status status = check_model_kind(model); !status) return status.error();
  if (!json.has_vocab) return bad_input("{}.vocab: expected an object of tokens and ids", model.where);
  if (!json.has_merges) return bad_input("{}.merges: expected a list of pairs", model.where);
  Result<BpeOptions> options = read_bpe_options(model);
  if (!options) return options.error();
  Result<Vocabulary> vocabulary = Vocabulary::build(std::move(json.vocab), file);
  if (!vocabulary) return vocabulary.error();
  return BpeModel::build(std::move(*vocabulary), json.merges, std::move(*options), file);
}

Result<TokenizerParts> read_parts(TokenizerJson& json, const std::string& file) {
  const JsonNode root{&json.tree, file + ":"};
  Result<Normalizer> normalizer = Normalizer::read(root.member("normalizer"));
  if (!normalizer) return normalizer.error();
  Result<PreTokenizer> pre_tokenizer = PreTokenizer::read(root.member("pre_tokenizer"));
  if (!pre_tokenizer) return pre_tokenizer.error();
  Result<Decoder> decoder = Decoder::read(root.member("decoder"));
  if (!decoder) return decoder.error();
  Result<BpeModel> model = read_model(json, root.member("model"), file);
  if (!model) return model.error();
  Result<AddedTokens> added =
      AddedTokens::read(root.member("added_tokens"), model->vocabulary(), *normalizer);
  if (!added) return added.error();
  return TokenizerParts{std::move(*normalizer), std::move(*pre_tokenizer), std::move(*model),
                        std::move(*added), std::move(*decoder)};
}

Result<std::shared_ptr<BpeTokenizer>> tokenizer_from_json(std::string_view text, const std::string& file) {
  Result<TokenizerJson> json = parse_tokenizer_json(text, file);
  if (!json) return json.error();
  Result<TokenizerParts> parts = read_parts(*json, file);
  if (!parts) return parts.error();
  return std::make_shared<BpeTokenizer>(std::move(*parts), file);
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return bad_input("{}: {}", path.string(), error.message());
  if (size > kLargestFile) {
    return bad_input("{}: {} bytes, expected at most {}", path.string(), size, kLargestFile);
  }
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(text.data(), static_cast<std::streamsize>(size)))
    return bad_input("{}: cannot be read", path.string());
  return text;
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_json(std::string_view tokenizer_json,
                                                              const std::string& file) {
  Result<std::shared_ptr<BpeTokenizer>> tokenizer = tokenizer_from_json(tokenizer_json, file);
  if (!tokenizer) return tokenizer.error();
  return std::shared_ptr<const Tokenizer>(std::move(*tokenizer));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::from_sentencepiece(std::string_view model,
                                                                       const std::string& file) {
  Result<std::shared_ptr<BpeTokenizer>> tokenizer = make_llama2_tokenizer(model, file, {});
  if (!tokenizer) return tokenizer.error();
  return std::shared_ptr<const Tokenizer>(std::move(*tokenizer));
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::load(const std::filesystem::path& folder) {
  Result<TokenizerConfig> config = read_tokenizer_config(folder);
  if (!config) return config.error();
  const std::filesystem::path model_path = folder / "tokenizer.model";
  std::filesystem::path path = folder / "tokenizer.json";
  std::error_code ignored;
  const bool only_model =
      !std::filesystem::exists(path, ignored) && std::filesystem::exists(model_path, ignored);
  if (only_model) path = model_path;
  const Result<std::string> text = read_small_file(path);
  if (!text) return text.error();
  Result<std::shared_ptr<BpeTokenizer>> tokenizer =
      only_model ? make_llama2_tokenizer(*text, path.string(), config->layout)
                 : tokenizer_from_json(*text, path.string());
  if (!tokenizer) return tokenizer.error();
  if (Status status = apply_tokenizer_config(std::move(*config), **tokenizer); !status) return status.error();
  return std::shared_ptr<const Tokenizer>(std::move(*tokenizer));
}

}  // namespace engine
