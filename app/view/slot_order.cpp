#include "app/view/slot_order.hpp"

#include <algorithm>
#include <cstddef>

namespace app::view {

std::vector<std::int32_t> slot_order(const CacheView& view, std::int32_t head, std::int32_t s) {
  std::vector<std::int32_t> slots;
  if (!view.closed_form() || s < 0) return slots;
  const MarkIndex& marks = view.index();
  const std::int32_t window = view.window();
  slots.reserve(static_cast<std::size_t>(view.live(head, s)));
  // Slots of the last window + 1 tokens, by position modulo their number. A window beyond s evicts nothing.
  std::vector<std::int32_t> recent(static_cast<std::size_t>(std::min(window, s)) + 1);
  for (std::int32_t entering = 0; entering <= s; ++entering) {
    std::int32_t& slot = recent[static_cast<std::size_t>(entering) % recent.size()];
    const std::int32_t leaving = entering - window - 1;
    if (leaving >= 0 && leaving < marks.judged() && marks.test(head, leaving)) {
      slots[static_cast<std::size_t>(slot)] = entering;
    } else {
      slot = static_cast<std::int32_t>(slots.size());
      slots.push_back(entering);
    }
  }
  return slots;
}

std::int32_t slots_out_of_order(const std::vector<std::int32_t>& slots) {
  std::int32_t count = 0;
  for (std::size_t i = 1; i < slots.size(); ++i) count += slots[i] < slots[i - 1] ? 1 : 0;
  return count;
}

}  // namespace app::view
