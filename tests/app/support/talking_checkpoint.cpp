#include "tests/app/support/talking_checkpoint.hpp"

namespace support {

using nlohmann::json;

const char* const kChatMl =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% "
    "endif %}";

namespace {

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

// The character that stands for a byte in byte-level BPE: itself where it prints, else one from U+0100 on.
std::string byte_character(int byte, unsigned& next) {
  const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  return utf8(prints ? static_cast<unsigned>(byte) : next++);
}

json added_token(int id, const char* content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

CheckpointOptions talking_options() {
  CheckpointOptions options;
  options.vocab = kVocab;
  return options;
}

void write_tokenizer(const std::filesystem::path& folder, const std::string& chat_template) {
  json vocab = json::object();
  unsigned next = 0x100;
  for (int byte = 0; byte < kByteTokens; ++byte) vocab[byte_character(byte, next)] = byte;
  const json byte_level{
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const json tokenizer{{"version", "1.0"},
                       {"truncation", nullptr},
                       {"padding", nullptr},
                       {"added_tokens",
                        {added_token(kBosToken, "<s>"), added_token(kStartToken, "<|im_start|>"),
                         added_token(kEndToken, "<|im_end|>")}},
                       {"normalizer", nullptr},
                       {"pre_tokenizer", byte_level},
                       {"post_processor", nullptr},
                       {"decoder", byte_level},
                       {"model",
                        {{"type", "BPE"},
                         {"dropout", nullptr},
                         {"unk_token", nullptr},
                         {"continuing_subword_prefix", nullptr},
                         {"end_of_word_suffix", nullptr},
                         {"fuse_unk", false},
                         {"byte_fallback", false},
                         {"ignore_merges", false},
                         {"vocab", vocab},
                         {"merges", json::array()}}}};
  write_file(folder / "tokenizer.json", tokenizer.dump());
  json config{{"bos_token", "<s>"}, {"eos_token", "<|im_end|>"}};
  if (!chat_template.empty()) config["chat_template"] = chat_template;
  write_file(folder / "tokenizer_config.json", config.dump());
}

TalkingCheckpoint::TalkingCheckpoint(const CheckpointOptions& options, const std::string& chat_template) {
  make_checkpoint(options).write(folder_.path());
  write_tokenizer(folder_.path(), chat_template);
}

}  // namespace support
