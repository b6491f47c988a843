#include "engine/tokenizer/normalizer.hpp"

#include "engine/tokenizer/pre_tokenizer.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr int kDeepestSequence = 8;
constexpr std::size_t kMostSteps = 32;
constexpr std::size_t kMostGrowth = 16;
constexpr std::size_t kGrowthSlack = 64;  // what a prefix may add to a short text

void append_replaced(std::string_view text, std::span<const TextSpan> matches, std::string_view content,
                     std::string& out) {
  std::size_t end = 0;
  for (const TextSpan& match : matches) {
    out.append(text.substr(end, match.begin - end)).append(content);
    end = match.end;
  }
  out.append(text.substr(end));
}

}  // namespace

Result<Normalizer> Normalizer::read(const JsonNode& node) {
  Normalizer normalizer;
  normalizer.where_ = node.where;
  if (node.is_null()) return normalizer;
  if (Status status = normalizer.append(node, 0); !status) return status.error();
  return normalizer;
}

Result<Normalizer::Replace> Normalizer::read_replace(const JsonNode& node) {
  const JsonNode pattern = node.member("pattern");
  Result<Regex> regex = read_pattern(pattern);
  if (!regex) return regex.error();
  Result<std::string> content = node.string("content");
  if (!content) return content.error();
  Replace replace;
  if (pattern.value->contains("String")) replace.literal = pattern.value->at("String").get<std::string>();
  replace.regex = std::move(*regex);
  replace.content = std::move(*content);
  return replace;
}

Status Normalizer::append(const JsonNode& node, int depth) {
  if (Status status = node.expect_object(); !status) return status;
  const Result<std::string> type = node.type();
  if (!type) return type.error();
  if (steps_.size() == kMostSteps) return bad_input("{}: more than {} normalizers", node.where, kMostSteps);
  if (*type == "NFC") {
    steps_.emplace_back(Nfc{});
    return {};
  }
  if (*type == "Prepend") {
    Result<std::string> text = node.string("prepend");
    if (!text) return text.error();
    steps_.emplace_back(Prepend{std::move(*text)});
    return {};
  }
  if (*type == "Replace") {
    Result<Replace> replace = read_replace(node);
    if (!replace) return replace.error();
    steps_.emplace_back(std::move(*replace));
    return {};
  }
  if (*type != "Sequence")
    return bad_input("{}.type: normalizer {} is not supported", node.where, in_quotes(*type));
  const JsonNode list = node.member("normalizers");
  if (Status status = list.expect_array(); !status) return status;
  if (depth == kDeepestSequence)
    return bad_input("{}: sequences nested more than {} deep", node.where, depth);
  for (std::size_t i = 0; i < list.value->size(); ++i) {
    if (Status status = append(list.element(i), depth + 1); !status) return status;
  }
  return {};
}

Result<std::string> Normalizer::run(const Nfc&, std::string text, RegexDeadline) {
  return compose_nfc(text);
}

Result<std::string> Normalizer::run(const Prepend& step, std::string text, RegexDeadline) {
  if (!text.empty()) text.insert(0, step.text);
  return text;
}

Result<std::string> Normalizer::run(const Replace& step, std::string text, RegexDeadline deadline) {
  std::string out;
  if (!step.literal.empty()) {  // the common case, a space, without the cost of an expression
    std::size_t end = 0;
    for (std::size_t at = text.find(step.literal); at != std::string::npos;
         at = text.find(step.literal, end)) {
      out.append(text, end, at - end).append(step.content);
      end = at + step.literal.size();
    }
    return out.append(text, end);
  }
  Regex::Matcher matcher(step.regex, deadline);
  const Result<std::span<const TextSpan>> matches = matcher.find_all(text);
  if (!matches) return matches.error();
  append_replaced(text, *matches, step.content, out);
  return out;
}

Result<std::string> Normalizer::apply(std::string_view text, RegexDeadline deadline) const {
  std::string current(text);
  for (const Step& step : steps_) {
    Result<std::string> next =
        std::visit([&](const auto& kind) { return run(kind, std::move(current), deadline); }, step);
    if (!next) return next;
    current = std::move(*next);
    if (current.size() > text.size() * kMostGrowth + kGrowthSlack) {
      return bad_input("{}: the text grows more than {} times", where_, kMostGrowth);
    }
  }
  return current;
}

}  // namespace engine
