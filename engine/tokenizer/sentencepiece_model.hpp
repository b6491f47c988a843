// Llama 2's tokenizer.model: a SentencePiece BPE model, a protobuf message read here by hand.
//
// Only what Hugging Face's LlamaTokenizer takes from the file is read: pieces, scores and types. The model's
// own text normalization and prefix flags are left aside, as there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/result.hpp"
#include "engine/tokenizer/bpe.hpp"

namespace engine {

enum class PieceType : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::normal;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;  // the index is the id
  std::int64_t bos_id = 1;            // -1: none
  std::int64_t eos_id = 2;
};

// Every piece is valid UTF-8 and not empty, every score finite; the model type is BPE.
Result<SentencePieceModel> parse_sentencepiece(std::string_view bytes, const std::string& file);

// The merges that lead to each piece, best score first, as Hugging Face's conversion orders them.
std::vector<MergePair> merges_of(const SentencePieceModel& model, const Vocabulary& vocabulary);

}  // namespace engine
