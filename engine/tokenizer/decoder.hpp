// Tokens back to text: tokenizer.json's "decoder", as a chain of stages that each turn a list of strings into
// another.
//
// The chain runs over a stream: a stage passes on what can no longer change and holds back the rest, so that
// decoding piece by piece gives the same text as decoding at once. The chain is immutable; what a stream
// holds is in its State.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/events/result.hpp"
#include "engine/tokenizer/json_fields.hpp"
#include "engine/tokenizer/pre_tokenizer.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace engine {

class Decoder {
 public:
  using State = DecodeState;

  // A null node joins the tokens with spaces.
  static Result<Decoder> read(const JsonNode& node);

  // Appends the text that becomes certain with this token, in the spelling of the vocabulary.
  void push(State& state, std::string_view token, std::string& out) const;
  void finish(State& state, std::string& out) const;

  // The bytes a token stands for in the middle of a text, not made valid.
  std::string token_bytes(std::string_view token) const;

 private:
  struct JoinWithSpaces {};
  struct ByteLevel {};  // GPT-2's alphabet back to bytes
  struct Replace {
    std::string literal;
    std::string content;
  };
  struct ByteFallback {};  // runs of "<0xNN>" to the bytes they name
  struct Fuse {};          // all tokens become one string
  struct Strip {
    std::string content;  // one character
    std::size_t start = 0;
    std::size_t stop = 0;
    bool fused = false;  // after Fuse: of the whole text, not of every token
  };
  struct Metaspace {
    MetaspaceStage stage;
  };
  using Stage = std::variant<JoinWithSpaces, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace>;

  Status append(const JsonNode& node, int depth);
  Status append_strip(const JsonNode& node);
  Status append_replace(const JsonNode& node);

  // Each passes a token of stage `index` on to the next one.
  void pass(std::size_t index, State& state, std::string_view token, std::string& out) const;
  void step(const JoinWithSpaces& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const ByteLevel& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const Replace& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const ByteFallback& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const Fuse& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const Strip& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void step(const Metaspace& stage, std::size_t index, State& state, std::string_view token,
            std::string& out) const;
  void release_bytes(std::size_t index, State& state, std::string& out) const;

  std::vector<Stage> stages_;
  std::size_t growth_ = 1;
  bool fused_ = false;  // the last stage read delivers one string in parts
};

}  // namespace engine
