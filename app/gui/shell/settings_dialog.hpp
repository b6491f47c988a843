// Theme, palette, scale and file dialogs, applied as they are chosen.
#pragma once

#include "app/gui/settings/settings.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class SettingsDialog {
 public:
  void open() { opening_ = true; }
  // True when a setting changed.
  bool draw(Ui& ui, Settings& settings, float monitor_scale);

 private:
  bool opening_ = false;
};

}  // namespace app::gui
