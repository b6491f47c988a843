#include "engine/tokenizer/tokenizer.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

std::string Tokenizer::decode_step(DecodeState& state, TokenId id) const {
  if (state.stages.empty()) state.stages.resize(1);
  std::string& held = state.stages[0].held;
  held += token_bytes(id);
  std::string text;
  const std::size_t unfinished = append_lossy(held, false, text);
  held.erase(0, held.size() - unfinished);
  return text;
}

std::string Tokenizer::decode_end(DecodeState& state) const {
  std::string text;
  if (!state.stages.empty()) append_lossy(state.stages[0].held, true, text);
  state.stages.clear();
  return text;
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

std::string StreamDecoder::next(TokenId id) {
  return tokenizer_->decode_step(state_, id);
}

std::string StreamDecoder::finish() {
  return tokenizer_->decode_end(state_);
}

}  // namespace engine
