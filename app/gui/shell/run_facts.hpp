// The run in short: the facts at the right of the menu row, and the status bar.
#pragma once

#include <cstdint>
#include <vector>

#include "app/gui/shell/frame_areas.hpp"
#include "app/gui/workbench/workbench.hpp"

namespace app::gui {

std::vector<Fact> run_facts(const Workbench& bench);

class RunStatusBar {
 public:
  // `frame_seconds`: what the last frame cost the processor, without rasterisation; below zero: not shown.
  StatusText text(Workbench& bench, double frame_seconds);

 private:
  void read_quality(const view::RunSnapshot& run);

  std::uint64_t run_id_ = 0;
  std::int32_t read_ = 0;  // quality points
  double kl_sum_ = 0;
  std::int64_t kl_count_ = 0;
  double frame_ms_ = 0;  // smoothed, so that it can be read
};

}  // namespace app::gui
