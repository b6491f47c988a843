#include "engine/tokenizer/sentencepiece_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "engine/tokenizer/protobuf_reader.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

using Wire = ProtobufField::Wire;

constexpr std::uint64_t kBpe = 2;  // TrainerSpec.ModelType
constexpr std::size_t kLongestMerged =
    256;  // bytes of a piece that merges lead to; the trainer makes at most 64

std::int64_t signed_value(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

Result<SentencePiece> read_piece(std::string_view message, const std::string& where) {
  SentencePiece piece;
  ProtobufReader reader(message);
  while (const std::optional<ProtobufField> field = reader.next()) {
    if (field->number == 1 && field->wire == Wire::bytes) piece.text = field->bytes;
    if (field->number == 2 && field->wire == Wire::fixed32) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
    }
    if (field->number == 3 && field->wire == Wire::varint) {
      if (field->value < 1 || field->value > 6) {
        return bad_input("{}: type {}, expected 1 to 6", where, field->value);
      }
      piece.type = static_cast<PieceType>(field->value);
    }
  }
  if (reader.damaged()) return bad_input("{}: not a protobuf message", where);
  if (piece.text.empty()) return bad_input("{}: has no text", where);
  if (find_invalid_utf8(piece.text) != std::string::npos) return bad_input("{}: not valid UTF-8", where);
  if (!std::isfinite(piece.score)) return bad_input("{}: the score is not a number", where);
  if (piece.type == PieceType::normal && piece.text.size() > kLongestMerged) {
    return bad_input("{}: {} bytes, expected at most {}", where, piece.text.size(), kLongestMerged);
  }
  return piece;
}

Status read_trainer_spec(std::string_view message, const std::string& file, SentencePieceModel& model) {
  std::uint64_t model_type = 1;  // the format's default: unigram
  ProtobufReader reader(message);
  while (const std::optional<ProtobufField> field = reader.next()) {
    if (field->wire != Wire::varint) continue;
    if (field->number == 3) model_type = field->value;
    if (field->number == 41) model.bos_id = signed_value(field->value);
    if (field->number == 42) model.eos_id = signed_value(field->value);
  }
  if (reader.damaged()) return bad_input("{}: trainer_spec: not a protobuf message", file);
  if (model_type != kBpe) {
    return bad_input("{}: trainer_spec.model_type: expected {} (BPE), found {}", file, kBpe, model_type);
  }
  return {};
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece(std::string_view bytes, const std::string& file) {
  SentencePieceModel model;
  bool has_trainer_spec = false;
  ProtobufReader reader(bytes);
  while (const std::optional<ProtobufField> field = reader.next()) {
    if (field->wire != Wire::bytes) continue;
    if (field->number == 1) {
      const std::size_t index = model.pieces.size();
      if (index > static_cast<std::size_t>(kMaxTokenId)) {
        return bad_input("{}: more than {} pieces", file, kMaxTokenId + 1);
      }
      Result<SentencePiece> piece = read_piece(field->bytes, fmt::format("{}: pieces[{}]", file, index));
      if (!piece) return piece.error();
      model.pieces.push_back(std::move(*piece));
    } else if (field->number == 2) {
      if (Status status = read_trainer_spec(field->bytes, file, model); !status) return status.error();
      has_trainer_spec = true;
    }
  }
  if (reader.damaged()) return bad_input("{}: not a SentencePiece model", file);
  if (model.pieces.empty()) return bad_input("{}: has no pieces", file);
  if (!has_trainer_spec) return bad_input("{}: has no trainer_spec, expected model_type BPE", file);
  return model;
}

std::vector<MergePair> merges_of(const SentencePieceModel& model, const Vocabulary& vocabulary) {
  struct Candidate {
    float score;
    TokenId merged;
    std::size_t left_characters, right_characters;
    TokenId left, right;
  };
  std::vector<Candidate> candidates;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const std::string& text = model.pieces[id].text;
    if (text.size() > kLongestMerged) continue;
    const auto characters = static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    std::size_t split = 0;
    next_code_point(text, split);
    for (std::size_t left_characters = 1; split < text.size();
         ++left_characters, next_code_point(text, split)) {
      const std::optional<TokenId> left = vocabulary.id_of(std::string_view(text).substr(0, split));
      if (!left) continue;
      const std::optional<TokenId> right = vocabulary.id_of(std::string_view(text).substr(split));
      if (!right) continue;
      candidates.push_back({model.pieces[id].score, static_cast<TokenId>(id), left_characters,
                            characters - left_characters, *left, *right});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::tie(a.merged, a.left_characters, a.right_characters, a.left, a.right) <
           std::tie(b.merged, b.left_characters, b.right_characters, b.left, b.right);
  });
  std::vector<MergePair> merges;
  merges.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    merges.emplace_back(*vocabulary.token(candidate.left), *vocabulary.token(candidate.right));
  }
  return merges;
}

}  // namespace engine
