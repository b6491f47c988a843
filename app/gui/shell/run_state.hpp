// Where a run is, in words and numbers that the transport, the status bar and the menus share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/gui/workbench/workbench.hpp"
#include "profiling/recording_cost.hpp"

namespace app::gui {

enum class RunMode { none, live, following, done };

// Live while the engine runs it, following while somebody else records it.
RunMode run_mode(const Workbench& bench);

// "Decoding", "Paused", "Finished: end of text".
struct RunStateText {
  std::string text;
  bool busy = false;
};
RunStateText run_state(const Workbench& bench);

// Where the run is on the axis of positions.
struct RunExtent {
  std::int32_t prompt = 0;  // positions given
  std::int32_t end = 0;     // of the axis: what was processed, or may still be
  std::int32_t budget = 0;  // tokens in all, prompt included; 0: unknown
};
RunExtent run_extent(const Workbench& bench);

// "prefill 400 / 1,238", "decode 172 / 256" at the position shown.
std::string phase_text(const Workbench& bench, const RunExtent& extent);

// What recording the run that is shown has cost and lost; absent where it is not recorded.
std::optional<profiling::RecordingCost> recording_cost(const Workbench& bench);
// "0.2 %" of the run's time so far, "unknown", or an en dash without a recording.
std::string recording_cost_text(const Workbench& bench);
// Records that the recording or the window itself left out.
std::int64_t dropped_records(const Workbench& bench);

// Seconds of the run when the position shown was processed.
double elapsed_seconds(const Workbench& bench);

}  // namespace app::gui
