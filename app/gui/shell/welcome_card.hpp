// The first-start card: one thing to do first, two others, what was opened before, four words, and this
// machine.
#pragma once

#include <string>
#include <vector>

#include "app/gui/settings/settings.hpp"
#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/machine_facts.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class WelcomeCard {
 public:
  explicit WelcomeCard(std::vector<MachineFact> facts) : facts_(std::move(facts)) {}

  struct Outcome {
    std::string command;  // id of the command that was asked for
    std::string recent;   // path that was asked for
  };
  Outcome draw(Ui& ui, const Commands& commands, const Settings& settings, int window, ImVec2 low,
               ImVec2 high);

 private:
  void draw_picture(Ui& ui, ImVec2 low, ImVec2 high);
  void draw_first(Ui& ui, const Commands& commands, ImVec2 size, Outcome& outcome);
  void draw_actions(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 size,
                    Outcome& outcome);
  void draw_words(Ui& ui, int window, float width);
  void draw_machine(Ui& ui, float width);
  void draw_footer(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 at, float width);

  std::vector<MachineFact> facts_;
  float picture_height_ = 0;
  Texture picture_;
  Theme painted_;  // what the picture was painted with
};

}  // namespace app::gui
