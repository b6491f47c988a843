#include "app/gui/panels/tuning_panel.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/workbench/rerun.hpp"

namespace app::gui {

namespace {

constexpr int kBins = 240;                 // merged into the pixels there are
constexpr std::int64_t kAtOnce = 400'000;  // logits counted within a frame
constexpr double kRefreshSeconds = 1;

int policy_index(std::string_view name) {
  for (int index = 0; index < kPolicyCount; ++index) {
    if (name == kPolicyNames[index]) return index;
  }
  return 0;
}

}  // namespace

void TuningPanel::begin_run(PanelContext& context) {
  const engine::RunStarted& run = context.bench.run().run();
  run_id_ = context.bench.run().run_id();
  policy_ = policy_index(run.policy);
  threshold_ = run.threshold;
  window_ = run.window;
  if (run.sinks > 0) sinks_ = run.sinks;
  target_error_.clear();
  histogram_ = {};
  histogram_judged_ = -1;
  result_at_ = -1;
  model_at_ = -1;
  const auto& settings = context.bench.preview_settings();
  if (settings) {
    threshold_ = settings->threshold.value_or(threshold_);
    window_ = settings->window.value_or(window_);
  }
}

// Linear in the logits: on another thread where there are many, and not with every token.
void TuningPanel::update_histogram(PanelContext& context) {
  Workbench& bench = context.bench;
  const view::SequenceView& sequence = bench.sequence();
  if (auto done = histogram_job_.take()) histogram_ = std::move(*done);
  const bool first = histogram_judged_ < 0;
  if (histogram_job_.busy() || histogram_judged_ == sequence.judged()) return;
  if (!first && bench.busy() && ImGui::GetTime() - histogram_at_ < kRefreshSeconds) return;
  histogram_judged_ = sequence.judged();
  histogram_at_ = ImGui::GetTime();
  const std::int32_t heads = bench.run().heads();
  if (std::int64_t{heads} * sequence.judged() <= kAtOnce) {
    histogram_ = view::logit_histogram(sequence, heads, kBins);
    return;
  }
  auto snapshot = std::make_shared<const view::RunSnapshot>(bench.run());
  histogram_job_.start(
      [snapshot, id = sequence.id(), heads] {
        const view::SequenceView* of = snapshot->sequence(id);
        return of == nullptr ? view::LogitHistogram() : view::logit_histogram(*of, heads, kBins);
      },
      bench.waker());
  // The first one is worth a moment: there is nothing else to show.
  if (first) {
    if (auto done = histogram_job_.take(std::chrono::milliseconds(25))) histogram_ = std::move(*done);
  }
}

bool TuningPanel::is_changed(const PanelContext& context) const {
  const engine::RunStarted& run = context.bench.run().run();
  return threshold_ != run.threshold || window_ != run.window;
}

// Sets or drops the preview that the controls ask for.
void TuningPanel::apply(PanelContext& context) {
  Workbench& bench = context.bench;
  const engine::RunStarted& run = bench.run().run();
  if (!is_changed(context)) return bench.set_preview(std::nullopt);
  view::CacheSettings settings;
  if (threshold_ != run.threshold) settings.threshold = threshold_;
  if (window_ != run.window) settings.window = window_;
  if (bench.preview_settings() != std::optional(settings)) bench.set_preview(settings);
}

void TuningPanel::discard(PanelContext& context) {
  const engine::RunStarted& run = context.bench.run().run();
  threshold_ = run.threshold;
  window_ = run.window;
  policy_ = policy_index(run.policy);
  target_error_.clear();
  context.bench.set_preview(std::nullopt);
}

void TuningPanel::verify(PanelContext& context) {
  Workbench& bench = context.bench;
  const RerunModel model = rerun_model(bench);
  const std::filesystem::path traces = rerun_traces(bench);
  RunOptions options = rerun_options(bench);
  const std::string policy = kPolicyNames[policy_];
  engine::PolicyOptions& wanted = options.policy.options;
  options.policy.name = policy;
  wanted = {};
  if (policy != "dense") wanted.window = window_;
  if (policy == "window") wanted.sinks = sinks_;
  // Its scores are of another kind: only a ratio can be asked for until a run has shown them.
  const bool by_ratio = policy == "knorm" && policy != bench.run().run().policy;
  if (by_ratio) wanted.target_cr = target_;
  if (policy == "dms" || (policy == "knorm" && !by_ratio)) wanted.threshold = threshold_;
  if (!model.loaded) {
    if (model.folder.empty()) return context.notices.add(NoticeLevel::error, model.reason);
    bench.load_model(model.folder);
  }
  bench.start_run(options, traces);
}

// While this panel has the focus and there is a B, Space is the latch; everywhere else it plays and pauses.
bool TuningPanel::holds_latch(Workbench& bench) {
  has_latch_ = ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows) && !ImGui::GetIO().WantTextInput &&
               bench.other() != nullptr;
  if (!has_latch_) return false;
  const ImGuiID owner = ImGui::GetID("latch");
  ImGui::SetKeyOwner(ImGuiKey_Space, owner);  // shortcuts leave it alone from the next frame on
  return ImGui::IsKeyDown(ImGuiKey_Space, owner);
}

void TuningPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  if (bench.position() < 0) {
    empty_state(ui, "Nothing to tune yet", "Settings can be compared once the first tokens are processed.",
                nullptr);
    return;
  }
  if (bench.run().run_id() != run_id_) begin_run(context);
  // What somebody else has set, or dropped.
  const engine::RunStarted& run = bench.run().run();
  if (!ImGui::IsAnyItemActive() && run.policy == kPolicyNames[policy_]) {
    const view::CacheSettings settings = bench.preview_settings().value_or(view::CacheSettings{});
    threshold_ = settings.threshold.value_or(run.threshold);
    window_ = settings.window.value_or(run.window);
  }
  update_histogram(context);
  if (result_at_ < 0 || (bench.run().version() != result_version_ &&
                         (!bench.busy() || ImGui::GetTime() - result_at_ > kRefreshSeconds))) {
    result_ = view::run_result(bench.cache());
    result_version_ = bench.run().version();
    result_at_ = ImGui::GetTime();
  }
  released_ = false;
  const bool held = holds_latch(bench);
  draw_cards(context);
  draw_policy(context);
  const bool same_policy = run.policy == kPolicyNames[policy_];
  if (same_policy && run.closed_form) {
    if (has_logits()) draw_threshold(context);
    if (run.policy != "dense") draw_window(context);
    if (has_logits()) draw_target(context);
    draw_comparison(context);
  } else {
    draw_other_policy(context);
  }
  draw_verify(context);
  draw_tried(context);
  if (released_ && verify_on_release_ && is_changed(context)) verify(context);
  if (held) bench.hold_other();
}

}  // namespace app::gui
