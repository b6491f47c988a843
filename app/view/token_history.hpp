// What became of one token in every head: the rows of the history panel, and why in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/view/cache_view.hpp"
#include "app/view/selection.hpp"

namespace app::view {

struct HeadFate {
  Head head;
  TokenState state = TokenState::unborn;
  std::optional<double> logit;   // absent: not decided, or the policy has none
  std::optional<double> margin;  // logit - threshold: above zero is marked
  TokenDates dates;
  bool decided = false;  // at s
};

struct TokenHistory {
  std::vector<HeadFate> holding;  // layer-major
  std::vector<HeadFate> evicted;  // those that let it go first come first
  std::int32_t doomed = 0;        // of holding
  std::int32_t layers_holding = 0;
};

// At position s, for a token that is in the cache by then (0 <= token <= s).
TokenHistory token_history(const CacheView& cache, std::int32_t token, std::int32_t s);

// "logit 1.30 above θ, left the window at #569".
std::string fate_reason(const HeadFate& fate, bool closed_form);

}  // namespace app::view
