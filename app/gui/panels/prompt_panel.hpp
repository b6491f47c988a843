// What to ask, of which model, with which policy and how to sample: starts and stops live runs.
#pragma once

#include <cstdint>
#include <string>

#include "app/gui/panels/prompt_form.hpp"
#include "app/gui/shell/panel.hpp"

namespace app::gui {

class PromptPanel : public Panel {
 public:
  PromptPanel();
  void draw(PanelContext& context) override;
  bool has_data(const PanelContext&) const override { return true; }

 private:
  void adopt(const Workbench& bench);
  void draw_model(PanelContext& context);
  void draw_prompt(PanelContext& context);
  void draw_policy(PanelContext& context);
  void draw_sampling(PanelContext& context);
  void draw_device(PanelContext& context);
  void draw_profile(PanelContext& context, const engine::GpuSurvey& gpus);
  void draw_record(PanelContext& context);
  void draw_actions(PanelContext& context);
  void draw_problem(Ui& ui, const std::string& problem);
  void field(Ui& ui, const char* name, std::string& value, const char* hint, const char* help);
  void start(PanelContext& context, const RunOptions& options);

  PromptForm form_;
  bool edited_ = false;  // by the user: another run does not replace it
  std::size_t counted_bytes_ = 0;
  std::int64_t characters_ = 0;  // of the prompt
  std::uint64_t run_id_ = 0;     // whose settings the form took
};

}  // namespace app::gui
