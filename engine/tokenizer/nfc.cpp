#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "engine/tokenizer/normalizer.hpp"
#include "engine/tokenizer/unicode_additions.hpp"
#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

// Below U+0300 nothing combines with what stands before it and everything is composed already.
bool is_trivially_composed(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
}

void append_decomposed(utf8proc_int32_t code, CodePoints& codes) {
  std::array<utf8proc_int32_t, 32> parts{};  // the longest canonical decomposition has 4
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      code, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, nullptr);
  codes.insert(codes.end(), parts.begin(), parts.begin() + std::clamp<utf8proc_ssize_t>(count, 0, 32));
}

// Marks after a character stand in order of their combining class. utf8proc's own sort is quadratic in the
// length of a run of marks.
void order_marks(CodePoints& codes) {
  const auto combining_class = [](utf8proc_int32_t code) {
    return utf8proc_get_property(code)->combining_class;
  };
  auto run = codes.begin();
  while (run != codes.end()) {
    run = std::find_if(run, codes.end(), [&](auto code) { return combining_class(code) != 0; });
    const auto end = std::find_if(run, codes.end(), [&](auto code) { return combining_class(code) == 0; });
    std::stable_sort(run, end, [&](auto a, auto b) { return combining_class(a) < combining_class(b); });
    run = end;
  }
}

// Appends the composed form of decomposed characters, which are used up.
void flush(CodePoints& codes, std::string& out) {
  order_marks(codes);
  const utf8proc_ssize_t count =
      utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  codes.resize(static_cast<std::size_t>(std::max<utf8proc_ssize_t>(count, 0)));
  for (const utf8proc_int32_t code : codes) append_utf8(static_cast<std::uint32_t>(code), out);
  codes.clear();
}

}  // namespace

std::string compose_nfc(std::string_view text) {
  if (is_trivially_composed(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  CodePoints codes;
  codes.reserve(text.size() / 2);
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::uint32_t code = next_code_point(text, offset);
    if (contains(kInertInNormalization, code)) {
      flush(codes, out);
      append_utf8(code, out);
    } else {
      append_decomposed(static_cast<utf8proc_int32_t>(code), codes);
    }
  }
  flush(codes, out);
  return out;
}

}  // namespace engine
