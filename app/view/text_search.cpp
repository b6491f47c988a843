#include "app/view/text_search.hpp"

#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace app::view {

namespace {

// Backtracking steps before a pattern is given up: about a tenth of a second.
constexpr std::uint32_t kMatchLimit = 1'000'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

// Bytes of the character that `text` begins with; 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool outside = (byte(0) == 0xed && byte(1) > 0x9f) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return overlong || outside ? 0 : length;
}

// All texts together, and where each token's begins.
struct Haystack {
  explicit Haystack(const SequenceView& sequence) {
    starts.reserve(static_cast<std::size_t>(sequence.tokens()));
    for (std::int32_t token = 0; token < sequence.tokens(); ++token) {
      starts.push_back(text.size());
      text += sequence.token(token).text;
    }
    make_utf8();
  }
  std::int32_t token_at(std::size_t byte) const {
    const auto next = std::upper_bound(starts.begin(), starts.end(), byte);
    return static_cast<std::int32_t>(next - starts.begin()) - 1;
  }
  // A damaged trace may hold text that is not UTF-8. Its bytes become spaces once, so that matching need not
  // check the whole text again for every match.
  void make_utf8() {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = utf8_length(std::string_view(text).substr(i));
      if (length == 0) text[i] = ' ';
      i += std::max<std::size_t>(1, length);
    }
  }
  std::string text;
  std::vector<std::size_t> starts;
};

}  // namespace

engine::Result<SearchResult> find_text(const SequenceView& sequence, const std::string& pattern,
                                       const SearchOptions& options) {
  SearchResult result;
  if (pattern.empty()) return result;
  std::uint32_t flags = PCRE2_UTF | PCRE2_MULTILINE;
  if (!options.match_case) flags |= PCRE2_CASELESS;
  if (!options.regex) flags = (flags | PCRE2_LITERAL) & ~PCRE2_MULTILINE;
  int error = 0;
  std::size_t offset = 0;
  const std::unique_ptr<pcre2_code, FreeCode> code(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), flags, &error, &offset, nullptr));
  if (!code) return engine::bad_input("search pattern, character {}: {}", offset + 1, message_of(error));
  const std::unique_ptr<pcre2_match_data, FreeData> match(
      pcre2_match_data_create_from_pattern(code.get(), nullptr));
  const std::unique_ptr<pcre2_match_context, FreeContext> context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMatchLimit);

  const Haystack haystack(sequence);
  for (std::size_t from = 0; from <= haystack.text.size();) {
    const int rc =
        pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(haystack.text.data()), haystack.text.size(),
                    from, PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK, match.get(), context.get());
    if (rc == PCRE2_ERROR_NOMATCH) break;
    if (rc < 0) return engine::bad_input("search pattern: {}", message_of(rc));
    if (result.matches.size() == options.max_matches) {
      result.cut = true;
      break;
    }
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(match.get());
    result.matches.push_back({haystack.token_at(ends[0]), haystack.token_at(ends[1] - 1) + 1});
    from = ends[1];  // a match is never empty
  }
  return result;
}

}  // namespace app::view
