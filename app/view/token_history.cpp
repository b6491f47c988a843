#include "app/view/token_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/view/format.hpp"

namespace app::view {

TokenHistory token_history(const CacheView& cache, std::int32_t token, std::int32_t s) {
  TokenHistory history;
  const std::int32_t kv_heads = std::max(1, cache.run().kv_heads());
  const bool judged = cache.closed_form() && token < cache.index().judged();
  std::int32_t last_layer = -1;
  for (std::int32_t index = 0; index < cache.heads(); ++index) {
    HeadFate fate;
    fate.head = {index / kv_heads, index % kv_heads};
    fate.state = cache.state(index, token, s);
    fate.dates = cache.dates(index, token);
    fate.decided = judged && fate.dates.decided <= s;
    if (fate.decided) {
      const auto logit = static_cast<double>(cache.sequence().logit(index, token));
      if (!std::isnan(logit)) {
        fate.logit = logit;
        fate.margin = logit - cache.threshold();
      }
    }
    if (fate.state == TokenState::evicted) {
      history.evicted.push_back(fate);
      continue;
    }
    if (fate.state == TokenState::unborn) continue;
    history.doomed += fate.state == TokenState::doomed ? 1 : 0;
    history.layers_holding += fate.head.layer != last_layer ? 1 : 0;
    last_layer = fate.head.layer;
    history.holding.push_back(fate);
  }
  std::stable_sort(history.evicted.begin(), history.evicted.end(),
                   [](const HeadFate& a, const HeadFate& b) { return a.dates.leaves < b.dates.leaves; });
  return history;
}

std::string fate_reason(const HeadFate& fate, bool closed_form) {
  if (!closed_form) {
    return fate.state == TokenState::evicted
               ? fmt::format("the policy dropped it at {}", format_token(fate.dates.leaves))
               : "the policy holds it";
  }
  std::string margin = "not decided yet";
  if (fate.decided) margin = "decided without a logit";
  if (fate.margin) {
    // Rounding may cross the threshold: what was executed counts.
    margin = fmt::format("logit {} {} \u03b8", format_logit(std::abs(*fate.margin)),
                         *fate.margin > 0 ? "above" : "below");
  }
  switch (fate.state) {
    case TokenState::evicted:
      return fmt::format("{}, left the window at {}", margin, format_token(fate.dates.leaves));
    case TokenState::doomed:
      return fmt::format("{}, leaves at {}", margin, format_token(fate.dates.leaves));
    case TokenState::window:
      return fmt::format("{}, stays for good", margin);
    case TokenState::kept:
      return fmt::format("{}, kept for good", margin);
    case TokenState::undecided:
      return fmt::format("decided at {}", format_token(fate.dates.decided));
    case TokenState::unborn:
      break;
  }
  return fmt::format("comes at {}", format_token(fate.dates.born));
}

}  // namespace app::view
