// Filter expressions of the kernel table: `dur > 20us and name ~ attn`.
//
//   expression = term { "or" term };  term = factor { "and" factor }
//   factor     = "not" factor | "(" expression ")" | comparison | word
//   comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" ) value
//
// Fields: name (operation or kernel, "~" means contains), layer, step, dur (20us, 1.5ms, 300ns, 2s), bytes
// (64KB, 1.5MiB, 2GB), gbps (achieved GB/s), device, stream, graph. A word alone means name ~ word. Values
// with spaces are quoted. Case does not matter. A span whose bytes are not known matches no comparison of
// bytes and gbps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "engine/events/result.hpp"

namespace app::view {

class SpanFilter {
  struct Node;

 public:
  // A filter with the names that one snapshot knows, so that matching compares numbers only.
  class Bound {
   public:
    bool matches(const engine::Span& span) const { return root_ == nullptr || root_->matches(span); }

   private:
    friend class SpanFilter;
    std::shared_ptr<const Node> root_;
  };

  SpanFilter() = default;  // lets everything through
  static engine::Result<SpanFilter> parse(const std::string& expression);

  // A GPU's kernels are named as they are first seen: bind to the snapshot whose spans are asked about.
  Bound bind(const RunSnapshot& run) const;

 private:
  friend class SpanFilterParser;
  enum class Kind : std::uint8_t { all_of, any_of, negation, number, name };
  enum class Field : std::uint8_t { duration, bytes, gb_per_s, layer, step, device, stream, graph };
  enum class Order : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal };
  struct Node {
    Kind kind = Kind::number;
    std::vector<std::shared_ptr<const Node>> children;
    Field field = Field::duration;
    Order order = Order::equal;
    double value = 0;
    std::string text;                       // name, in lower case
    bool whole = false;                     // name: all of it, not a part
    std::vector<char> operations, kernels;  // bound name: which indices match
    bool matches(const engine::Span& span) const;
  };
  static std::shared_ptr<const Node> bound(const std::shared_ptr<const Node>& node, const RunSnapshot& run);

  std::shared_ptr<const Node> root_;
};

}  // namespace app::view
