// The definition of delayed eviction, word for word, on the decisions of a snapshot: what faster code must
// equal.
#pragma once

#include <cstdint>

#include "app/view/cache_view.hpp"

namespace view_test {

struct SequenceOracle {
  const app::view::SequenceView& sequence;
  std::int32_t window = 0;
  std::int32_t lag = 0;
  std::optional<double> threshold;  // absent: as executed

  bool marked(std::int32_t head, std::int32_t t) const {
    return threshold ? static_cast<double>(sequence.logit(head, t)) > *threshold : sequence.marked(head, t);
  }

  app::view::TokenState state(std::int32_t head, std::int32_t t, std::int32_t s) const {
    using app::view::TokenState;
    if (t > s) return TokenState::unborn;
    const bool decided = t + lag <= s && t < sequence.judged();
    if (s - t > window) return decided && marked(head, t) ? TokenState::evicted : TokenState::kept;
    if (!decided) return TokenState::undecided;
    return marked(head, t) ? TokenState::doomed : TokenState::window;
  }

  static bool is_live(app::view::TokenState state) {
    return state != app::view::TokenState::unborn && state != app::view::TokenState::evicted;
  }
};

}  // namespace view_test
