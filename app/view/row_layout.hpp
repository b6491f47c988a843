// Rows of the eviction map: which heads stand where, and how a pixel finds its head and back.
//
// A row is one KV head, or one layer with its heads together. Layers are separated by a gap; an expanded
// layer has taller rows, one per head, also where the others have one row. Order is by layer, or by a key per
// head.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace app::view {

struct MapRow {
  std::int32_t layer = 0;
  std::int32_t first_head = 0;  // flat index: layer * kv_heads + kv_head
  std::int32_t head_count = 1;
  std::int32_t y = 0;  // pixels from the top of the map
  std::int32_t height = 1;
};

struct RowLayoutOptions {
  std::int32_t layers = 0;
  std::int32_t kv_heads = 0;
  bool row_per_layer = false;
  std::optional<std::int32_t> expanded_layer;
  std::int32_t expanded_row_height = 13;  // pixels; docs of the map: readable hatch needs 4
  std::int32_t separator = 1;             // between layers, while rows are ordered by layer
  std::int32_t max_row_height = 13;
  std::int32_t height = 0;                 // pixels there are
  std::span<const double> sort_keys = {};  // [layers * kv_heads]; absent: by index. Smallest first
};

struct RowLayout {
  std::vector<MapRow> rows;  // from the top, without overlap
  std::int32_t height = 0;   // pixels used; more than asked for when every row is one pixel already

  // The row at a pixel; between two layers, the one above. -1 outside.
  std::int32_t row_at(std::int32_t y) const;
  // The head at a pixel: of a row of several heads the part of it that the pixel lies in. -1 outside.
  std::int32_t head_at(std::int32_t y) const;
  // The row that shows a head, -1 if none does.
  std::int32_t row_of(std::int32_t head) const;
};

RowLayout layout_rows(const RowLayoutOptions& options);

}  // namespace app::view
