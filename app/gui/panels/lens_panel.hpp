// The window lens: the newest tokens by age, right is about to leave, with the heads of the pinned layer
// large and all heads below; what the next token pushes out, and where the cache is heading.
#pragma once

#include "app/gui/panels/cell_field.hpp"
#include "app/gui/panels/map_frame.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/push_motion.hpp"
#include "app/view/row_layout.hpp"

namespace app::gui {

class LensPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  // Tokens by age along x: the newest at the left.
  struct Ages {
    view::TokenRange tokens;
    std::int32_t oldest = 0;  // age at the right edge
    float left = 0, cell = 0;
    float behind = 0;  // while a token is being pushed in: how far everything has yet to move right
    float x_of(std::int32_t age) const { return left + static_cast<float>(age) * cell - behind; }
  };
  struct Part {
    const char* id;
    Area area;
    view::RowLayout* rows;
    CellField* cells;
    std::uint64_t version;
    bool large;
  };

  void lay_out_rows(PanelContext& context, std::int32_t layer, float large, float all);
  // lens_painting.cpp
  void draw_part(PanelContext& context, const FieldSource& source, const Ages& ages, const Part& part);
  void paint_cells(PanelContext& context, const FieldSource& source, const Ages& ages, const Part& part);
  void paint_row_marks(PanelContext& context, const FieldSource& source, const Ages& ages, const Part& part);
  void paint_token_marks(PanelContext& context, const FieldSource& source, const Ages& ages,
                         const Part& part);
  void paint_push(PanelContext& context, const FieldSource& source, const Ages& ages, const Part& part);

  void take_input(PanelContext& context, const FieldSource& source, const Ages& ages, const Part& part);

  view::RowLayout layer_rows_, all_rows_;
  CellField layer_cells_, all_cells_;
  view::PushMotion motion_;
  std::uint64_t rows_version_ = 0;
  struct RowKey {
    std::uint64_t run_id = 0;
    std::int32_t layer = -1, large = 0, all = 0;
    float scale = 0;
    bool operator==(const RowKey&) const = default;
  } row_key_;
};

}  // namespace app::gui
