// Tuning: threshold under the logit histogram, window, target ratio; a preview while dragging, a verified run
// on request, and what has been tried.
//
// A preview is what the stored logits say of other settings: exact sizes for these logits, unknown quality.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/gui/shell/panel.hpp"
#include "app/gui/workbench/background.hpp"
#include "app/gui/workbench/rerun.hpp"
#include "app/view/preview.hpp"

namespace app::gui {

class TuningPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  void begin_run(PanelContext& context);
  void update_histogram(PanelContext& context);
  void apply(PanelContext& context);
  void discard(PanelContext& context);
  void verify(PanelContext& context);
  bool has_logits() const { return histogram_.total > 0; }
  bool is_changed(const PanelContext& context) const;
  bool holds_latch(Workbench& bench);

  // tuning_controls.cpp
  void draw_policy(PanelContext& context);
  void draw_threshold(PanelContext& context);
  void draw_histogram(PanelContext& context, ImVec2 low, ImVec2 high);
  void draw_window(PanelContext& context);
  void draw_target(PanelContext& context);
  void draw_other_policy(PanelContext& context);
  // tuning_runs.cpp
  void draw_cards(PanelContext& context);
  void draw_comparison(PanelContext& context);
  void draw_verify(PanelContext& context);
  void draw_tried(PanelContext& context);

  std::uint64_t run_id_ = 0;
  std::uint64_t result_version_ = 0;
  double result_at_ = -1;
  view::RunResult result_;  // of the run shown, refreshed now and then
  int policy_ = 0;          // index into the names that are offered
  double threshold_ = 0;
  std::int32_t window_ = 0;
  std::int32_t sinks_ = 4;
  double target_ = 2;
  std::string target_error_;
  bool verify_on_release_ = false;
  bool released_ = false;
  bool has_latch_ = false;  // Space is this panel's
  RerunModel model_;        // as it was at model_at_
  double model_at_ = -1;
  view::LogitHistogram histogram_;
  std::int32_t histogram_judged_ = -1;
  double histogram_at_ = -1;
  Background<view::LogitHistogram> histogram_job_;
};

// The policies that a run can be asked for, as the command line spells them.
inline constexpr const char* kPolicyNames[] = {"dms", "knorm", "window", "dense"};
inline constexpr int kPolicyCount = 4;

}  // namespace app::gui
