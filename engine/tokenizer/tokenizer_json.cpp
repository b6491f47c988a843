#include "engine/tokenizer/tokenizer_json.hpp"

#include <optional>

#include "engine/tokenizer/utf8.hpp"

namespace engine {

namespace {

using nlohmann::json;

constexpr std::size_t kDeepestNesting = 32;
constexpr std::size_t kMostEntries = kMaxTokenId + 1;
constexpr std::size_t kMostNodes =
    1'000'000;  // of the tree; a token takes 8, published files have a few thousand tokens

// Receives the parser's events. Every handler returns false to stop, with error_ set.
class Handler : public json::json_sax_t {
 public:
  Handler(TokenizerJson& result, const std::string& file) : result_(result), file_(file) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_float(double v, const std::string&) override { return value(v); }
  bool binary(json::binary_t&) override { return fail("{}: unexpected binary value", file_); }

  bool number_integer(std::int64_t v) override {
    if (place_ == Place::vocab) return vocab_entry(v);
    return value(v);
  }

  bool number_unsigned(std::uint64_t v) override {
    if (place_ == Place::vocab) return vocab_entry(v > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(v));
    return value(v);
  }

  bool string(std::string& text) override {
    if (place_ == Place::merges) return merge_line(text);
    if (place_ == Place::merge_pair) return merge_half(text);
    return value(std::move(text));
  }

  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    if (at_model_list("vocab")) {
      place_ = Place::vocab;
      result_.has_vocab = true;
      result_.vocab.clear();
      return true;
    }
    if (place_ != Place::tree) return unexpected();
    return open(json::object());
  }

  bool end_object() override { return close(); }

  bool start_array(std::size_t) override {
    if (place_ == Place::merges) {
      place_ = Place::merge_pair;
      halves_.clear();
      return true;
    }
    if (at_model_list("merges")) {
      place_ = Place::merges;
      result_.has_merges = true;
      result_.merges.clear();
      return true;
    }
    if (place_ != Place::tree) return unexpected();
    return open(json::array());
  }

  bool end_array() override {
    if (place_ != Place::merge_pair) return close();
    if (halves_.size() != 2) return unexpected();
    if (!has_room_for_merge()) return false;
    result_.merges.emplace_back(std::move(halves_[0]), std::move(halves_[1]));
    place_ = Place::merges;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    return fail("{}: not valid JSON at byte {}", file_, position);
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  enum class Place { tree, vocab, merges, merge_pair };

  template <typename... Args>
  bool fail(fmt::format_string<Args...> text, Args&&... args) {
    error_ = bad_input(text, std::forward<Args>(args)...);
    return false;
  }

  bool unexpected() {
    if (place_ == Place::vocab) return fail("{}: model.vocab: {}: expected an id", file_, in_quotes(key_));
    return fail("{}: model.merges[{}]: expected \"left right\" or [\"left\", \"right\"]", file_,
                result_.merges.size());
  }

  // True where a container begins that is model.vocab or model.merges.
  bool at_model_list(std::string_view name) const {
    return place_ == Place::tree && open_.size() == 2 && model_open_ && key_ == name;
  }

  bool vocab_entry(std::int64_t id) {
    if (result_.vocab.size() == kMostEntries)
      return fail("{}: model.vocab: more than {} tokens", file_, kMostEntries);
    result_.vocab.emplace_back(std::move(key_), id);
    return true;
  }

  bool has_room_for_merge() {
    return result_.merges.size() < kMostEntries ||
           fail("{}: model.merges: more than {} pairs", file_, kMostEntries);
  }

  bool merge_line(const std::string& text) {
    if (!has_room_for_merge()) return false;
    if (text.starts_with("#version")) return true;
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return unexpected();
    result_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    return true;
  }

  bool merge_half(std::string& text) {
    if (halves_.size() == 2) return unexpected();
    halves_.push_back(std::move(text));
    return true;
  }

  // Puts a value into the container that is open.
  json* put(json v) {
    if (++nodes_ > kMostNodes) {
      fail("{}: more than {} values beside the vocabulary", file_, kMostNodes);
      return nullptr;
    }
    if (open_.empty()) {
      result_.tree = std::move(v);
      return &result_.tree;
    }
    json& container = *open_.back();
    if (container.is_array()) {
      container.push_back(std::move(v));
      return &container.back();
    }
    json& member = container[key_];
    member = std::move(v);
    return &member;
  }

  bool value(json v) {
    if (place_ != Place::tree) return unexpected();
    return put(std::move(v)) != nullptr;
  }

  bool open(json container) {
    if (open_.size() == kDeepestNesting) return fail("{}: nested more than {} deep", file_, kDeepestNesting);
    if (open_.size() == 1 && open_[0]->is_object()) model_open_ = key_ == "model";
    json* place = put(std::move(container));
    if (place == nullptr) return false;
    open_.push_back(place);
    return true;
  }

  bool close() {
    if (place_ == Place::vocab || place_ == Place::merges) {
      place_ = Place::tree;
    } else {
      open_.pop_back();
    }
    return true;
  }

  TokenizerJson& result_;
  const std::string& file_;
  std::optional<Error> error_;
  Place place_ = Place::tree;
  std::vector<json*>
      open_;  // containers; a child's pointer stays valid while it is open, its parent is not touched
  bool model_open_ = false;  // open_[1] is the root's "model"
  std::string key_;
  std::vector<std::string> halves_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<TokenizerJson> parse_tokenizer_json(std::string_view text, const std::string& file) {
  TokenizerJson result;
  Handler handler(result, file);
  const bool complete = json::sax_parse(text.begin(), text.end(), &handler);
  if (handler.error()) return *handler.error();
  if (!complete) return bad_input("{}: not valid JSON", file);
  if (!result.tree.is_object()) return bad_input("{}: expected an object", file);
  return result;
}

}  // namespace engine
