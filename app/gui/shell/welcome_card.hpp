// The first-start card: one thing to do first, two others, what was opened before, four words, and this
// machine.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/gui/settings/settings.hpp"
#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/machine_facts.hpp"
#include "app/gui/widgets/ui.hpp"
#include "app/gui/workbench/sample_preview.hpp"

namespace app::gui {

class WelcomeCard {
 public:
  // `sample` may be null: there is no sample trace.
  WelcomeCard(std::vector<MachineFact> facts, std::unique_ptr<SamplePreview> sample)
      : facts_(std::move(facts)), sample_(std::move(sample)) {}

  struct Outcome {
    std::string command;  // id of the command that was asked for
    std::string recent;   // path that was asked for
  };
  bool settled() const {
    return sample_ == nullptr || sample_->settled();
  }  // nothing more will appear by itself
  Outcome draw(Ui& ui, const Commands& commands, const Settings& settings, int window, ImVec2 low,
               ImVec2 high);

 private:
  void draw_picture(Ui& ui, ImVec2 low, ImVec2 high);
  std::string first_facts(bool has_sample, bool has_model) const;
  void draw_first(Ui& ui, const Commands& commands, ImVec2 size, Outcome& outcome);
  void draw_actions(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 size,
                    Outcome& outcome);
  void draw_words(Ui& ui, int window, float width);
  void draw_machine(Ui& ui, float width);
  void draw_footer(Ui& ui, const Commands& commands, const Settings& settings, ImVec2 at, float width);

  std::vector<MachineFact> facts_;
  std::unique_ptr<SamplePreview> sample_;
  float picture_height_ = 0;
  Texture picture_;
  Theme painted_;  // what the picture was painted with
};

}  // namespace app::gui
