#include "app/gui/widgets/position_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/view/format.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

constexpr float kLeft = 38, kBottom = 16, kTop = 6;

std::int32_t round_step(double least) {
  std::int32_t power = 1;
  while (power * 10.0 <= least && power < 100'000'000) power *= 10;
  for (const std::int32_t factor : {1, 2, 5}) {
    if (power * factor >= least) return power * factor;
  }
  return power * 10;
}

}  // namespace

ValueAxis ratio_axis(double high) {
  ValueAxis axis{1, std::max(1.5, high * 1.08), false, {}};
  double step = 0.25;
  for (const double next : {0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0}) {
    step = next;
    if ((axis.high - 1) / step <= 5) break;
  }
  for (double value = 1; value <= axis.high + 1e-9; value += step)
    axis.ticks.emplace_back(value, step < 1 ? fmt::format("{:.2f}×", value) : fmt::format("{:.0f}×", value));
  return axis;
}

ValueAxis log_axis(double low, double high) {
  ValueAxis axis{low, high, true, {}};
  for (double value = low; value <= high * 1.001; value *= 10)
    axis.ticks.emplace_back(value, fmt::format("{:g}", value));
  return axis;
}

PositionPlot::PositionPlot(PanelContext& context, const char* id, ImVec2 size, ValueAxis axis, float right)
    : context_(context),
      list_(ImGui::GetWindowDrawList()),
      axis_(std::move(axis)),
      positions_(std::max(1, context.bench.positions())) {
  Ui& ui = context.ui;
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  size = {std::max(size.x, ui.px(120)), std::max(size.y, ui.px(60))};
  low_ = {origin.x + ui.px(kLeft), origin.y + ui.px(kTop)};
  high_ = {std::max(low_.x + ui.px(20), origin.x + size.x - ui.px(right)),
           origin.y + size.y - ui.px(kBottom)};
  ImGui::InvisibleButton(id, size, ImGuiButtonFlags_EnableNav);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  hovered_ = ImGui::IsItemHovered() && mouse.x >= low_.x && mouse.x <= high_.x;
  if (hovered_ || ImGui::IsItemActive()) {
    const double share = static_cast<double>((mouse.x - low_.x) / std::max(1.0F, high_.x - low_.x));
    pointed_ = static_cast<std::int32_t>(std::clamp(share, 0.0, 1.0) * (positions_ - 1) + 0.5);
    context.bench.next_hover().token = pointed_;
    if (ImGui::IsItemActive() && ImGui::IsMouseDown(ImGuiMouseButton_Left)) context.bench.go_to(pointed_);
  }
  draw_frame();
}

float PositionPlot::x_of(double position) const {
  const double share = positions_ > 1 ? position / (positions_ - 1) : 0;
  return low_.x + static_cast<float>(share) * (high_.x - low_.x);
}

float PositionPlot::y_of(double value) const {
  double share = 0;
  if (axis_.logarithmic) {
    const double at = std::log(std::clamp(value, axis_.low, axis_.high));
    share = (at - std::log(axis_.low)) / (std::log(axis_.high) - std::log(axis_.low));
  } else {
    share = (std::clamp(value, axis_.low, axis_.high) - axis_.low) / (axis_.high - axis_.low);
  }
  return high_.y - static_cast<float>(share) * (high_.y - low_.y);
}

void PositionPlot::draw_frame() {
  Ui& ui = context_.ui;
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  const std::int32_t decode = view::prompt_positions(context_.bench.sequence());
  const float border = decode < positions_ ? std::round(x_of(decode)) : high_.x;
  // Prefill on a ground of its own.
  list_->AddRectFilled(low_, {border, high_.y},
                       to_u32(mix(ui.color(Role::panel), ui.color(Role::header), 0.55)));
  for (const auto& [value, text] : axis_.ticks) {
    const float y = std::round(y_of(value));
    list_->AddLine({low_.x, y}, {high_.x, y}, ui.u32(Role::grid), ui.px(1));
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    list_->AddText({low_.x - size.x - ui.px(5), std::round(y - size.y / 2)}, ui.u32(Role::text2),
                   text.c_str());
  }
  const double room = static_cast<double>(high_.x - low_.x) / static_cast<double>(ui.px(62));
  const std::int32_t step = round_step((positions_ - 1) / std::max(1.0, room));
  for (std::int64_t at = 0; at < positions_; at += step) {
    const float x = std::round(x_of(static_cast<double>(at)));
    const std::string text = view::format_count(at);
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    if (at > 0) list_->AddLine({x, low_.y}, {x, high_.y}, ui.u32(Role::grid), ui.px(1));
    const float left = std::clamp(x - width / 2, low_.x - ui.px(6), high_.x - width);
    list_->AddText({std::round(left), high_.y + ui.px(3)}, ui.u32(Role::text2), text.c_str());
  }
  list_->AddRect(low_, high_, ui.u32(Role::line), 0, 0, ui.px(1));
  if (decode > 0 && decode < positions_) {
    list_->AddLine({border, low_.y}, {border, high_.y}, ui.u32(Role::strong_line), ui.px(1));
    const FontScope caption(ui.fonts(), Face::ui, text_size::kAxis);
    const float prefill = ImGui::CalcTextSize("prefill").x, decode_width = ImGui::CalcTextSize("decode").x;
    const float y = high_.y - ui.px(14);
    if (border - prefill - ui.px(6) > low_.x)
      list_->AddText({border - prefill - ui.px(4), y}, ui.u32(Role::text3), "prefill");
    if (border + decode_width + ui.px(8) < high_.x)
      list_->AddText({border + ui.px(4), y}, ui.u32(Role::text3), "decode");
  }
  list_->PushClipRect({low_.x, low_.y - ui.px(1)}, {high_.x, high_.y + ui.px(1)}, true);
}

void PositionPlot::curve(const std::vector<ImVec2>& points, Color color, float thickness, bool dashed) {
  if (points.size() < 2) return;
  const float width = context_.ui.px(thickness);
  if (!dashed) {
    list_->AddPolyline(points.data(), static_cast<int>(points.size()), to_u32(color), 0, width);
    return;
  }
  // Dashes go on across the points: each begins where the one before ended.
  const float dash = context_.ui.px(5);
  float along = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    ImVec2 from = points[i - 1];
    const ImVec2 to = points[i];
    float left = std::hypot(to.x - from.x, to.y - from.y);
    while (left > 0) {
      const float in_cell = std::fmod(along, 2 * dash);
      const float piece = std::min(left, (in_cell < dash ? dash : 2 * dash) - in_cell);
      const float share = piece / left;
      const ImVec2 end{from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share};
      if (in_cell < dash) list_->AddLine(from, end, to_u32(color), width);
      from = end;
      along += std::max(piece, 0.01F);
      left -= std::max(piece, 0.01F);
    }
  }
}

void PositionPlot::name(const std::string& text, double value, Color color) {
  names_.push_back({text, y_of(value), color});
}

void PositionPlot::finish() {
  Ui& ui = context_.ui;
  const Workbench& bench = context_.bench;
  const auto line = [&](std::int32_t token, bool pinned) {
    if (token < 0 || token >= positions_) return;
    const float x = std::round(x_of(token));
    if (pinned) {
      cased_line(*list_, {x, low_.y}, {x, high_.y}, ui.color(Role::accent), ui.color(Role::casing), ui.px(1));
    } else {
      dashed_line(*list_, {x, low_.y}, {x, high_.y}, ui.color(Role::hover_line), ui.px(3), ui.px(1));
    }
  };
  if (!bench.at_newest() || bench.position() + 1 < positions_) {
    const float x = std::round(x_of(bench.position()));
    list_->AddLine({x, low_.y}, {x, high_.y}, ui.u32(Role::text), ui.px(1));
  }
  if (bench.selection().token) line(*bench.selection().token, true);
  if (bench.hover().token) line(*bench.hover().token, false);
  list_->PopClipRect();
  const FontScope font(ui.fonts(), Face::mono, text_size::kCaption);
  if (bench.selection().token && *bench.selection().token < positions_)
    flag(*list_, x_of(*bench.selection().token), low_.y, low_.x, high_.x,
         view::format_token(*bench.selection().token), true, ui.theme(), ui.metrics());
  if (bench.hover().token && *bench.hover().token < positions_)
    flag(*list_, x_of(*bench.hover().token), low_.y, low_.x, high_.x,
         view::format_token(*bench.hover().token), false, ui.theme(), ui.metrics());
  // Names from the top down, at least a line apart, and never below the plot.
  std::stable_sort(names_.begin(), names_.end(), [](const Name& a, const Name& b) { return a.y < b.y; });
  const float line_height = ui.px(14);
  float floor = low_.y;
  for (Name& one : names_) {
    one.y = std::max(one.y - line_height / 2, floor);
    floor = one.y + line_height;
  }
  float ceiling = high_.y;
  for (auto one = names_.rbegin(); one != names_.rend(); ++one) {
    one->y = std::min(one->y, ceiling - line_height);
    ceiling = one->y;
    list_->AddText({high_.x + ui.px(6), std::round(one->y)}, to_u32(one->color), one->text.c_str());
  }
}

}  // namespace app::gui
