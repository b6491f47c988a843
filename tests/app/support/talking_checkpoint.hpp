// A tiny random checkpoint with a tokenizer whose tokens are the 256 bytes, and a few special ones.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

namespace support {

inline constexpr int kByteTokens = 256;
inline constexpr int kBosToken = 256;    // "<s>"
inline constexpr int kStartToken = 257;  // "<|im_start|>"
inline constexpr int kEndToken = 258;    // "<|im_end|>"
inline constexpr int kVocab = 260;       // one more than the tokenizer has: the model's may be padded

// Options of a checkpoint that goes with the tokenizer: gates, window and positions are the test's affair.
CheckpointOptions talking_options();

// chat_template: the template's text, empty for none.
void write_tokenizer(const std::filesystem::path& folder, const std::string& chat_template = "");

class TalkingCheckpoint {
 public:
  explicit TalkingCheckpoint(const CheckpointOptions& options = talking_options(),
                             const std::string& chat_template = "");
  std::string path() const { return folder_.path().string(); }
  std::filesystem::path operator/(std::string_view name) const { return folder_ / name; }

 private:
  TempFolder folder_;
};

// ChatML as SmolLM2 writes it, enough of it to be recognised.
extern const char* const kChatMl;

}  // namespace support
