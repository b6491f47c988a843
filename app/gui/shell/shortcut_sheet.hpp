// `?`: every shortcut at a glance, and the place to change them.
#pragma once

#include <map>
#include <string>

#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/notices.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class ShortcutSheet {
 public:
  void open() { opening_ = true; }
  // Changed shortcuts go into `changed` for the settings. Returns true if one did.
  bool draw(Ui& ui, Commands& commands, Notices& notices, std::map<std::string, std::string>& changed);
  // Keys are being recorded: they must not run commands.
  bool is_recording() const { return !recording_.empty(); }

 private:
  bool record(Commands& commands, Notices& notices, std::map<std::string, std::string>& changed);
  bool opening_ = false;
  std::string recording_;
};

}  // namespace app::gui
