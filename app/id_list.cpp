#include "app/id_list.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace app {

namespace {

constexpr std::size_t kMaxDigits = 10;  // of an int32; longer items need no storing

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

// Takes the text in pieces of any size; items may be split between them.
class IdParser {
 public:
  IdParser(const std::string& source, const IdLimits& limits) : source_(source), limits_(limits) {}

  engine::Status feed(std::string_view piece) {
    for (const char c : piece) {
      if (!is_space(c)) {
        if (c < '0' || c > '9' || length_ == kMaxDigits) return malformed(c);
        digits_[length_++] = c;
      } else if (auto status = end_item(); !status) {
        return status;
      }
    }
    return {};
  }

  engine::Result<std::vector<engine::TokenId>> finish() {
    if (auto status = end_item(); !status) return status.error();
    return std::move(ids_);
  }

 private:
  engine::Status end_item() {
    if (length_ == 0) return {};
    if (ids_.size() == limits_.max_ids) {
      return engine::bad_input("{}: item {}: expected at most {} ids ({})", source_, ids_.size() + 1,
                               limits_.max_ids, limits_.max_name);
    }
    std::int64_t id = 0;
    std::from_chars(digits_.data(), digits_.data() + length_, id);
    if (id >= limits_.vocab) {
      return engine::bad_input("{}: item {}: id {} is outside the vocabulary, expected 0 to {}", source_,
                               ids_.size() + 1, id, limits_.vocab - 1);
    }
    ids_.push_back(static_cast<engine::TokenId>(id));
    length_ = 0;
    return {};
  }

  engine::Error malformed(char c) const {
    const std::string item = std::string(digits_.data(), length_) + c;
    return engine::bad_input("{}: item {}: expected a decimal token id, got '{}'", source_, ids_.size() + 1,
                             engine::one_line(item));
  }

  std::string source_;
  IdLimits limits_;
  std::array<char, kMaxDigits> digits_{};
  std::size_t length_ = 0;
  std::vector<engine::TokenId> ids_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

engine::Result<std::vector<engine::TokenId>> parse_ids(std::string_view text, const std::string& source,
                                                       const IdLimits& limits) {
  IdParser parser(source, limits);
  if (auto status = parser.feed(text); !status) return status.error();
  return parser.finish();
}

engine::Result<std::vector<engine::TokenId>> read_id_file(const std::filesystem::path& path,
                                                          const IdLimits& limits) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return engine::bad_input("{}: cannot open: {}", path.string(), std::strerror(errno));
  IdParser parser(path.string(), limits);
  std::array<char, 1 << 16> block;
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), file.get())) {
    if (auto status = parser.feed({block.data(), count}); !status) return status.error();
  }
  if (std::ferror(file.get()) != 0) {
    return engine::bad_input("{}: cannot read: {}", path.string(), std::strerror(errno));
  }
  auto ids = parser.finish();
  if (ids && ids->empty())
    return engine::bad_input("{}: expected at least one token id, the file has none", path.string());
  return ids;
}

}  // namespace app
