// The one implementation of Tokenizer: added tokens, normalizer, pre-tokenizer, BPE and decoder in a row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/tokenizer/added_tokens.hpp"
#include "engine/tokenizer/bpe.hpp"
#include "engine/tokenizer/decoder.hpp"
#include "engine/tokenizer/normalizer.hpp"
#include "engine/tokenizer/pre_tokenizer.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace engine {

struct TokenizerParts {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  BpeModel model;
  AddedTokens added;
  Decoder decoder;
};

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(TokenizerParts parts, std::string file) : parts_(std::move(parts)), file_(std::move(file)) {}

  // tokenizer_config.json's part, before the tokenizer is shared.
  void set_bos(TokenId id) { bos_ = id; }
  void set_eos(TokenId id) { eos_ = id; }
  void set_chat_template(std::string text) { chat_template_ = std::move(text); }

  Result<std::vector<TokenId>> encode(std::string_view text) const override;
  std::string token_bytes(TokenId id) const override;
  Result<std::string> decode(std::span<const TokenId> ids) const override;
  std::string decode_step(DecodeState& state, TokenId id) const override;
  std::string decode_end(DecodeState& state) const override;
  bool is_special(TokenId id) const override;
  bool knows(TokenId id) const override;
  std::optional<TokenId> id_of(std::string_view token) const override;
  std::int32_t size() const override;
  std::optional<TokenId> bos() const override { return bos_; }
  std::optional<TokenId> eos() const override { return eos_; }
  const std::string& chat_template() const override { return chat_template_; }

 private:
  Status encode_pieces(const PieceList& list, std::vector<TokenId>& ids) const;
  const std::string* spelling(TokenId id) const;  // as the decoder reads it; null for an unknown id

  TokenizerParts parts_;
  std::string file_;
  std::optional<TokenId> bos_;
  std::optional<TokenId> eos_;
  std::string chat_template_;
};

}  // namespace engine
