#include "engine/tokenizer/decoder.hpp"

#include <algorithm>

#include "engine/tokenizer/byte_level.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr int kDeepestSequence = 8;
constexpr std::size_t kMostStages = 32;
constexpr std::size_t kMostGrowth = 64;  // of a token's text, all Replace stages together

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// The byte that "<0xNN>" names. Rust's number parser, which Hugging Face uses, also takes "+N".
std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  const std::optional<unsigned> low = hex_digit(token[4]);
  const std::optional<unsigned> high = token[3] == '+' ? 0U : hex_digit(token[3]);
  if (!low || !high) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

std::string_view strip_start(std::string_view text, std::string_view content, std::size_t& remaining) {
  while (remaining > 0 && text.starts_with(content)) {
    text.remove_prefix(content.size());
    --remaining;
  }
  return text;
}

std::string_view strip_ends(std::string_view text, std::string_view content, std::size_t start,
                            std::size_t stop) {
  text = strip_start(text, content, start);
  for (; stop > 0 && text.ends_with(content); --stop) text.remove_suffix(content.size());
  return text;
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view content) {
  std::string out;
  std::size_t end = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, end)) {
    out.append(text.substr(end, at - end)).append(content);
    end = at + what.size();
  }
  return out.append(text.substr(end));
}

}  // namespace

Result<Decoder> Decoder::read(const JsonNode& node) {
  Decoder decoder;
  if (node.is_null()) {
    decoder.stages_.emplace_back(JoinWithSpaces{});
    return decoder;
  }
  if (Status status = decoder.append(node, 0); !status) return status.error();
  return decoder;
}

Status Decoder::append(const JsonNode& node, int depth) {
  if (Status status = node.expect_object(); !status) return status;
  const Result<std::string> type = node.type();
  if (!type) return type.error();
  if (*type == "Sequence") {
    const JsonNode list = node.member("decoders");
    if (Status status = list.expect_array(); !status) return status;
    if (depth == kDeepestSequence)
      return bad_input("{}: sequences nested more than {} deep", node.where, depth);
    for (std::size_t i = 0; i < list.value->size(); ++i) {
      if (Status status = append(list.element(i), depth + 1); !status) return status;
    }
    return {};
  }
  if (stages_.size() == kMostStages) return bad_input("{}: more than {} decoders", node.where, kMostStages);
  if (*type == "Strip") return append_strip(node);
  if (*type == "Fuse") {
    stages_.emplace_back(Fuse{});
    fused_ = true;
    return {};
  }
  if (fused_)
    return bad_input("{}.type: decoder {} after Fuse or ByteLevel is not supported", node.where,
                     in_quotes(*type));
  if (*type == "ByteLevel") {
    stages_.emplace_back(ByteLevel{});
    fused_ = true;
    return {};
  }
  if (*type == "ByteFallback") {
    stages_.emplace_back(ByteFallback{});
    return {};
  }
  if (*type == "Metaspace") {
    Result<MetaspaceStage> stage = read_metaspace(node);
    if (!stage) return stage.error();
    stages_.emplace_back(Metaspace{std::move(*stage)});
    return {};
  }
  if (*type == "Replace") return append_replace(node);
  return bad_input("{}.type: decoder {} is not supported", node.where, in_quotes(*type));
}

Status Decoder::append_strip(const JsonNode& node) {
  Strip strip;
  Result<std::string> content = node.string("content");
  if (!content) return content.error();
  strip.content = std::move(*content);
  std::size_t first = 0;
  if (!strip.content.empty()) next_code_point(strip.content, first);
  if (first == 0 || first != strip.content.size()) {
    return bad_input("{}.content: expected one character, found {}", node.where, in_quotes(strip.content));
  }
  const Result<std::int64_t> start = node.integer("start");
  if (!start) return start.error();
  const Result<std::int64_t> stop = node.integer("stop");
  if (!stop) return stop.error();
  if (*start < 0 || *stop < 0) return bad_input("{}: start and stop must not be negative", node.where);
  if (fused_ && *stop > 0)
    return bad_input("{}.stop: stripping the end of the whole text is not supported", node.where);
  strip.start = static_cast<std::size_t>(*start);
  strip.stop = static_cast<std::size_t>(*stop);
  strip.fused = fused_;
  stages_.emplace_back(std::move(strip));
  return {};
}

Status Decoder::append_replace(const JsonNode& node) {
  Replace replace;
  const JsonNode pattern = node.member("pattern");
  Result<Regex> regex = read_pattern(pattern);
  if (!regex) return regex.error();
  if (!pattern.value->contains("String")) {
    return bad_input("{}: a decoder that replaces a regular expression is not supported", pattern.where);
  }
  replace.literal = pattern.value->at("String").get<std::string>();
  Result<std::string> content = node.string("content");
  if (!content) return content.error();
  growth_ *= 1 + content->size() / replace.literal.size();
  if (content->size() > kMostGrowth || growth_ > kMostGrowth) {
    return bad_input("{}.content: replacing makes text more than {} times longer", node.where, kMostGrowth);
  }
  replace.content = std::move(*content);
  stages_.emplace_back(std::move(replace));
  return {};
}

void Decoder::push(State& state, std::string_view token, std::string& out) const {
  if (state.stages.size() != stages_.size()) state.stages.resize(stages_.size());
  pass(0, state, token, out);
}

void Decoder::finish(State& state, std::string& out) const {
  if (state.stages.size() != stages_.size()) state.stages.resize(stages_.size());
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (std::holds_alternative<ByteFallback>(stages_[i])) release_bytes(i, state, out);
    if (std::holds_alternative<ByteLevel>(stages_[i])) {
      std::string text;
      append_lossy(state.stages[i].held, true, text);
      state.stages[i].held.clear();
      pass(i + 1, state, text, out);
    }
  }
}

std::string Decoder::token_bytes(std::string_view token) const {
  std::string bytes(token);
  for (const Stage& stage : stages_) {
    if (std::holds_alternative<ByteLevel>(stage)) {
      if (std::optional<std::string> spelled = read_byte_level(bytes)) bytes = std::move(*spelled);
    } else if (std::holds_alternative<ByteFallback>(stage)) {
      if (const std::optional<char> byte = fallback_byte(bytes)) bytes.assign(1, *byte);
    } else if (const auto* replace = std::get_if<Replace>(&stage)) {
      bytes = replace_all(bytes, replace->literal, replace->content);
    } else if (const auto* metaspace = std::get_if<Metaspace>(&stage)) {
      bytes = replace_all(bytes, metaspace->stage.replacement, " ");
    } else if (const auto* strip = std::get_if<Strip>(&stage); strip != nullptr && !strip->fused) {
      bytes = strip_ends(bytes, strip->content, strip->start, strip->stop);
    }
  }
  return bytes;
}

void Decoder::pass(std::size_t index, State& state, std::string_view token, std::string& out) const {
  if (index == stages_.size()) {
    out += token;
    return;
  }
  std::visit([&](const auto& stage) { step(stage, index, state, token, out); }, stages_[index]);
  ++state.stages[index].tokens;
}

void Decoder::step(const JoinWithSpaces&, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  if (state.stages[index].tokens > 0) pass(index + 1, state, " ", out);
  pass(index + 1, state, token, out);
}

void Decoder::step(const ByteLevel&, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  std::string& held = state.stages[index].held;
  const std::optional<std::string> bytes = read_byte_level(token);
  held += bytes ? std::string_view(*bytes) : token;
  std::string text;
  const std::size_t unfinished = append_lossy(held, false, text);
  held.erase(0, held.size() - unfinished);
  if (!text.empty()) pass(index + 1, state, text, out);
}

void Decoder::step(const Replace& stage, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  pass(index + 1, state, replace_all(token, stage.literal, stage.content), out);
}

// Hugging Face judges a whole run of byte tokens at once: valid UTF-8, or U+FFFD for each of its bytes. So
// the run is held until a token that is no byte ends it.
void Decoder::step(const ByteFallback&, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  if (const std::optional<char> byte = fallback_byte(token)) {
    state.stages[index].held += *byte;
    return;
  }
  release_bytes(index, state, out);
  pass(index + 1, state, token, out);
}

void Decoder::release_bytes(std::size_t index, State& state, std::string& out) const {
  const std::string run = std::exchange(state.stages[index].held, {});
  if (run.empty()) return;
  if (find_invalid_utf8(run) == std::string_view::npos) {
    pass(index + 1, state, run, out);
    return;
  }
  for (std::size_t i = 0; i < run.size(); ++i) pass(index + 1, state, kReplacementCharacter, out);
}

void Decoder::step(const Fuse&, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  pass(index + 1, state, token, out);
}

void Decoder::step(const Strip& stage, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  if (!stage.fused) {
    pass(index + 1, state, strip_ends(token, stage.content, stage.start, stage.stop), out);
    return;
  }
  DecodeState::Stage& own = state.stages[index];
  if (!own.closed) {
    std::size_t remaining = stage.start - own.stripped;
    const std::string_view text = strip_start(token, stage.content, remaining);
    own.stripped = stage.start - remaining;
    own.closed = remaining == 0 || !text.empty();
    token = text;
  }
  if (!token.empty()) pass(index + 1, state, token, out);
}

void Decoder::step(const Metaspace& stage, std::size_t index, State& state, std::string_view token,
                   std::string& out) const {
  const bool drop = state.stages[index].tokens == 0 && stage.stage.prepend != MetaspaceStage::Prepend::never;
  pass(index + 1, state, replace_all(token, stage.stage.replacement, drop ? "" : " "), out);
}

}  // namespace engine
