// Hostile tokenizer files: load one, encode and decode with it.
//
// Input: '{' starts a tokenizer.json, anything else is a SentencePiece model; what follows a zero byte after
// the file is the text to encode. Besides not crashing, streamed and whole decoding must agree.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "engine/tokenizer/chat_template.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace {

using namespace engine;

constexpr std::string_view kText = "Hello  world 12345, it's\n\n  <s>\xF0\x9F\x98\x80 e\xCC\x81 <0x0A>";

void exercise(const std::shared_ptr<const Tokenizer>& tokenizer, std::string_view text) {
  std::vector<TokenId> ids;
  if (const Result<std::vector<TokenId>> encoded = tokenizer->encode(text)) ids = *encoded;
  for (TokenId id = 0; id < std::min<TokenId>(tokenizer->size(), 300); ++id) {
    if (tokenizer->knows(id)) ids.push_back(id);
    tokenizer->token_bytes(id);
  }
  const Result<std::string> whole = tokenizer->decode(ids);
  if (!whole) std::abort();
  StreamDecoder decoder(tokenizer);
  std::string streamed;
  for (const TokenId id : ids) streamed += decoder.next(id);
  streamed += decoder.finish();
  if (streamed != *whole) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool is_json = input.starts_with('{');
  const std::size_t end = is_json ? input.find('\0') : std::string_view::npos;
  const std::string_view file = input.substr(0, end);
  const std::string_view text = end == std::string_view::npos ? kText : input.substr(end + 1);
  const auto tokenizer = is_json ? Tokenizer::from_json(file, "tokenizer.json")
                                 : Tokenizer::from_sentencepiece(file, "tokenizer.model");
  if (tokenizer) exercise(*tokenizer, text);
  const ChatFormat format = recognise_chat_format(input);
  apply_chat_format(format, input, text, {});
  return 0;
}
