// The row over the eviction map: what its colours mean with their counts, what a pixel stands for, order and
// kind of rows, and what of a preview to show.
#pragma once

#include "app/gui/panels/cell_field.hpp"
#include "app/gui/shell/panel.hpp"

namespace app::gui {

enum class RowOrder : int { index, retention };

struct MapOptions {
  RowOrder order = RowOrder::index;
  bool row_per_layer = false;
  MapMode mode = MapMode::run;
};

void draw_map_toolbar(PanelContext& context, MapOptions& options, const FieldSource& source,
                      double tokens_per_pixel);

}  // namespace app::gui
