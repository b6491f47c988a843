#include "app/gui/shell/run_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/view/format.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

std::string reason_text(const std::string& reason) {
  if (reason == "eos") return "Finished: end of text";
  if (reason == "length") return "Finished: token limit";
  if (reason == "interrupted") return "Stopped";
  return reason.empty() ? "Finished" : "Failed: " + reason;
}

std::string percent_of(const char* what, double share) {
  return fmt::format("{} {}{}%", what, std::lround(std::clamp(share, 0.0, 1.0) * 100), view::kThinSpace);
}

RunStateText live_state(const Workbench& bench) {
  const live::LiveStatus& live = bench.live();
  if (live.running() && live.paused) return {"Paused", false};
  switch (live.state) {
    case live::LiveState::loading:
      return {percent_of("Loading", live.share), true};
    case live::LiveState::starting:
      return {"Starting", true};
    case live::LiveState::prefill:
      return {"Prefill", true};
    case live::LiveState::decoding:
      return {"Decoding", true};
    case live::LiveState::measuring:
      return {"Measuring profiling cost", true};
    case live::LiveState::stopping:
      return {"Stopping", true};
    case live::LiveState::empty:
    case live::LiveState::ready:
      break;
  }
  if (live.error) return {"Failed", false};
  return {bench.run().finished() ? reason_text(bench.run().finish()->reason) : "Ready", false};
}

RunStateText trace_state(const Workbench& bench) {
  const live::TraceStatus& trace = *bench.trace();
  switch (trace.state) {
    case live::TraceState::opening:
      return {"Opening", true};
    case live::TraceState::replaying:
      return {percent_of("Reading", trace.share), true};
    case live::TraceState::following:
      return {"Following", true};
    case live::TraceState::silent:
      return {"Recording ended early", false};
    case live::TraceState::cancelled:
      return {"Cancelled", false};
    case live::TraceState::failed:
      return {"Failed", false};
    case live::TraceState::finished:
      break;
  }
  return {bench.run().finished() ? reason_text(bench.run().finish()->reason) : "Finished", false};
}

}  // namespace

RunMode run_mode(const Workbench& bench) {
  if (bench.source() == RunSource::live && bench.live().running()) return RunMode::live;
  const live::TraceStatus* trace = bench.trace();
  if (trace != nullptr && trace->state == live::TraceState::following) return RunMode::following;
  return bench.has_run() ? RunMode::done : RunMode::none;
}

RunStateText run_state(const Workbench& bench) {
  if (bench.live().state == live::LiveState::loading) return live_state(bench);
  if (bench.source() == RunSource::live) return live_state(bench);
  return bench.trace() != nullptr ? trace_state(bench) : live_state(bench);
}

RunExtent run_extent(const Workbench& bench) {
  RunExtent extent;
  if (!bench.has_run()) return extent;
  extent.prompt = view::prompt_positions(bench.sequence());
  extent.end = bench.positions();
  if (bench.source() == RunSource::live) {
    const live::LiveStatus& live = bench.live();
    if (live.state == live::LiveState::prefill) extent.prompt = std::max(extent.prompt, live.total);
    extent.budget = extent.prompt + bench.options().tokens;
    // The last token is sampled and never processed.
    extent.end = std::max(extent.end, extent.budget - 1);
  } else if (run_mode(bench) == RunMode::following) {
    extent.end = view::roomy_end(bench.positions());
  }
  return extent;
}

std::string phase_text(const Workbench& bench, const RunExtent& extent) {
  if (bench.position() < extent.prompt)
    return fmt::format("prefill {} / {}", view::format_count(bench.position() + 1),
                       view::format_count(extent.prompt));
  const std::int32_t total = (extent.budget > 0 ? extent.budget : bench.sequence().tokens()) - extent.prompt;
  return fmt::format("decode {} / {}", view::format_count(bench.position() - extent.prompt + 1),
                     view::format_count(total));
}

std::optional<profiling::RecordingCost> recording_cost(const Workbench& bench) {
  if (bench.trace() != nullptr) return bench.trace()->cost;
  return bench.source() == RunSource::live ? bench.live().cost : std::nullopt;
}

std::string recording_cost_text(const Workbench& bench) {
  const auto cost = recording_cost(bench);
  if (!cost) return std::string(view::kNotApplicable);
  const auto share = cost->share_of(bench.run().last_ns());
  if (!share) return std::string(view::kUnknown);
  return *share < 5e-4 ? fmt::format("under 0.1{}%", view::kThinSpace) : view::format_percent(*share);
}

std::int64_t dropped_records(const Workbench& bench) {
  const auto cost = recording_cost(bench);
  const view::RunSnapshot& run = bench.run();
  return run.spans().dropped() + run.ignored_events() + (cost ? cost->dropped_spans : 0);
}

double elapsed_seconds(const Workbench& bench) {
  if (!bench.has_run()) return 0;
  const bool newest = bench.at_newest() && run_mode(bench) == RunMode::live;
  if (newest) return static_cast<double>(bench.run().last_ns()) * 1e-9;
  const std::int32_t index = bench.run().step_index(bench.sequence().token(bench.position()).step);
  return index < 0 ? 0 : static_cast<double>(bench.run().step(index).end_ns) * 1e-9;
}

}  // namespace app::gui
