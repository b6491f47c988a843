// The demo's story as data: what happens when, and what the captions say.
//
// Sixty seconds on a clock that the player advances, so that a demo without a display is the same frame by
// frame. Every number in a caption is measured in the run that is shown; one that is not known yet is left
// out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace app::gui {

enum class DemoScene : std::uint8_t {
  read,    // the prompt goes in
  decode,  // the answer comes, the window slides
  pin,     // one token of the answer to the question: who still holds it
  drag,    // the threshold moves: a preview
  verify,  // the same prompt at the new threshold, measured against dense
  travel,  // back through the run
  keep,    // where all of it is
};

struct DemoTiming {
  DemoScene scene;
  double begin;  // seconds
  double end;
};

inline constexpr double kDemoSeconds = 60;
const std::vector<DemoTiming>& demo_timings();
DemoScene scene_at(double seconds);
// 0 at the beginning of the scene, 1 at its end.
double scene_share(double seconds);

// What has been measured so far. Absent: not yet, or not in this run.
struct DemoFacts {
  std::string model;
  std::int32_t prompt_tokens = 0;
  std::int32_t heads = 0;
  std::int32_t window = 0;
  std::int32_t position = 0;
  std::int32_t positions = 0;
  std::optional<double> ratio;  // dense / live slots, at the moment shown
  std::string token;            // the pinned token's text
  std::int32_t token_position = 0;
  std::int32_t holding = 0;  // heads that hold it
  double threshold = 0;      // of the preview, or of the run to verify
  std::optional<double> preview_ratio;
  std::optional<double> verified_ratio;
  std::optional<double> mean_kl;  // nats, over the verified run's answer
  std::string trace;              // file name
  std::optional<std::int64_t> trace_bytes;
};

struct DemoCaption {
  std::string title;
  std::string text;
};
DemoCaption demo_caption(DemoScene scene, const DemoFacts& facts);

}  // namespace app::gui
