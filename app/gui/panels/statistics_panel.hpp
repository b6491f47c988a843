// Numbers over the selected tokens, heads and steps at the position shown. Logits are counted on a thread of
// their own where there are many; the rest is cheap enough for a frame.
#pragma once

#include "app/gui/shell/panel.hpp"
#include "app/gui/workbench/background.hpp"
#include "app/view/range_statistics.hpp"

namespace app::gui {

class StatisticsPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  // What the numbers are about.
  struct Question {
    std::uint64_t run_id = 0;
    engine::SequenceId sequence = 0;
    view::TokenRange tokens;
    view::HeadSet heads;
    std::int32_t position = -1;
    engine::Step first_step = 0, end_step = 0;
    bool operator==(const Question&) const = default;
  };
  Question question(const PanelContext& context) const;
  void refresh(PanelContext& context);
  void draw_about(PanelContext& context);
  void draw_tokens(PanelContext& context);
  void draw_state_bar(Ui& ui);
  void draw_logits(PanelContext& context);
  void draw_steps(PanelContext& context);

  Question asked_;
  double asked_at_ = -1;
  view::TokenStatistics tokens_;
  view::StepStatistics prefill_, decode_;
  Question logits_of_;
  Background<view::LogitStatistics> job_;
  bool has_logits_ = false;
};

}  // namespace app::gui
