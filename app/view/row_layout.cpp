#include "app/view/row_layout.hpp"

#include <algorithm>
#include <numeric>

namespace app::view {

namespace {

bool is_expanded(const RowLayoutOptions& options, std::int32_t layer) {
  return options.expanded_layer && *options.expanded_layer == layer;
}

// Rows without places. A sorted map has one row per head, or per layer by the mean of its heads' keys.
std::vector<MapRow> make_rows(const RowLayoutOptions& options) {
  std::vector<MapRow> rows;
  for (std::int32_t layer = 0; layer < options.layers; ++layer) {
    const std::int32_t first = layer * options.kv_heads;
    if (options.row_per_layer && !is_expanded(options, layer)) {
      rows.push_back({layer, first, options.kv_heads, 0, 0});
      continue;
    }
    for (std::int32_t head = 0; head < options.kv_heads; ++head)
      rows.push_back({layer, first + head, 1, 0, 0});
  }
  return rows;
}

double key_of(const RowLayoutOptions& options, const MapRow& row) {
  const auto keys = options.sort_keys.subspan(static_cast<std::size_t>(row.first_head),
                                              static_cast<std::size_t>(row.head_count));
  return std::accumulate(keys.begin(), keys.end(), 0.0) / static_cast<double>(row.head_count);
}

bool begins_layer(const std::vector<MapRow>& rows, std::size_t index) {
  return index > 0 && rows[index].layer != rows[index - 1].layer;
}

// The tallest height of an ordinary row with which everything fits, at least one pixel.
std::int32_t row_height(const RowLayoutOptions& options, const std::vector<MapRow>& rows, std::int32_t gaps) {
  const auto expanded = std::count_if(rows.begin(), rows.end(),
                                      [&](const MapRow& row) { return is_expanded(options, row.layer); });
  const auto ordinary = static_cast<std::int32_t>(rows.size()) - static_cast<std::int32_t>(expanded);
  const std::int32_t left =
      options.height - gaps - static_cast<std::int32_t>(expanded) * options.expanded_row_height;
  return std::clamp(ordinary > 0 ? left / ordinary : 1, 1, std::max(1, options.max_row_height));
}

}  // namespace

RowLayout layout_rows(const RowLayoutOptions& options) {
  RowLayout layout;
  layout.rows = make_rows(options);
  const auto heads = static_cast<std::size_t>(options.layers) * static_cast<std::size_t>(options.kv_heads);
  const bool sorted = heads > 0 && options.sort_keys.size() == heads;
  if (sorted) {
    std::stable_sort(layout.rows.begin(), layout.rows.end(), [&](const MapRow& a, const MapRow& b) {
      return key_of(options, a) < key_of(options, b);
    });
  }
  const std::int32_t separator = sorted || options.row_per_layer ? 0 : options.separator;
  const std::int32_t gaps = separator * std::max(0, options.layers - 1);
  const std::int32_t ordinary = row_height(options, layout.rows, gaps);
  for (std::size_t i = 0; i < layout.rows.size(); ++i) {
    MapRow& row = layout.rows[i];
    if (begins_layer(layout.rows, i)) layout.height += separator;
    row.y = layout.height;
    row.height = is_expanded(options, row.layer) ? std::max(ordinary, options.expanded_row_height) : ordinary;
    layout.height += row.height;
  }
  return layout;
}

std::int32_t RowLayout::row_at(std::int32_t y) const {
  if (y < 0 || y >= height) return -1;
  const auto next = std::upper_bound(rows.begin(), rows.end(), y,
                                     [](std::int32_t at, const MapRow& row) { return at < row.y; });
  return static_cast<std::int32_t>(next - rows.begin()) - 1;
}

std::int32_t RowLayout::head_at(std::int32_t y) const {
  const std::int32_t index = row_at(y);
  if (index < 0) return -1;
  const MapRow& row = rows[static_cast<std::size_t>(index)];
  const std::int32_t part = (y - row.y) * row.head_count / row.height;
  return row.first_head + std::min(part, row.head_count - 1);
}

std::int32_t RowLayout::row_of(std::int32_t head) const {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const MapRow& row) {
    return row.first_head <= head && head < row.first_head + row.head_count;
  });
  return found != rows.end() ? static_cast<std::int32_t>(found - rows.begin()) : -1;
}

}  // namespace app::view
