// What became of the pinned token in every head, when and why.
#pragma once

#include <cstdint>

#include "app/gui/shell/panel.hpp"
#include "app/view/token_history.hpp"

namespace app::gui {

class HistoryPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  void update(Workbench& bench, std::int32_t token);
  void draw_summary(PanelContext& context, std::int32_t token);
  void draw_group(PanelContext& context, const char* id, const std::string& title, Role color,
                  const std::vector<view::HeadFate>& rows, bool evicted);
  void draw_row(PanelContext& context, const view::HeadFate& fate, bool evicted);

  view::TokenHistory history_;
  struct Key {
    std::uint64_t version = 0;
    std::uint64_t run = 0;
    std::int32_t token = -1, position = -1, sequence = -1;
    bool operator==(const Key&) const = default;
  } key_;
};

}  // namespace app::gui
