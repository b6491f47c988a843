#include "app/gui/panels/timeline_counters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/widgets/controls.hpp"
#include "app/view/format.hpp"
#include "app/view/layer_reads.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

constexpr std::int32_t kPoints = 240;
constexpr std::int32_t kPointsOfManyHeads = 120;  // of 100 heads and more: each point asks every head
constexpr double kMiB = 1024.0 * 1024.0;
constexpr float kAxisRoom = 38;   // that a plot keeps for its ticks
constexpr float kNamesRoom = 76;  // for the names of curves

// The positions of the steps that overlap these times.
view::TokenRange positions_in(const Workbench& bench, view::TimeRange times) {
  const view::RunSnapshot& run = bench.run();
  std::int32_t low = 0, high = run.step_count();
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (run.step(middle).end_ns <= times.begin_ns) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::int32_t last = low, end = run.step_count();
  while (last < end) {
    const std::int32_t middle = last + (end - last) / 2;
    if (run.step(middle).start_ns < times.end_ns) {
      last = middle + 1;
    } else {
      end = middle;
    }
  }
  if (last <= low) return {};
  const view::TokenRange first = view::positions_of(bench.sequence(), run.step(low).step);
  return {first.begin,
          std::max(first.end, view::positions_of(bench.sequence(), run.step(last - 1).step).end)};
}

// Round steps up to `high`, three to six of them.
ValueAxis linear_axis(double high) {
  ValueAxis axis{0, std::max(high * 1.06, 1e-3), false, {}};
  double step = std::pow(10.0, std::floor(std::log10(axis.high)));
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (axis.high / (step * factor) >= 2) {
      step *= factor;
      break;
    }
  }
  for (double value = 0; value <= axis.high; value += step)
    axis.ticks.emplace_back(value, fmt::format("{:g}", value));
  return axis;
}

// The whole powers of ten around the values.
ValueAxis rate_axis(double least, double most) {
  const double low = std::floor(std::log10(least)), high = std::ceil(std::log10(most * 1.02));
  return log_axis(std::pow(10.0, low), std::pow(10.0, std::max(high, low + 1)));
}

// What the lanes show, at least wide enough to be seen.
void frame_shown(const Ui& ui, PositionPlot& plot, view::TokenRange shown) {
  if (shown.size() <= 0) return;
  const float left = plot.x_of(shown.begin), right = std::max(plot.x_of(shown.end - 1), left + ui.px(2));
  plot.list().AddRectFilled({left, plot.low().y}, {right, plot.high().y},
                            to_u32(with_alpha(ui.color(Role::accent), 0.16)));
}

void tooltip_row(const Ui& ui, const char* name, const std::string& value) {
  label(ui, name, Role::text2, Face::ui, text_size::kTable);
  ImGui::SameLine(ui.px(84));
  label(ui, value.c_str(), Role::text, Face::mono, text_size::kTable);
}

}  // namespace

void TimelineCounters::update(Workbench& bench) {
  const view::CacheView& cache = bench.cache();
  const bool same = run_id_ == bench.run().run_id() && sequence_ == bench.sequence().id();
  // While it grows, curves that lack the last hundredth say the same.
  const std::int32_t grown = cache.positions() - positions_;
  if (same && (grown == 0 || (bench.busy() && grown > 0 && grown <= positions_ / 100))) return;
  run_id_ = bench.run().run_id();
  sequence_ = bench.sequence().id();
  positions_ = cache.positions();
  points_.clear();
  const std::int32_t wanted = bench.run().heads() > 100 ? kPointsOfManyHeads : kPoints;
  const std::int32_t count = std::min(wanted, positions_);
  for (std::int32_t i = 0; i < count; ++i) {
    const auto position =
        static_cast<std::int32_t>(std::int64_t{i} * (positions_ - 1) / std::max(1, count - 1));
    points_.push_back(
        {position, view::processing_rate(bench.run(), bench.sequence(), position), cache.size(position)});
  }
}

void TimelineCounters::draw_rate(PanelContext& context, ImVec2 size, view::TokenRange shown) {
  Ui& ui = context.ui;
  double least = 1e12, most = 0;
  for (const Point& point : points_) {
    if (point.rate <= 0) continue;
    least = std::min(least, point.rate);
    most = std::max(most, point.rate);
  }
  if (most <= 0) return ImGui::Dummy(size);
  PositionPlot plot(context, "rate", size, rate_axis(least, most), kNamesRoom);
  frame_shown(ui, plot, shown);
  std::vector<ImVec2> line;
  for (const Point& point : points_) {
    if (point.rate > 0) line.push_back({plot.x_of(point.position), plot.y_of(point.rate)});
  }
  plot.curve(line, ui.color(Role::text), 1.5F);
  plot.name(view::format_rate(points_.back().rate, "tok/s"), points_.back().rate, ui.color(Role::text));
  plot.finish();
  if (!plot.hovered() || plot.pointed() < 0) return;
  ImGui::BeginTooltip();
  label(ui, ("at " + view::format_token(plot.pointed())).c_str(), Role::text, Face::ui_strong);
  const double rate = view::processing_rate(context.bench.run(), context.bench.sequence(), plot.pointed());
  tooltip_row(ui, "speed", rate > 0 ? view::format_rate(rate, "tok/s") : std::string(view::kUnknown));
  ImGui::EndTooltip();
}

void TimelineCounters::draw_bytes(PanelContext& context, ImVec2 size, view::TokenRange shown) {
  Ui& ui = context.ui;
  const view::CacheSize& last = points_.back().size;
  // In KiB where MiB would be all zeros.
  const bool large = static_cast<double>(last.dense_bytes()) >= 0.2 * kMiB;
  const double unit = large ? kMiB : 1024;
  const auto of = [&](std::int64_t bytes) { return static_cast<double>(bytes) / unit; };
  PositionPlot plot(context, "bytes", size, linear_axis(of(last.dense_bytes())), kNamesRoom);
  frame_shown(ui, plot, shown);
  std::vector<ImVec2> logical, allocated, dense;
  for (const Point& point : points_) {
    const float x = plot.x_of(point.position);
    logical.push_back({x, plot.y_of(of(point.size.logical_bytes()))});
    dense.push_back({x, plot.y_of(of(point.size.dense_bytes()))});
    if (const auto pages = point.size.allocated_bytes()) allocated.push_back({x, plot.y_of(of(*pages))});
  }
  const ImU32 fill = to_u32(with_alpha(ui.color(Role::kept), 0.3));
  for (std::size_t i = 1; i < logical.size(); ++i)
    plot.list().AddQuadFilled(logical[i - 1], logical[i], {logical[i].x, plot.high().y},
                              {logical[i - 1].x, plot.high().y}, fill);
  plot.curve(dense, ui.color(Role::text3), 1, true);
  plot.curve(allocated, ui.color(Role::text2), 1);
  plot.curve(logical, ui.color(Role::kept), 1.5F);
  plot.name("dense", of(last.dense_bytes()), ui.color(Role::text3));
  if (!allocated.empty()) plot.name("allocated", of(*last.allocated_bytes()), ui.color(Role::text2));
  plot.name("live", of(last.logical_bytes()), ui.color(Role::kept));
  plot.finish();
  if (!plot.hovered() || plot.pointed() < 0) return;
  const view::CacheSize at = context.bench.cache().size(plot.pointed());
  ImGui::BeginTooltip();
  label(ui, ("at " + view::format_token(plot.pointed())).c_str(), Role::text, Face::ui_strong);
  tooltip_row(ui, "live", view::format_bytes(at.logical_bytes()));
  tooltip_row(ui, "allocated", view::format_or_unknown(at.allocated_bytes(), view::format_bytes));
  tooltip_row(ui, "dense", view::format_bytes(at.dense_bytes()));
  ImGui::EndTooltip();
}

void TimelineCounters::draw(PanelContext& context, float left, float height, view::TimeRange shown) {
  Ui& ui = context.ui;
  const float least = ui.px(kLeast);
  if (height < least || context.bench.positions() < 2) return;
  update(context.bench);
  if (points_.size() < 2) return;
  const view::TokenRange framed = positions_in(context.bench, shown);
  const float gap = ui.px(4);
  const bool both = height >= 2 * least + gap;
  const float each = std::floor(both ? (height - gap) / 2 : height);
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const float indent = std::max(0.0F, left - ui.px(kAxisRoom));
  const ImVec2 size{ImGui::GetContentRegionAvail().x - indent, each};
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto name = [&](float y, const char* what) {
    label_at(ui, list, {origin.x, y + ui.px(5)}, what, Role::text2, Face::ui, text_size::kCaption);
  };
  float y = origin.y;
  if (both) {
    name(y, "tok/s");
    ImGui::SetCursorScreenPos({origin.x + indent, y});
    draw_rate(context, size, framed);
    y += each + gap;
  }
  const bool large = static_cast<double>(points_.back().size.dense_bytes()) >= 0.2 * kMiB;
  name(y, large ? "MiB" : "KiB");
  ImGui::SetCursorScreenPos({origin.x + indent, y});
  draw_bytes(context, size, framed);
}

}  // namespace app::gui
