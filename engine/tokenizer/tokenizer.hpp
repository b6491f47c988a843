// Text to token ids and back, equal to Hugging Face `tokenizers` id for id.
//
// Loaded from tokenizer.json (byte-level BPE of GPT-2/SmolLM2, Llama 3, Qwen2/3; Llama 2's BPE with byte
// fallback in its Prepend and Metaspace layouts) or from Llama 2's tokenizer.model. Needs no weights.
// Immutable and thread-safe after loading. What a file says is checked; anything unknown is an error that
// names it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace engine {

// What a streamed decode holds back between its tokens. A plain value: copying it forks the stream.
struct DecodeState {
  struct Stage {
    std::string held;          // bytes of an unfinished character, or of an unfinished run of byte tokens
    std::size_t tokens = 0;    // passed so far
    std::size_t stripped = 0;  // characters taken off the start of the text
    bool closed = false;       // nothing more is taken off
  };
  std::vector<Stage> stages;
};

class Tokenizer {
 public:
  static Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& folder);
  // For tests and fuzzing. `file` is the name used in errors.
  static Result<std::shared_ptr<const Tokenizer>> from_json(std::string_view tokenizer_json,
                                                            const std::string& file);
  static Result<std::shared_ptr<const Tokenizer>> from_sentencepiece(std::string_view model,
                                                                     const std::string& file);
  virtual ~Tokenizer() = default;

  // Ids of one text, special tokens in it recognised, nothing added. The text must be valid UTF-8 (else an
  // error that gives the byte offset).
  virtual Result<std::vector<TokenId>> encode(std::string_view text) const = 0;

  // Raw bytes of one token as they appear in decoded text; special tokens as written. Empty for an unknown
  // id.
  virtual std::string token_bytes(TokenId id) const = 0;

  // Text of ids, special tokens shown, invalid bytes as U+FFFD, equal to Hugging Face's decode with
  // skip_special_tokens=False and clean_up_tokenization_spaces=False. An id the vocabulary lacks is an error.
  virtual Result<std::string> decode(std::span<const TokenId> ids) const = 0;

  // decode() in steps, for StreamDecoder: the text that one more token makes certain, then what is left.
  // Here: the tokens' bytes in a row. An unknown id adds nothing.
  virtual std::string decode_step(DecodeState& state, TokenId id) const;
  virtual std::string decode_end(DecodeState& state) const;

  virtual bool is_special(TokenId id) const = 0;
  virtual bool knows(TokenId id) const = 0;
  virtual std::optional<TokenId> id_of(std::string_view token) const = 0;  // exact token, e.g. "<|im_end|>"
  virtual std::int32_t size() const = 0;                                   // largest id + 1

  virtual std::optional<TokenId> bos() const = 0;  // from tokenizer_config.json; what `--bos` adds
  virtual std::optional<TokenId> eos() const = 0;
  virtual const std::string& chat_template() const = 0;  // text of the template, empty if none
};

// Decodes a stream of tokens piece by piece without ever splitting a UTF-8 character: bytes of an unfinished
// character are held back until it completes (or turn out invalid: U+FFFD). The pieces concatenate to
// decode(). With byte fallback (Llama 2) a run of byte tokens, a newline among them, comes with the token
// that ends the run.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer);
  std::string next(TokenId id);
  std::string finish();  // what is still held back

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  DecodeState state_;
};

}  // namespace engine
