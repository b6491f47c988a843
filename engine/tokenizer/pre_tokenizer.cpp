#include "engine/tokenizer/pre_tokenizer.hpp"

#include "engine/tokenizer/byte_level.hpp"
#include "engine/tokenizer/split.hpp"
#include "engine/tokenizer/unicode.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

constexpr int kDeepestSequence = 8;
constexpr std::size_t kMostStages = 32;
constexpr std::size_t kMostGrowth = 16;  // a space becomes 3 bytes of Metaspace, then 6 of ByteLevel

// GPT-2's expression: contractions, letters, numbers and other signs each with a space before, white space.
constexpr std::string_view kByteLevelPattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

Result<SplitBehavior> read_behavior(const JsonNode& node) {
  const Result<std::string> name = node.string("behavior");
  if (!name) return name.error();
  if (*name == "Removed") return SplitBehavior::removed;
  if (*name == "Isolated") return SplitBehavior::isolated;
  if (*name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (*name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (*name == "Contiguous") return SplitBehavior::contiguous;
  return bad_input(
      "{}.behavior: expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous, found {}",
      node.where, in_quotes(*name));
}

Result<SplitStage> read_split(const JsonNode& node) {
  SplitStage stage;
  Result<Regex> regex = read_pattern(node.member("pattern"));
  if (!regex) return regex.error();
  stage.regex = std::move(*regex);
  const Result<SplitBehavior> behavior = read_behavior(node);
  if (!behavior) return behavior.error();
  stage.behavior = *behavior;
  const Result<bool> invert = node.boolean("invert");
  if (!invert) return invert.error();
  stage.invert = *invert;
  return stage;
}

Result<ByteLevelStage> read_byte_level_stage(const JsonNode& node) {
  ByteLevelStage stage;
  const Result<bool> add_prefix_space = node.boolean("add_prefix_space");
  if (!add_prefix_space) return add_prefix_space.error();
  stage.add_prefix_space = *add_prefix_space;
  const Result<bool> use_regex = node.boolean("use_regex", true);
  if (!use_regex) return use_regex.error();
  if (!*use_regex) return stage;
  Result<Regex> regex = Regex::compile(kByteLevelPattern, node.where);
  if (!regex) return regex.error();
  stage.regex = std::move(*regex);
  return stage;
}

// Cuts every piece at the matches of what `find(text)` returns: Result of a span of matches.
template <typename Find>
Result<PieceList> cut_pieces(PieceList list, PieceCutter cutter, Find find) {
  for (const Piece& piece : list.pieces) {
    if (piece.token != kNotAToken) {
      cutter.keep(piece);
      continue;
    }
    const Result<std::span<const TextSpan>> matches = find(list.view(piece));
    if (!matches) return matches.error();
    cutter.cut(piece, *matches);
  }
  list.pieces = cutter.take();
  return list;
}

Result<PieceList> split_by_regex(PieceList list, const Regex& regex, PieceCutter cutter,
                                 RegexDeadline deadline) {
  Regex::Matcher matcher(regex, deadline);
  return cut_pieces(std::move(list), std::move(cutter),
                    [&](std::string_view text) { return matcher.find_all(text); });
}

Result<PieceList> apply_stage(const SplitStage& stage, PieceList list, RegexDeadline deadline) {
  return split_by_regex(std::move(list), stage.regex, PieceCutter(stage.behavior, stage.invert), deadline);
}

Result<PieceList> apply_stage(const DigitsStage& stage, PieceList list, RegexDeadline) {
  std::vector<TextSpan> matches;
  const auto find = [&](std::string_view text) -> Result<std::span<const TextSpan>> {
    matches.clear();
    std::size_t offset = 0;
    while (offset < text.size()) {
      const std::size_t begin = offset;
      if (is_numeric(next_code_point(text, offset))) matches.push_back({begin, offset});
    }
    return std::span<const TextSpan>(matches);
  };
  const SplitBehavior behavior = stage.individual ? SplitBehavior::isolated : SplitBehavior::contiguous;
  return cut_pieces(std::move(list), PieceCutter(behavior, false), find);
}

Result<PieceList> apply_stage(const ByteLevelStage& stage, PieceList list, RegexDeadline deadline) {
  if (stage.add_prefix_space) {
    list = rewrite_pieces(list, [](const Piece&, std::string_view text, std::string& out) {
      if (!text.starts_with(' ')) out += ' ';
      out += text;
    });
  }
  if (stage.regex) {
    Result<PieceList> split =
        split_by_regex(std::move(list), *stage.regex, PieceCutter(SplitBehavior::isolated, false), deadline);
    if (!split) return split;
    list = std::move(*split);
  }
  return rewrite_pieces(
      list, [](const Piece&, std::string_view text, std::string& out) { append_byte_level(text, out); });
}

Result<PieceList> apply_stage(const MetaspaceStage& stage, PieceList list, RegexDeadline) {
  using Prepend = MetaspaceStage::Prepend;
  list = rewrite_pieces(list, [&stage](const Piece& piece, std::string_view text, std::string& out) {
    const bool wanted =
        stage.prepend == Prepend::always || (stage.prepend == Prepend::first && piece.at_text_start);
    if (wanted && !text.starts_with(' ') && !text.starts_with(stage.replacement)) out += stage.replacement;
    for (const char c : text) {
      if (c == ' ') {
        out += stage.replacement;
      } else {
        out += c;
      }
    }
  });
  if (!stage.split) return list;
  std::vector<TextSpan> matches;
  const auto find = [&](std::string_view text) -> Result<std::span<const TextSpan>> {
    matches.clear();
    const std::size_t length = stage.replacement.size();
    for (std::size_t at = text.find(stage.replacement); at != std::string_view::npos;
         at = text.find(stage.replacement, at + length)) {
      matches.push_back({at, at + length});
    }
    return std::span<const TextSpan>(matches);
  };
  return cut_pieces(std::move(list), PieceCutter(SplitBehavior::merged_with_next, false), find);
}

}  // namespace

Result<Regex> read_pattern(const JsonNode& node) {
  if (Status status = node.expect_object(); !status) return status.error();
  const bool is_regex = node.value->contains("Regex");
  if (is_regex == node.value->contains("String")) {
    return bad_input("{}: expected {{\"Regex\": ...}} or {{\"String\": ...}}", node.where);
  }
  const char* key = is_regex ? "Regex" : "String";
  const Result<std::string> text = node.string(key);
  if (!text) return text.error();
  return is_regex ? Regex::compile(*text, node.where) : Regex::literal(*text, node.where);
}

Result<MetaspaceStage> read_metaspace(const JsonNode& node) {
  MetaspaceStage stage;
  Result<std::string> replacement = node.string("replacement");
  if (!replacement) return replacement.error();
  stage.replacement = std::move(*replacement);
  std::size_t first = 0;
  if (!stage.replacement.empty()) next_code_point(stage.replacement, first);
  if (first == 0 || first != stage.replacement.size()) {
    return bad_input("{}.replacement: expected one character, found {}", node.where,
                     in_quotes(stage.replacement));
  }
  const Result<bool> split = node.boolean("split", true);
  if (!split) return split.error();
  stage.split = *split;

  const Result<std::optional<std::string>> scheme = node.optional_string("prepend_scheme");
  if (!scheme) return scheme.error();
  const std::string name = scheme->value_or("always");
  if (name != "always" && name != "first" && name != "never") {
    return bad_input("{}.prepend_scheme: expected always, first or never, found {}", node.where,
                     in_quotes(name));
  }
  // add_prefix_space is the older spelling: false is "never".
  const Result<bool> add_prefix_space = node.boolean("add_prefix_space", true);
  if (!add_prefix_space) return add_prefix_space.error();
  if (!*add_prefix_space && *scheme && name != "never") {
    return bad_input("{}.add_prefix_space: false contradicts prepend_scheme {}", node.where, in_quotes(name));
  }
  using Prepend = MetaspaceStage::Prepend;
  stage.prepend = name == "never" || !*add_prefix_space ? Prepend::never
                  : name == "first"                     ? Prepend::first
                                                        : Prepend::always;
  return stage;
}

Result<PreTokenizer> PreTokenizer::read(const JsonNode& node) {
  PreTokenizer pre_tokenizer;
  pre_tokenizer.where_ = node.where;
  if (node.is_null()) return pre_tokenizer;
  if (Status status = pre_tokenizer.append(node, 0); !status) return status.error();
  return pre_tokenizer;
}

Status PreTokenizer::append(const JsonNode& node, int depth) {
  if (Status status = node.expect_object(); !status) return status;
  const Result<std::string> type = node.type();
  if (!type) return type.error();
  if (stages_.size() == kMostStages)
    return bad_input("{}: more than {} pre-tokenizers", node.where, kMostStages);
  const auto add = [this](auto stage) -> Status {
    if (!stage) return stage.error();
    stages_.push_back(std::move(*stage));
    return {};
  };
  if (*type == "Split") return add(read_split(node));
  if (*type == "ByteLevel") return add(read_byte_level_stage(node));
  if (*type == "Metaspace") return add(read_metaspace(node));
  if (*type == "Digits") {
    const Result<bool> individual = node.boolean("individual_digits");
    if (!individual) return individual.error();
    stages_.push_back(DigitsStage{*individual});
    return {};
  }
  if (*type != "Sequence") {
    return bad_input("{}.type: pre-tokenizer {} is not supported", node.where, in_quotes(*type));
  }
  const JsonNode list = node.member("pretokenizers");
  if (Status status = list.expect_array(); !status) return status;
  if (depth == kDeepestSequence)
    return bad_input("{}: sequences nested more than {} deep", node.where, depth);
  for (std::size_t i = 0; i < list.value->size(); ++i) {
    if (Status status = append(list.element(i), depth + 1); !status) return status;
  }
  return {};
}

Result<PieceList> PreTokenizer::apply(PieceList list) const {
  const RegexDeadline deadline = regex_deadline(list.text.size());
  const std::size_t longest = (list.text.size() + 64 * list.pieces.size()) * kMostGrowth;
  for (const Stage& stage : stages_) {
    Result<PieceList> next = std::visit(
        [&](const auto& alternative) { return apply_stage(alternative, std::move(list), deadline); }, stage);
    if (!next) return next;
    list = std::move(*next);
    if (list.text.size() > longest)
      return bad_input("{}: the text grows more than {} times", where_, kMostGrowth);
  }
  return list;
}

}  // namespace engine
