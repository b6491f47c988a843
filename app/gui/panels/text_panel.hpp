// The prompt and the output as text: which tokens how many heads still hold, which are on their way out, and
// a search over both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/gui/panels/text_part.hpp"
#include "app/view/text_search.hpp"

namespace app::gui {

class TextPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  enum class Mode : int { holding, first_layer, kl };
  void draw_controls(PanelContext& context);
  void draw_legend(PanelContext& context);
  void draw_search(PanelContext& context, float width);
  void search(Workbench& bench);
  void show_match(Workbench& bench, std::size_t match);
  void step_match(Workbench& bench, int by);
  void heading(PanelContext& context, const char* name, const char* note, view::TokenRange tokens);
  void update_quality(const Workbench& bench);
  void follow_pin(const Workbench& bench);
  void shade(Workbench& bench, view::TokenRange tokens, std::span<float> out);
  void shade_holding(Workbench& bench, view::TokenRange tokens, std::span<float> out);
  float first_layer_shade(const Workbench& bench, std::int32_t token) const;

  Mode mode_ = Mode::holding;
  TextPart prompt_, output_;
  bool keys_to_output_ = false;
  std::vector<std::int32_t> holding_;  // reused

  std::string pattern_;
  bool regex_ = false;
  std::string searched_;  // what the marks are of
  bool searched_regex_ = false;
  std::int32_t searched_tokens_ = 0;
  double next_search_ = 0;
  std::string problem_;
  bool cut_ = false;

  std::uint64_t run_id_ = 0;
  std::vector<float> kl_;  // by position; below zero: not measured
  std::int32_t quality_read_ = 0;
  float kl_max_ = 0;
  std::optional<std::int32_t> pinned_;  // as of the last frame
  std::int32_t position_ = -1;
};

}  // namespace app::gui
