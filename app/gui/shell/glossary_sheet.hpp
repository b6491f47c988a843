// Help > Glossary: every word that the window explains on hover, in one list.
#pragma once

#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class GlossarySheet {
 public:
  void open() { opening_ = true; }
  void draw(Ui& ui);

 private:
  bool opening_ = false;
};

}  // namespace app::gui
