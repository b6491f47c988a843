#include "app/view/span_filter.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

namespace app::view {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

struct Lexeme {
  std::string text;    // lower case; empty at the end
  std::size_t at = 0;  // character, from 1
  bool quoted = false;
};

constexpr std::string_view kSymbols = "()=!<>~";

engine::Result<std::vector<Lexeme>> lexemes(const std::string& expression) {
  std::vector<Lexeme> found;
  for (std::size_t i = 0; i < expression.size();) {
    const char c = expression[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '"' || c == '\'') {
      const std::size_t end = expression.find(c, i + 1);
      if (end == std::string::npos)
        return engine::bad_input("filter, character {}: the quote does not end", i + 1);
      found.push_back({lower(std::string_view(expression).substr(i + 1, end - i - 1)), i + 1, true});
      i = end + 1;
    } else if (kSymbols.find(c) != std::string_view::npos) {
      const bool two =
          (c == '!' || c == '<' || c == '>') && i + 1 < expression.size() && expression[i + 1] == '=';
      found.push_back({expression.substr(i, two ? 2 : 1), i + 1, false});
      i += two ? 2 : 1;
    } else {
      std::size_t end = i;
      while (end < expression.size() && std::isspace(static_cast<unsigned char>(expression[end])) == 0 &&
             kSymbols.find(expression[end]) == std::string_view::npos) {
        ++end;
      }
      found.push_back({lower(std::string_view(expression).substr(i, end - i)), i + 1, false});
      i = end;
    }
  }
  found.push_back({"", expression.size() + 1, false});
  return found;
}

using Units = std::map<std::string_view, double>;

const Units& duration_units() {
  static const Units kUnits = {{"ns", 1}, {"us", 1e3}, {"\u00b5s", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  return kUnits;
}

const Units& byte_units() {
  static const Units kUnits = {{"b", 1},      {"kb", 1e3},     {"mb", 1e6},    {"gb", 1e9},
                               {"kib", 1024}, {"mib", 0x1p20}, {"gib", 0x1p30}};
  return kUnits;
}

// "20us" in nanoseconds, "1MiB" in bytes, "3" as it is.
std::optional<double> to_number(std::string_view text, const Units& units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return {};
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty()) return value;
  const auto found = units.find(unit);
  if (found == units.end()) return {};
  return value * found->second;
}

}  // namespace

class SpanFilterParser {
 public:
  explicit SpanFilterParser(std::vector<Lexeme> found) : lexemes_(std::move(found)) {}

  using NodePtr = std::shared_ptr<const SpanFilter::Node>;

  engine::Result<NodePtr> parse() {
    auto root = chain("or", SpanFilter::Kind::any_of);
    if (root && !at_end())
      return engine::bad_input("filter, character {}: \"{}\" is not expected here", now().at, now().text);
    return root;
  }

 private:
  using Node = SpanFilter::Node;
  using Kind = SpanFilter::Kind;

  const Lexeme& now() const { return lexemes_[next_]; }
  bool at_end() const { return next_ + 1 == lexemes_.size(); }
  bool take(std::string_view word) {
    const bool is = !at_end() && !now().quoted && now().text == word;
    next_ += is ? 1 : 0;
    return is;
  }
  engine::Error expected(const char* what) const {
    return at_end() ? engine::bad_input("filter, character {}: {} is missing", now().at, what)
                    : engine::bad_input("filter, character {}: \"{}\" is not {}", now().at, now().text, what);
  }

  // One or more parts with the same word between them; "and" binds tighter than "or".
  engine::Result<NodePtr> chain(std::string_view word, Kind kind) {
    Node node;
    node.kind = kind;
    do {
      auto part = kind == Kind::any_of ? chain("and", Kind::all_of) : factor();
      if (!part) return part;
      node.children.push_back(*part);
    } while (take(word));
    return node.children.size() == 1 ? node.children.front() : std::make_shared<const Node>(std::move(node));
  }

  engine::Result<NodePtr> factor() {
    // As deep as anybody writes, and far from the end of the stack.
    if (depth_ == 100) return engine::bad_input("filter: more than 100 levels of \"not\" and brackets");
    ++depth_;
    auto result = unguarded_factor();
    --depth_;
    return result;
  }

  engine::Result<NodePtr> unguarded_factor() {
    if (take("not")) {
      auto inner = factor();
      if (!inner) return inner;
      Node node;
      node.kind = Kind::negation;
      node.children.push_back(*inner);
      return std::make_shared<const Node>(std::move(node));
    }
    if (take("(")) {
      auto inner = chain("or", Kind::any_of);
      if (inner && !take(")")) return expected("\")\"");
      return inner;
    }
    return comparison();
  }

  engine::Result<NodePtr> comparison() {
    const bool is_word =
        !at_end() && (now().quoted || kSymbols.find(now().text[0]) == std::string_view::npos);
    if (!is_word) return expected("a field or a name");
    const Lexeme field = lexemes_[next_++];
    const std::optional<std::string> sign = take_sign();
    if (!sign) return name_node("~", field.text);
    if (at_end()) return expected("a value");
    const Lexeme value = lexemes_[next_++];
    if (!field.quoted && field.text == "name") return name_node(*sign, value.text, value.at);
    return number_node(field, *sign, value);
  }

  std::optional<std::string> take_sign() {
    for (const char* sign : {"=", "!=", "<=", ">=", "<", ">", "~"}) {
      if (take(sign)) return sign;
    }
    return {};
  }

  engine::Result<NodePtr> name_node(const std::string& sign, const std::string& text, std::size_t at = 0) {
    if (sign != "~" && sign != "=" && sign != "!=") {
      return engine::bad_input("filter, character {}: names compare with ~, = and != only", at);
    }
    Node node;
    node.kind = Kind::name;
    node.text = text;
    node.whole = sign != "~";
    auto made = std::make_shared<const Node>(std::move(node));
    if (sign != "!=") return made;
    Node negation;
    negation.kind = Kind::negation;
    negation.children.push_back(std::move(made));
    return std::make_shared<const Node>(std::move(negation));
  }

  engine::Result<NodePtr> number_node(const Lexeme& field, const std::string& sign, const Lexeme& value) {
    using Field = SpanFilter::Field;
    using Order = SpanFilter::Order;
    static const std::map<std::string, Field> kFields = {{"dur", Field::duration},  {"bytes", Field::bytes},
                                                         {"gbps", Field::gb_per_s}, {"layer", Field::layer},
                                                         {"step", Field::step},     {"device", Field::device},
                                                         {"stream", Field::stream}, {"graph", Field::graph}};
    static const std::map<std::string, Order> kOrders = {{"=", Order::equal},   {"!=", Order::unequal},
                                                         {"<", Order::less},    {"<=", Order::less_equal},
                                                         {">", Order::greater}, {">=", Order::greater_equal}};
    const auto known = kFields.find(field.text);
    if (field.quoted || known == kFields.end()) {
      return engine::bad_input(
          "filter, character {}: \"{}\" is not one of name, dur, bytes, gbps, layer, step, device, stream, "
          "graph",
          field.at, field.text);
    }
    const auto order = kOrders.find(sign);
    if (order == kOrders.end())
      return engine::bad_input("filter, character {}: ~ compares names only", value.at);
    static const Units kNone;
    const bool is_duration = known->second == Field::duration, is_bytes = known->second == Field::bytes;
    const std::optional<double> number = to_number(value.text, is_duration ? duration_units()
                                                               : is_bytes  ? byte_units()
                                                                           : kNone);
    if (!number) {
      return engine::bad_input("filter, character {}: \"{}\" is not {}", value.at, value.text,
                               is_duration ? "a duration such as 20us"
                               : is_bytes  ? "a size such as 64KB or 1MiB"
                                           : "a number");
    }
    Node node;
    node.field = known->second;
    node.order = order->second;
    node.value = *number;
    return std::make_shared<const Node>(std::move(node));
  }

  std::vector<Lexeme> lexemes_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

engine::Result<SpanFilter> SpanFilter::parse(const std::string& expression) {
  SpanFilter filter;
  auto found = lexemes(expression);
  if (!found) return found.error();
  if (found->size() == 1) return filter;
  auto root = SpanFilterParser(std::move(*found)).parse();
  if (!root) return root.error();
  filter.root_ = *root;
  return filter;
}

// --- matching
// -------------------------------------------------------------------------------------------------------

SpanFilter::Bound SpanFilter::bind(const RunSnapshot& run) const {
  Bound filter;
  if (root_ != nullptr) filter.root_ = bound(root_, run);
  return filter;
}

std::shared_ptr<const SpanFilter::Node> SpanFilter::bound(const std::shared_ptr<const Node>& node,
                                                          const RunSnapshot& run) {
  if (node->kind == Kind::number) return node;
  Node copy = *node;
  for (auto& child : copy.children) child = bound(child, run);
  if (node->kind == Kind::name) {
    const auto match = [&](const std::string& name) {
      const std::string small = lower(name);
      return static_cast<char>(node->whole ? small == node->text
                                           : small.find(node->text) != std::string::npos);
    };
    for (const std::string& name : run.run().operations) copy.operations.push_back(match(name));
    for (std::int32_t i = 0; i < run.kernel_count(); ++i) copy.kernels.push_back(match(*run.kernel_name(i)));
  }
  return std::make_shared<const Node>(std::move(copy));
}

namespace {

// NaN: not known.
double bytes_of(const engine::Span& span) {
  return span.bytes > 0 ? static_cast<double>(span.bytes) : std::nan("");
}

}  // namespace

bool SpanFilter::Node::matches(const engine::Span& span) const {
  const auto child = [&](const auto& part) { return part->matches(span); };
  const auto named = [](const std::vector<char>& names, std::int16_t index) {
    return index >= 0 && static_cast<std::size_t>(index) < names.size() &&
           names[static_cast<std::size_t>(index)] != 0;
  };
  switch (kind) {
    case Kind::all_of:
      return std::all_of(children.begin(), children.end(), child);
    case Kind::any_of:
      return std::any_of(children.begin(), children.end(), child);
    case Kind::negation:
      return !child(children.front());
    case Kind::name:
      return named(operations, span.operation) || named(kernels, span.kernel);
    case Kind::number:
      break;
  }
  double of_span = 0;
  switch (field) {
    case Field::duration:
      of_span = static_cast<double>(span.end_ns - span.start_ns);
      break;
    case Field::bytes:
      of_span = bytes_of(span);
      break;
    case Field::gb_per_s:
      of_span = bytes_of(span) / static_cast<double>(std::max<std::int64_t>(1, span.end_ns - span.start_ns));
      break;
    case Field::layer:
      of_span = span.layer;
      break;
    case Field::step:
      of_span = static_cast<double>(span.step);
      break;
    case Field::device:
      of_span = span.device;
      break;
    case Field::stream:
      of_span = span.stream;
      break;
    case Field::graph:
      of_span = span.graph;
      break;
  }
  switch (order) {
    case Order::equal:
      return of_span == value;
    case Order::unequal:
      return of_span < value || of_span > value;  // false for what is not known
    case Order::less:
      return of_span < value;
    case Order::less_equal:
      return of_span <= value;
    case Order::greater:
      return of_span > value;
    case Order::greater_equal:
      return of_span >= value;
  }
  return false;
}

}  // namespace app::view
