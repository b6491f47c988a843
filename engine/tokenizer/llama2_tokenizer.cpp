#include "engine/tokenizer/llama2_tokenizer.hpp"

#include <nlohmann/json.hpp>

#include "engine/tokenizer/sentencepiece_model.hpp"

namespace engine {

namespace {

Result<Vocabulary> vocabulary_of(const SentencePieceModel& model, const std::string& file) {
  std::vector<std::pair<std::string, std::int64_t>> entries;
  entries.reserve(model.pieces.size());
  for (const SentencePiece& piece : model.pieces) {
    entries.emplace_back(piece.text, static_cast<std::int64_t>(entries.size()));
  }
  return Vocabulary::build(std::move(entries), file);
}

// Control and user-defined pieces, and <unk>, are recognised in the text.
std::vector<AddedToken> added_tokens_of(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    if (piece.type != PieceType::unknown && piece.type != PieceType::control &&
        piece.type != PieceType::user_defined) {
      continue;
    }
    AddedToken token;
    token.content = piece.text;
    token.id = static_cast<TokenId>(id);
    token.special = piece.type != PieceType::user_defined;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Result<PreTokenizer> pre_tokenizer_of(const Llama2Layout& layout, const std::string& file) {
  const char* scheme = !layout.add_prefix_space ? "never" : layout.legacy ? "always" : "first";
  const nlohmann::json metaspace = {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}, {"split", false}};
  return PreTokenizer::read({&metaspace, file});
}

Result<Decoder> decoder_of(const Llama2Layout& layout, const std::string& file) {
  using nlohmann::json;
  json decoders = json::array();
  decoders.push_back(json{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}});
  decoders.push_back(json{{"type", "ByteFallback"}});
  decoders.push_back(json{{"type", "Fuse"}});
  if (layout.add_prefix_space) {
    decoders.push_back(json{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  const json sequence = {{"type", "Sequence"}, {"decoders", decoders}};
  return Decoder::read({&sequence, file});
}

BpeOptions options_of(const SentencePieceModel& model) {
  BpeOptions options;
  options.byte_fallback = true;
  options.fuse_unk = true;
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type == PieceType::unknown) options.unk_token = piece.text;
  }
  return options;
}

std::optional<TokenId> checked_id(std::int64_t id, const SentencePieceModel& model) {
  if (id < 0 || id >= static_cast<std::int64_t>(model.pieces.size())) return std::nullopt;
  return static_cast<TokenId>(id);
}

}  // namespace

Result<std::shared_ptr<BpeTokenizer>> make_llama2_tokenizer(std::string_view bytes, const std::string& file,
                                                            const Llama2Layout& layout) {
  const Result<SentencePieceModel> model = parse_sentencepiece(bytes, file);
  if (!model) return model.error();
  Result<Vocabulary> vocabulary = vocabulary_of(*model, file);
  if (!vocabulary) return vocabulary.error();
  const std::vector<MergePair> merges = merges_of(*model, *vocabulary);
  Result<BpeModel> bpe = BpeModel::build(std::move(*vocabulary), merges, options_of(*model), file);
  if (!bpe) return bpe.error();
  Result<AddedTokens> added =
      AddedTokens::build(added_tokens_of(*model), bpe->vocabulary(), Normalizer(), file);
  if (!added) return added.error();
  Result<PreTokenizer> pre_tokenizer = pre_tokenizer_of(layout, file);
  if (!pre_tokenizer) return pre_tokenizer.error();
  Result<Decoder> decoder = decoder_of(layout, file);
  if (!decoder) return decoder.error();
  auto tokenizer =
      std::make_shared<BpeTokenizer>(TokenizerParts{Normalizer(), std::move(*pre_tokenizer), std::move(*bpe),
                                                    std::move(*added), std::move(*decoder)},
                                     file);
  if (const std::optional<TokenId> bos = checked_id(model->bos_id, *model)) tokenizer->set_bos(*bos);
  if (const std::optional<TokenId> eos = checked_id(model->eos_id, *model)) tokenizer->set_eos(*eos);
  return tokenizer;
}

}  // namespace engine
