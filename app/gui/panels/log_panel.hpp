// Every notice of this session, newest first.
#pragma once

#include "app/gui/shell/panel.hpp"

namespace app::gui {

class LogPanel : public Panel {
 public:
  void draw(PanelContext& context) override;
  bool has_data(const PanelContext& context) const override { return !context.notices.all().empty(); }
};

// One notice as the log and the toasts show it.
void draw_notice(Ui& ui, const Notice& notice, bool with_time);

}  // namespace app::gui
