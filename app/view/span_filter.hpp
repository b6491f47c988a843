// Filter expressions of the kernel table: `dur > 20us and name ~ attn`.
//
//   expression = term { "or" term };  term = factor { "and" factor }
//   factor     = "not" factor | "(" expression ")" | comparison | word
//   comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" ) value
//
// Fields: name (operation or kernel, "~" means contains), layer, step, dur (20us, 1.5ms, 300ns, 2s), device,
// stream. A word alone means name ~ word. Values with spaces are quoted. Case does not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "engine/events/result.hpp"

namespace app::view {

class SpanFilter {
 public:
  SpanFilter() = default;  // lets everything through
  // Names are looked up in `run` once, so that matching compares numbers only.
  static engine::Result<SpanFilter> parse(const std::string& expression, const engine::RunStarted& run);

  bool matches(const engine::Span& span) const { return root_ == nullptr || matches(*root_, span); }

 private:
  friend class SpanFilterParser;
  enum class Kind : std::uint8_t { all_of, any_of, negation, number, name };
  enum class Field : std::uint8_t { duration, layer, step, device, stream };
  enum class Order : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal };
  struct Node {
    Kind kind = Kind::number;
    std::vector<std::shared_ptr<const Node>> children;
    Field field = Field::duration;
    Order order = Order::equal;
    double value = 0;
    std::vector<char> operations, kernels;  // name: which indices match
  };
  static bool matches(const Node& node, const engine::Span& span);

  std::shared_ptr<const Node> root_;
};

}  // namespace app::view
