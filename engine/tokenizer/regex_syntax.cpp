// Oniguruma's Ruby syntax to PCRE2's.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "engine/tokenizer/regex.hpp"
#include "engine/tokenizer/unicode_additions.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

// Unicode's White_Space, which is Oniguruma's \s; PCRE2's also takes U+180E. Complements are spelled out,
// because a negated class cannot stand inside a class.
constexpr std::string_view kSpace =
    "\\t-\\r \\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
constexpr std::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{E}-\\x{1F}!-\\x{84}\\x{86}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{"
    "2027}"
    "\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{10FFFF}";
// Oniguruma's \w has these six Latin-1 numbers too.
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";
constexpr std::string_view kHexDigit = "0-9A-Fa-f";

template <typename Ranges>
void append_ranges(const Ranges& ranges, std::string& out) {
  for (const CodeRange& range : ranges)
    out += fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", range.first, range.last);
}

// What newer Unicode adds to a class, as members of a bracketed class; empty for a class that is not patched
// up.
std::string additions_to(std::string_view name) {
  std::string out;
  if (name == "L" || name == "w") append_ranges(kAddedLetters, out);
  if (name == "M" || name == "w") append_ranges(kAddedMarks, out);
  if (name == "N" || name == "Nd" || name == "w") append_ranges(kAddedDigits, out);
  if (name == "N") append_ranges(kAddedNumbers, out);
  if (name == "Han") append_ranges(kAddedHan, out);
  return out;
}

// Oniguruma's names of scripts mean the script, PCRE2's also characters that several scripts share.
bool is_script(std::string_view name) {
  constexpr std::array<std::string_view, 12> kScripts = {"Han",    "Hiragana", "Katakana", "Hangul",
                                                         "Latin",  "Greek",    "Cyrillic", "Arabic",
                                                         "Hebrew", "Thai",     "Bopomofo", "Devanagari"};
  return std::find(kScripts.begin(), kScripts.end(), name) != kScripts.end();
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  Result<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      Status status;
      if (c == '\\') {
        status = escape();
      } else if (c == '[') {
        status = character_class();
      } else if (c == '(') {
        status = group();
      } else if (c == '{') {
        status = interval();
      } else {
        out_ += c;
        ++at_;
      }
      if (!status) return status.error();
    }
    return std::move(out_);
  }

 private:
  bool looking_at(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  Error unsupported(std::string_view construct) const {
    return bad_input("{}: the pattern {} uses {}, which is not supported", where_, in_quotes(pattern_),
                     construct);
  }

  // A class escape (\s, \w, \d, \h or a property) as members of a bracketed class; `negated` for its capital.
  // Nothing for an escape that is no class.
  struct ClassEscape {
    std::string members;
    std::string complement;  // members of its complement; empty where only a whole class can be negated
    bool negated = false;
    std::size_t length = 0;  // in the pattern
  };

  Result<std::optional<ClassEscape>> read_class_escape() const {
    const char kind = pattern_[at_ + 1];
    switch (kind) {
      case 's':
      case 'S':
        return std::optional(ClassEscape{std::string(kSpace), std::string(kNotSpace), kind == 'S', 2});
      case 'w':
      case 'W':
        return std::optional(ClassEscape{std::string(kWord) + additions_to("w"), "", kind == 'W', 2});
      case 'd':
      case 'D':
        return std::optional(ClassEscape{"\\d" + additions_to("Nd"), "", kind == 'D', 2});
      case 'h':
      case 'H':
        return std::optional(ClassEscape{std::string(kHexDigit), "", kind == 'H', 2});
      case 'p':
      case 'P':
        return read_property(kind == 'P');
      default:
        return std::optional<ClassEscape>();
    }
  }

  Result<std::optional<ClassEscape>> read_property(bool negated) const {
    const std::size_t close = pattern_.find('}', at_);
    if (close == std::string_view::npos || pattern_.substr(at_ + 2, 1) != "{")
      return unsupported("\\p without {}");
    std::string_view name = pattern_.substr(at_ + 3, close - at_ - 3);
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    const bool is_category = (name.size() == 1 || name.size() == 2) && name != "L&";
    if (!is_category && !is_script(name)) return unsupported(fmt::format("the property {}", in_quotes(name)));
    const std::string property = is_category ? std::string(name) : fmt::format("sc:{}", name);
    const std::string additions = additions_to(name);
    const std::string complement = additions.empty() ? fmt::format("\\P{{{}}}", property) : "";
    return std::optional(
        ClassEscape{fmt::format("\\p{{{}}}{}", property, additions), complement, negated, close + 1 - at_});
  }

  // An escape of one character, or an anchor, that means the same to both. Ruby's \u2581 and \v are spelled
  // in hexadecimal.
  Status plain_escape() {
    const char kind = pattern_[at_ + 1];
    // Same letter, another meaning (\b and \B follow another \w); or none of theirs.
    if (std::string_view("bBCEgGkKNoOQRVXyY").find(kind) != std::string_view::npos) {
      return unsupported(fmt::format("\\{}", kind));
    }
    if (kind == 'u' && at_ + 6 <= pattern_.size()) {
      out_.append("\\x{").append(pattern_.substr(at_ + 2, 4)).append("}");
      at_ += 6;
      return {};
    }
    out_ += kind == 'v' ? "\\x0B" : pattern_.substr(at_, 2);
    at_ += 2;
    if (kind != 'x' || !looking_at("{")) return {};
    const std::size_t close = pattern_.find('}', at_);
    const std::size_t end = close == std::string_view::npos ? pattern_.size() : close + 1;
    out_ += pattern_.substr(at_, end - at_);
    at_ = end;
    return {};
  }

  Status escape() {
    if (at_ + 1 >= pattern_.size()) return unsupported("a backslash at its end");
    const Result<std::optional<ClassEscape>> escape = read_class_escape();
    if (!escape) return escape.error();
    if (!*escape) return plain_escape();
    const ClassEscape& found = **escape;
    out_.append(found.negated ? "[^" : "[").append(found.members).append("]");
    at_ += found.length;
    return {};
  }

  Status character_class() {
    out_ += pattern_[at_++];
    if (looking_at("^")) out_ += pattern_[at_++];
    if (looking_at("]")) return unsupported("an empty class or ']' as the first of a class");
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (Status status = class_member(); !status) return status;
    }
    if (at_ == pattern_.size()) return unsupported("a class without its ']'");
    out_ += pattern_[at_++];
    return {};
  }

  Status class_member() {
    if (looking_at("&&")) return unsupported("a class intersection (&&)");
    if (looking_at("[")) return unsupported("a class inside a class");
    if (!looking_at("\\")) {
      out_ += pattern_[at_++];
      return {};
    }
    if (at_ + 1 >= pattern_.size()) return unsupported("a backslash at its end");
    const Result<std::optional<ClassEscape>> escape = read_class_escape();
    if (!escape) return escape.error();
    if (!*escape) return plain_escape();
    const ClassEscape& found = **escape;
    if (found.negated && found.complement.empty()) {
      return unsupported(fmt::format("{} in a class", in_quotes(pattern_.substr(at_, found.length))));
    }
    out_ += found.negated ? found.complement : found.members;
    at_ += found.length;
    return {};
  }

  // (?m) is dot-matches-newline in Ruby's syntax and (?s), (?U) do not exist there.
  Status group() {
    constexpr std::array<std::string_view, 8> kSame = {
        "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?i)"};
    for (const std::string_view opening : kSame) {
      if (!looking_at(opening)) continue;
      if (opening == "(?i)" && at_ > 0) return unsupported("(?i) after the pattern's start");
      out_ += opening;
      at_ += opening.size();
      return {};
    }
    if (looking_at("(?") || looking_at("(*"))
      return unsupported("a group that starts with " + in_quotes(pattern_.substr(at_, 4)));
    out_ += pattern_[at_++];
    return {};
  }

  Status interval() {
    const std::size_t close = pattern_.find('}', at_);
    const std::size_t end = close == std::string_view::npos ? pattern_.size() : close + 1;
    out_ += looking_at("{,") ? "{0" : "{";
    out_ += pattern_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    // Repeats the interval in Ruby's syntax, would make it possessive in PCRE2's.
    if (looking_at("+")) return unsupported("'+' after an interval");
    return {};
  }

  std::string_view pattern_;
  const std::string& where_;
  std::string out_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::string> translate_regex(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

}  // namespace engine
