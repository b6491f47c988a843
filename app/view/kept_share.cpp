#include "app/view/kept_share.hpp"

#include <algorithm>

namespace app::view {

std::vector<double> kept_shares(CacheView& view, std::int32_t s) {
  const CacheView::Marks marks = view.marks(s);
  const std::int32_t decided = std::clamp(s - marks.lag + 1, 0, marks.index->judged());
  std::vector<double> shares;
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    const std::int32_t marked = decided > 0 ? marks.index->rank(head, decided) : 0;
    shares.push_back(decided > 0 ? 1 - static_cast<double>(marked) / decided : 1);
  }
  return shares;
}

std::vector<double> by_layer(const std::vector<double>& heads, std::int32_t kv_heads) {
  const auto width = static_cast<std::size_t>(std::max(1, kv_heads));
  std::vector<double> layers(heads.size() / width);
  for (std::size_t head = 0; head < layers.size() * width; ++head)
    layers[head / width] += heads[head] / static_cast<double>(width);
  return layers;
}

}  // namespace app::view
