#include "app/view/span_filter.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
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

// "20us" in nanoseconds, "3" as it is.
std::optional<double> to_number(std::string_view text, bool is_duration) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return {};
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty()) return value;
  static const std::map<std::string_view, double> kUnits = {
      {"ns", 1}, {"us", 1e3}, {"\u00b5s", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  const auto found = kUnits.find(unit);
  if (!is_duration || found == kUnits.end()) return {};
  return value * found->second;
}

}  // namespace

class SpanFilterParser {
 public:
  SpanFilterParser(std::vector<Lexeme> found, const engine::RunStarted& run)
      : lexemes_(std::move(found)), run_(run) {}

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
    const auto match = [&](const std::vector<std::string>& names) {
      std::vector<char> matches;
      for (const std::string& name : names) {
        const std::string small = lower(name);
        matches.push_back(sign == "~" ? small.find(text) != std::string::npos : small == text);
      }
      return matches;
    };
    node.operations = match(run_.operations);
    node.kernels = match(run_.kernels);
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
    static const std::map<std::string, Field> kFields = {{"dur", Field::duration},
                                                         {"layer", Field::layer},
                                                         {"step", Field::step},
                                                         {"device", Field::device},
                                                         {"stream", Field::stream}};
    static const std::map<std::string, Order> kOrders = {{"=", Order::equal},   {"!=", Order::unequal},
                                                         {"<", Order::less},    {"<=", Order::less_equal},
                                                         {">", Order::greater}, {">=", Order::greater_equal}};
    const auto known = kFields.find(field.text);
    if (field.quoted || known == kFields.end()) {
      return engine::bad_input(
          "filter, character {}: \"{}\" is not one of name, dur, layer, step, device, stream", field.at,
          field.text);
    }
    const auto order = kOrders.find(sign);
    if (order == kOrders.end())
      return engine::bad_input("filter, character {}: ~ compares names only", value.at);
    const bool is_duration = known->second == Field::duration;
    const std::optional<double> number = to_number(value.text, is_duration);
    if (!number) {
      return engine::bad_input("filter, character {}: \"{}\" is not {}", value.at, value.text,
                               is_duration ? "a duration such as 20us" : "a number");
    }
    Node node;
    node.field = known->second;
    node.order = order->second;
    node.value = *number;
    return std::make_shared<const Node>(std::move(node));
  }

  std::vector<Lexeme> lexemes_;
  const engine::RunStarted& run_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

engine::Result<SpanFilter> SpanFilter::parse(const std::string& expression, const engine::RunStarted& run) {
  SpanFilter filter;
  auto found = lexemes(expression);
  if (!found) return found.error();
  if (found->size() == 1) return filter;
  auto root = SpanFilterParser(std::move(*found), run).parse();
  if (!root) return root.error();
  filter.root_ = *root;
  return filter;
}

bool SpanFilter::matches(const Node& node, const engine::Span& span) {
  const auto child = [&](const auto& part) { return matches(*part, span); };
  const auto named = [](const std::vector<char>& names, std::int16_t index) {
    return index >= 0 && static_cast<std::size_t>(index) < names.size() &&
           names[static_cast<std::size_t>(index)] != 0;
  };
  switch (node.kind) {
    case Kind::all_of:
      return std::all_of(node.children.begin(), node.children.end(), child);
    case Kind::any_of:
      return std::any_of(node.children.begin(), node.children.end(), child);
    case Kind::negation:
      return !child(node.children.front());
    case Kind::name:
      return named(node.operations, span.operation) || named(node.kernels, span.kernel);
    case Kind::number:
      break;
  }
  double value = 0;
  switch (node.field) {
    case Field::duration:
      value = static_cast<double>(span.end_ns - span.start_ns);
      break;
    case Field::layer:
      value = span.layer;
      break;
    case Field::step:
      value = static_cast<double>(span.step);
      break;
    case Field::device:
      value = span.device;
      break;
    case Field::stream:
      value = span.stream;
      break;
  }
  switch (node.order) {
    case Order::equal:
      return value == node.value;
    case Order::unequal:
      return value != node.value;
    case Order::less:
      return value < node.value;
    case Order::less_equal:
      return value <= node.value;
    case Order::greater:
      return value > node.value;
    case Order::greater_equal:
      return value >= node.value;
  }
  return false;
}

}  // namespace app::view
