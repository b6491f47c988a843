#include "app/gui/panels/timeline_panel.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/panels/timeline_drawing.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/layer_reads.hpp"

namespace app::gui {

namespace {

constexpr float kOverview = 14, kAxis = 16, kReadsLeast = 26, kReadsMost = 130, kEdge = 4, kGap = 8;
constexpr float kGpuReadsMost = 64;  // beside counters, which need the room

// What whoever reads the times should know: why they are not what was asked for, and what is missing.
std::string foot_of(const view::RunSnapshot& run, const view::ProfileFacts& facts) {
  std::string text = facts.fall_backs.empty() ? "" : facts.fall_backs.back();
  if (run.spans().dropped() > 0) {
    text += fmt::format("{}the oldest {} spans were dropped", text.empty() ? "" : "; ",
                        view::format_count(run.spans().dropped()));
  }
  return text;
}

// Five per cent of air, so that edges show.
view::TimeRange whole_step(const view::StepRecord& step) {
  const std::int64_t air = std::max<std::int64_t>(50, (step.end_ns - step.start_ns) / 50);
  return {step.start_ns - air, step.end_ns + air};
}

}  // namespace

void TimelinePanel::fit_layers(const view::StepRecord& step, std::int32_t layer) {
  for (const view::TimelineLane& lane : lanes_) {
    if (!lane.has_layers) continue;  // calls have layers too, and other times
    const view::TimelineTrack& track = track_of(lane);
    const auto begin = std::lower_bound(
        track.layers.begin(), track.layers.end(), step.start_ns,
        [](const view::TimelineBlock& block, std::int64_t ns) { return block.start_ns < ns; });
    std::optional<view::TimeRange> found;
    for (auto block = begin; block != track.layers.end() && block->start_ns < step.end_ns; ++block) {
      if (block->layer < 0 || std::abs(block->layer - layer) > 1) continue;
      if (!found) found = view::TimeRange{block->start_ns, block->end_ns};
      found->end_ns = std::max(found->end_ns, block->end_ns);
    }
    if (!found) continue;
    const std::int64_t air = (found->end_ns - found->begin_ns) / 20;
    in_step_ = view::TimeRange{found->begin_ns - air - step.start_ns, found->end_ns + air - step.start_ns};
    return;
  }
}

void TimelinePanel::follow_position(PanelContext& context, const view::StepRecord& step) {
  const auto& head = context.bench.selection().head;
  const std::optional<std::int32_t> layer = head ? std::optional(head->layer) : std::nullopt;
  if (layer != zoomed_layer_) {
    zoomed_layer_ = layer;
    in_step_.reset();
    if (layer) fit_layers(step, *layer);
  }
  step_begin_ = step.start_ns;
  const bool beyond = in_step_ && in_step_->begin_ns >= step.end_ns - step.start_ns;
  times_ = !in_step_ || beyond
               ? whole_step(step)
               : view::TimeRange{step_begin_ + in_step_->begin_ns, step_begin_ + in_step_->end_ns};
}

void TimelinePanel::set_times(view::TimeRange times) {
  times_ = times;
  if (follow_) in_step_ = view::TimeRange{times.begin_ns - step_begin_, times.end_ns - step_begin_};
}

const TimelinePanel::Reads& TimelinePanel::reads_of(PanelContext& context, engine::Step step) {
  const auto found = reads_.find(step);
  if (found != reads_.end()) return found->second;
  if (reads_.size() > 64) reads_.clear();
  const view::TokenRange positions = view::positions_of(context.bench.sequence(), step);
  return reads_[step] = {view::layer_reads(context.bench.cache(), positions),
                         view::dense_layer_reads(context.bench.cache(), positions)};
}

// --- input
// -------------------------------------------------------------------------------------------------------

void TimelinePanel::handle_keys(Frame& frame) {
  if (!ImGui::IsWindowFocused() || ImGui::GetIO().WantTextInput || ImGui::GetIO().KeyMods != 0) return;
  const std::int64_t length = times_.end_ns - times_.begin_ns;
  const std::int64_t middle = times_.begin_ns + length / 2;
  view::TimeRange times = times_;
  if (ImGui::IsKeyPressed(ImGuiKey_W)) times = view::zoom_at(times, 0.8, middle, limits_);
  if (ImGui::IsKeyPressed(ImGuiKey_S)) times = view::zoom_at(times, 1.25, middle, limits_);
  if (ImGui::IsKeyPressed(ImGuiKey_A)) times = view::move_by(times, -length / 10, limits_);
  if (ImGui::IsKeyPressed(ImGuiKey_D)) times = view::move_by(times, length / 10, limits_);
  if (!(times == times_)) set_times(times);
  if (ImGui::IsKeyPressed(ImGuiKey_F, false)) {
    in_step_.reset();
    follow_ = true;
    zoomed_layer_.reset();  // a pinned layer is focused again
  }
  frame.view.times = times_;
}

void TimelinePanel::handle_input(PanelContext& context, Frame& frame) {
  const ImGuiIO& io = ImGui::GetIO();
  const auto ns_under = [&](float x) { return frame.view.ns_at(x - frame.low.x); };
  const bool in_overview = io.MousePos.y < overview_high_;
  auto& times = context.bench.selection().times;
  if (item_hovered_ && io.MouseWheel != 0) {
    set_times(view::zoom_at(times_, std::pow(0.8, static_cast<double>(io.MouseWheel)),
                            ns_under(io.MousePos.x), limits_));
  }
  if (item_hovered_ && io.MouseWheelH != 0) {
    const auto length = static_cast<double>(times_.end_ns - times_.begin_ns);
    set_times(
        view::move_by(times_, std::llround(-length / 10 * static_cast<double>(io.MouseWheelH)), limits_));
  }
  const float edge = context.ui.px(kEdge);
  const bool at_begin = times && std::abs(frame.x_of(times->begin_ns) - io.MousePos.x) <= edge;
  const bool at_end = times && std::abs(frame.x_of(times->end_ns) - io.MousePos.x) <= edge;
  if (item_hovered_ && (at_begin || at_end)) ImGui::SetMouseCursor(ImGuiMouseCursor_ResizeEW);
  if (ImGui::IsItemActivated() && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) {
    drag_from_ = ns_under(io.MousePos.x);
    drag_ = io.KeyCtrl    ? Drag::select
            : in_overview ? Drag::overview
            : at_begin    ? Drag::select_begin
            : at_end      ? Drag::select_end
                          : Drag::pan;
  }
  if (ImGui::IsItemActivated() && ImGui::IsMouseClicked(ImGuiMouseButton_Middle)) drag_ = Drag::pan;
  if (!ImGui::IsItemActive()) {
    drag_ = Drag::none;
    frame.view.times = times_;
    return;
  }
  const auto select = [&](std::int64_t from, std::int64_t to) {
    view::Selection selection = context.bench.selection();
    selection.times = view::TimeRange{std::min(from, to), std::max(from, to) + 1};
    if (drag_ == Drag::select && !ImGui::IsMouseDragPastThreshold(ImGuiMouseButton_Left)) return;
    context.bench.history().replace(std::move(selection));
  };
  const bool moved = io.MouseDelta.x != 0;
  switch (drag_) {
    case Drag::pan:
      if (moved && (ImGui::IsMouseDragging(ImGuiMouseButton_Left) ||
                    ImGui::IsMouseDragging(ImGuiMouseButton_Middle))) {
        set_times(view::move_by(times_, ns_under(0) - ns_under(io.MouseDelta.x), limits_));
      }
      break;
    case Drag::overview: {
      const view::TimelineView whole{overview_, frame.view.width};
      const std::int64_t at = whole.ns_at(io.MousePos.x - frame.low.x),
                         length = times_.end_ns - times_.begin_ns;
      set_times(view::move_by({at - length / 2, at - length / 2 + length}, 0, limits_));
      break;
    }
    case Drag::select:
      select(drag_from_, ns_under(io.MousePos.x));
      break;
    case Drag::select_begin:
      if (times) select(ns_under(io.MousePos.x), times->end_ns - 1);
      break;
    case Drag::select_end:
      if (times) select(times->begin_ns, ns_under(io.MousePos.x));
      break;
    case Drag::none:
      break;
  }
  frame.view.times = times_;
}

void TimelinePanel::click(PanelContext& context) {
  if (!under_pointer_) return;
  const view::TimelineBox& box = *under_pointer_;
  view::Selection selection = context.bench.selection();
  if (box.layer >= 0) {
    selection.head = view::Head{box.layer, selection.head ? selection.head->kv_head : 0};
    zoomed_layer_ = box.layer;  // it is in view already
  }
  if (pointed_kernel_) selection.operation = box.operation;
  const view::StepRecord* shown = shown_step(context.bench);
  const std::int32_t end = context.bench.sequence().processed_by(box.step);
  if ((shown == nullptr || shown->step != box.step) && end > 0) {
    selection.position = end - 1;
    const std::int32_t index = context.bench.run().step_index(box.step);
    // The view stays where it is: the new step is what it is relative to.
    if (index >= 0) step_begin_ = context.bench.run().step(index).start_ns;
    set_times(times_);
  }
  context.bench.select(std::move(selection));
}

// --- drawing
// -----------------------------------------------------------------------------------------------------

void TimelinePanel::draw_toolbar(PanelContext& context) {
  Ui& ui = context.ui;
  const float right = ImGui::GetCursorScreenPos().x + ImGui::GetContentRegionAvail().x;
  const float y = ImGui::GetCursorScreenPos().y + ui.px(3), top = ImGui::GetCursorPosY();
  const auto link = [&](const char* name) {
    ImGui::SameLine();
    const FontScope font(ui.fonts(), Face::ui_strong, text_size::kTable);
    ImGui::SetCursorPosY(top + std::round((ui.px(height::kToolbarControl) - ImGui::GetTextLineHeight()) / 2));
    return button(ui, name, ButtonKind::link);
  };
  constexpr std::array kModes{"Follow", "Fixed"};
  int mode = follow_ ? 0 : 1;
  if (segmented(ui, "follow", kModes, mode)) {
    follow_ = mode == 0;
    if (follow_) in_step_.reset();
  }
  if (link("Fit step")) {
    if (const view::StepRecord* step = told_step(context.bench)) {
      step_begin_ = step->start_ns;
      set_times(whole_step(*step));
      in_step_.reset();
    }
  }
  if (link("Fit run")) {
    follow_ = false;
    set_times(limits_);
  }
  ImGui::SameLine();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  float free = ImGui::GetCursorScreenPos().x + ui.px(4);
  free = draw_badges(context, list, free, right, y);
  draw_kernel_legend(ui, list, free, right, y, has_gpu_);
  ImGui::NewLine();
  ImGui::SetCursorPosY(top + ui.px(height::kToolbar));
}

float TimelinePanel::lanes_height(const Ui& ui, const Heights& heights) const {
  float height = ui.px(kAxis + height::kLane + 2) + (heights.overview ? ui.px(kOverview + 4) : 0);
  if (lanes_.empty()) height += ui.px(height::kKernelLane + 4);  // why there are none
  for (const view::TimelineLane& lane : lanes_) {
    if (!heights.shows(lane.kind)) continue;
    const bool kernels = lane.kind == view::LaneKind::kernels;
    height += ui.px(kernels ? height::kKernelLane + 4 : height::kThinLane + 3);
    if (has_waits(lane)) height += ui.px(2 * height::kWaitRow + 1);
    if (lane.has_layers) height += ui.px(height::kLane + 2);
    if (kernels && lane.on_gpu && heights.stream_steps) height += ui.px(height::kThinLane + 2);
  }
  return height;
}

TimelinePanel::Heights TimelinePanel::divide(const Ui& ui, float room, std::size_t gpu_counters) const {
  Heights heights;
  const float gap = ui.px(kGap), least = ui.px(kReadsLeast) + gap;
  for (bool* part : {&heights.stream_steps, &heights.overview, &heights.profiler, &heights.launches}) {
    if (lanes_height(ui, heights) + least > room) *part = false;
  }
  heights.lanes = lanes_height(ui, heights);
  const float left = room - heights.lanes - gap;
  if (gpu_counters == 0) {
    heights.reads = std::clamp(left, ui.px(kReadsLeast), ui.px(kReadsMost));
  } else {
    const float wanted = gpu_counters_.height(ui, gpu_counters);
    heights.reads = std::clamp(left - wanted - gap, ui.px(kReadsLeast), ui.px(kGpuReadsMost));
    const float given = std::min(wanted, left - heights.reads - gap);
    if (given >= gpu_counters_.height(ui, 1)) heights.gpu_counters = given;
  }
  const float used = heights.gpu_counters > 0 ? heights.gpu_counters + gap : 0;
  const float rest = left - heights.reads - gap - used;
  if (rest >= ui.px(TimelineCounters::kLeast)) heights.counters = rest;
  return heights;
}

// A GPU's spans come after their step: who follows the newest one sees the newest that is known of.
const view::StepRecord* TimelinePanel::told_step(const Workbench& bench) const {
  const view::StepRecord* const shown = shown_step(bench);
  if (shown == nullptr || !bench.at_newest()) return shown;
  engine::Step newest = -1;
  for (const view::TimelineLane& lane : lanes_) {
    if (!lane.on_gpu || lane.kind != view::LaneKind::kernels || track_of(lane).steps.empty()) continue;
    newest = std::max(newest, track_of(lane).steps.back().step);
  }
  const std::int32_t index = newest >= 0 && newest < shown->step ? bench.run().step_index(newest) : -1;
  return index >= 0 ? &bench.run().step(index) : shown;
}

void TimelinePanel::update_facts(PanelContext& context) {
  const view::RunSnapshot& run = context.bench.run();
  if (facts_of_ == run.version() && !lanes_.empty()) return;
  facts_of_ = run.version();
  facts_ = view::profile_facts(run);
  lanes_ = view::timeline_lanes(run, index_);
  has_gpu_ = !lanes_.empty() && lanes_.front().on_gpu;
}

void TimelinePanel::gutter(const Ui& ui, const Frame& frame, float y, const std::string& name, Role role) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const float left = ImGui::GetItemRectMin().x;
  const std::string text = fit_text(name, frame.low.x - left - ui.px(6));
  list.AddText({left, y + ui.px(1)}, ui.u32(role), text.c_str());
}

void TimelinePanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  const view::RunSnapshot& run = context.bench.run();
  if (run.run_id() != run_id_) {
    run_id_ = run.run_id();
    *this = TimelinePanel();
    run_id_ = run.run_id();
  }
  if (run.spans().size() == 0 && run.step_count() == 0) {
    empty_state(ui, "No kernel timings", "This run has no steps yet, or its trace holds none.", nullptr);
    return;
  }
  index_.update(run);
  update_facts(context);
  colors_.update(run);
  limits_ = {-run.last_ns() / 50 - 50, run.last_ns() + run.last_ns() / 50 + 50};
  const view::StepRecord* step = told_step(context.bench);
  if (follow_ && step != nullptr && drag_ == Drag::none) follow_position(context, *step);
  if (times_.end_ns <= times_.begin_ns) times_ = limits_;

  draw_toolbar(context);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float gutter_width = ui.px(room.x < ui.px(420) ? 60 : has_gpu_ ? 92 : 74);
  const std::string foot_text = foot_of(run, facts_);
  const float foot = foot_text.empty() ? 0 : ui.px(18);
  const Heights heights = divide(ui, room.y - foot, run.counters().size());
  const ImVec2 size{std::max(room.x, gutter_width + ui.px(40)), heights.lanes + heights.reads + ui.px(4)};
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  ImGui::InvisibleButton(
      "lanes", size,
      ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle | ImGuiButtonFlags_EnableNav);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  item_hovered_ = ImGui::IsItemHovered();
  Frame frame;
  frame.low = {origin.x + gutter_width, origin.y};
  frame.high = {origin.x + size.x, origin.y + size.y};
  frame.view = {times_, frame.high.x - frame.low.x, ui.px(3)};
  const bool was_click = ImGui::IsItemDeactivated() && drag_ == Drag::pan &&
                         !ImGui::IsMouseDragPastThreshold(ImGuiMouseButton_Left) &&
                         ImGui::IsMouseReleased(ImGuiMouseButton_Left);
  overview_high_ = heights.overview ? origin.y + ui.px(kOverview + 2) : origin.y;
  handle_input(context, frame);
  handle_keys(frame);
  const bool in_one_step = step != nullptr && times_.begin_ns < step->end_ns &&
                           times_.end_ns > step->start_ns &&
                           times_.end_ns - times_.begin_ns < 4 * (step->end_ns - step->start_ns);
  frame.origin = in_one_step ? step->start_ns : 0;

  under_pointer_.reset();
  pointed_kernel_ = false;
  if (reads_sequence_ != context.bench.sequence().id()) {
    reads_sequence_ = context.bench.sequence().id();
    reads_.clear();
  }
  float y = origin.y;
  if (heights.overview) draw_overview(context, frame, y);
  draw_axis(context, frame, y);
  draw_step_lane(context, frame, y);
  if (lanes_.empty()) draw_no_timings(context, frame, y);
  for (const view::TimelineLane& lane : lanes_) draw_lane(context, frame, heights, lane, y);
  draw_reads(context, frame, y, heights.reads);
  draw_times(context, frame);
  if (was_click) click(context);
  if (heights.gpu_counters > 0)
    gpu_counters_.draw(context, gutter_width, heights.gpu_counters, {times_, limits_});
  if (heights.counters > 0) counters_.draw(context, gutter_width, heights.counters, times_);
  if (foot_text.empty()) return;
  std::string fitted;
  {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    fitted = fit_text(foot_text, ImGui::GetContentRegionAvail().x);
  }
  label(ui, fitted.c_str(), Role::warning, Face::ui, text_size::kCaption);
  drawn_item(foot_text.c_str(), ImGui::GetItemRectMin(), ImGui::GetItemRectMax());
}

}  // namespace app::gui
