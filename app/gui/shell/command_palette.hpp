// Ctrl+P: find any command by a few letters and run it.
#pragma once

#include <string>

#include "app/gui/shell/commands.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class CommandPalette {
 public:
  void open() { opening_ = true; }
  void draw(Ui& ui, const Commands& commands);

 private:
  void draw_list(Ui& ui, const Commands& commands, std::string& chosen);
  bool opening_ = false;
  std::string query_;
  int cursor_ = 0;
};

}  // namespace app::gui
