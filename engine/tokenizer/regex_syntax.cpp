// Oniguruma's Ruby syntax to PCRE2's.
#include <array>
#include <string_view>

#include "engine/tokenizer/regex.hpp"
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
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr std::string_view kHexDigit = "0-9A-Fa-f";

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

  // Copies an escape that means the same to both: \p{..} and \x{..} with their braces. Ruby's \u2581 and \v
  // (one character) are spelled in hexadecimal.
  void copy_escape() {
    const char kind = pattern_[at_ + 1];
    if (kind == 'u' && at_ + 6 <= pattern_.size()) {
      out_.append("\\x{").append(pattern_.substr(at_ + 2, 4)).append("}");
      at_ += 6;
      return;
    }
    out_ += kind == 'v' ? "\\x0B" : pattern_.substr(at_, 2);
    at_ += 2;
    if ((kind != 'p' && kind != 'P' && kind != 'x') || at_ >= pattern_.size() || pattern_[at_] != '{') return;
    const std::size_t close = pattern_.find('}', at_);
    const std::size_t end = close == std::string_view::npos ? pattern_.size() : close + 1;
    out_ += pattern_.substr(at_, end - at_);
    at_ = end;
  }

  Status escape() {
    if (at_ + 1 >= pattern_.size()) return unsupported("a backslash at its end");
    const char kind = pattern_[at_ + 1];
    switch (kind) {
      case 's':
        return shorthand("[", kSpace);
      case 'S':
        return shorthand("[^", kSpace);
      case 'w':
        return shorthand("[", kWord);
      case 'W':
        return shorthand("[^", kWord);
      case 'h':
        return shorthand("[", kHexDigit);
      case 'H':
        return shorthand("[^", kHexDigit);
      default:
        break;
    }
    // Same letter, another meaning (\b and \B follow another \w); or none of theirs.
    if (std::string_view("bBCEgGkKNoOQRVXyY").find(kind) != std::string_view::npos) {
      return unsupported(std::string("\\") + kind);
    }
    copy_escape();
    return {};
  }

  Status shorthand(std::string_view open, std::string_view members) {
    out_.append(open).append(members).append("]");
    at_ += 2;
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
    const char kind = pattern_[at_ + 1];
    if (std::string_view("WHCEgGkKNoOQRVXyYbB").find(kind) != std::string_view::npos) {
      return unsupported(std::string("\\") + kind + " in a class");
    }
    const std::string_view members = kind == 's'   ? kSpace
                                     : kind == 'S' ? kNotSpace
                                     : kind == 'w' ? kWord
                                     : kind == 'h' ? kHexDigit
                                                   : std::string_view();
    if (members.empty()) {
      copy_escape();
    } else {
      out_ += members;
      at_ += 2;
    }
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
