#include "app/gui/demo/demo_script.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/view/format.hpp"

namespace app::gui {

using namespace app::view;

const std::vector<DemoTiming>& demo_timings() {
  static const std::vector<DemoTiming> timings{
      {DemoScene::read, 0, 7},
      {DemoScene::decode, 7, 21},
      {DemoScene::pin, 21, 31},
      {DemoScene::drag, 31, 39},
      {DemoScene::verify, 39, 46},
      {DemoScene::travel, 46, 55},
      {DemoScene::keep, 55, kDemoSeconds},
  };
  return timings;
}

namespace {

const DemoTiming& timing_at(double seconds) {
  const auto& timings = demo_timings();
  const auto next =
      std::find_if(timings.begin(), timings.end(), [&](const DemoTiming& t) { return seconds < t.end; });
  return next == timings.end() ? timings.back() : *next;
}

}  // namespace

DemoScene scene_at(double seconds) {
  return timing_at(seconds).scene;
}

double scene_share(double seconds) {
  const DemoTiming& timing = timing_at(seconds);
  return std::clamp((seconds - timing.begin) / (timing.end - timing.begin), 0.0, 1.0);
}

DemoCaption demo_caption(DemoScene scene, const DemoFacts& facts) {
  switch (scene) {
    case DemoScene::read:
      return {
          fmt::format("{} reads {} tokens", facts.model, format_count(facts.prompt_tokens)),
          fmt::format("One row is one of {} KV heads, one column one token. A number is hidden in the text.",
                      format_count(facts.heads))};
    case DemoScene::decode: {
      std::string text =
          fmt::format("Orange is marked: still visible for {} steps, then its slot is reused.", facts.window);
      if (facts.ratio)
        text += fmt::format(" The cache is {} smaller than a dense one.", format_ratio(*facts.ratio));
      return {"Every head decides what it will not need", text};
    }
    case DemoScene::pin:
      return {
          fmt::format("Who remembers \u201c{}\u201d?", facts.token),
          fmt::format("{} of {} heads still hold token {} of the hidden number; the others have let it go.",
                      format_count(facts.holding), format_count(facts.heads),
                      format_token(facts.token_position))};
    case DemoScene::drag: {
      std::string text =
          "A preview from the stored logits, in every panel while the slider moves; its quality is unknown.";
      if (facts.preview_ratio) text = fmt::format("CR {}. {}", format_ratio(*facts.preview_ratio), text);
      return {fmt::format("What if the threshold were {}?", format_logit(facts.threshold)), text};
    }
    case DemoScene::verify: {
      if (!facts.verified_ratio)
        return {"Verified by running it again", "The same prompt at the new threshold, beside a dense pass."};
      std::string text = fmt::format("CR {} for real", format_ratio(*facts.verified_ratio));
      if (facts.mean_kl)
        text += fmt::format(", {} from the dense model on average", format_kl(*facts.mean_kl));
      return {"Verified by running it again", text + "."};
    }
    case DemoScene::travel:
      return {fmt::format("Back to position {} of {}", format_count(facts.position),
                          format_count(facts.positions)),
              "Any past cache follows from the decision logits: no snapshots are stored."};
    case DemoScene::keep: {
      std::string text = "dmscope replay, stats, sql and export read it anywhere.";
      if (!facts.trace.empty() && facts.trace_bytes)
        text = fmt::format("{}, {}. {}", facts.trace, format_bytes(*facts.trace_bytes), text);
      return {"Every decision is in one SQLite file", text};
    }
  }
  return {};
}

}  // namespace app::gui
