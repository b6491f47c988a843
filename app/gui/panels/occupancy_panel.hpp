// Cache occupancy: logical, allocated and dense bytes; a meter for every KV head; the pages of the pinned
// head in slot order, where reuse in place shows as scrambled ages.
#pragma once

#include <vector>

#include "app/gui/shell/panel.hpp"
#include "app/gui/widgets/texture.hpp"

namespace app::gui {

class OccupancyPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  void draw_meters(PanelContext& context, float height);
  void draw_pages(PanelContext& context, view::Head head);
  void update_pages(PanelContext& context, std::int32_t head, std::int32_t columns, std::int32_t rows,
                    std::int32_t slots_per_cell);

  // The pages' picture: one texel per cell.
  struct PageKey {
    std::uint64_t run_id = 0, version = 0;
    std::int32_t sequence = -1, head = -1, s = -1, columns = 0, rows = 0, slots_per_cell = 0;
    ThemeKind theme = ThemeKind::dark;
    Palette palette = Palette::blue_orange;
    bool operator==(const PageKey&) const = default;
  };
  struct SlotKey {
    std::uint64_t run_id = 0, version = 0;
    std::int32_t sequence = -1, head = -1, s = -1;
    bool operator==(const SlotKey&) const = default;
  };
  PageKey page_key_;
  SlotKey slot_key_;
  std::vector<std::int32_t> slots_;  // token in each slot of the pinned head
  std::int32_t out_of_order_ = 0;
  Texture pages_;
};

}  // namespace app::gui
