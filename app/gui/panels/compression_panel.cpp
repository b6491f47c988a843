#include "app/gui/panels/compression_panel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/position_plot.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr std::int32_t kMostPoints = 320;         // a curve this smooth needs no more
constexpr std::int32_t kPointsOfManyHeads = 160;  // of 100 heads and more: each point asks every head

std::vector<ImVec2> on_screen(const PositionPlot& plot, const std::vector<view::RatioPoint>& ratios) {
  std::vector<ImVec2> points;
  for (const view::RatioPoint& ratio : ratios)
    points.push_back({plot.x_of(ratio.position), plot.y_of(ratio.ratio)});
  return points;
}

double highest(const std::vector<view::RatioPoint>& ratios) {
  double high = 1;
  for (const view::RatioPoint& ratio : ratios) high = std::max(high, ratio.ratio);
  return high;
}

double ratio_at(const view::CacheView& view, std::int32_t position) {
  const std::int32_t s = std::min(position, view.positions() - 1);
  return s < 0 ? 1 : view.size(s).logical_ratio();
}

}  // namespace

void CompressionPanel::update(Curve& curve, const view::CacheView& view, const view::CacheSettings& settings,
                              std::int32_t points) {
  const std::uint64_t run_id = view.run().run_id();
  const bool same =
      curve.run_id == run_id && curve.sequence == view.sequence().id() && curve.settings == settings;
  // While it grows, a curve that lacks the last hundredth says the same.
  const bool grown = view.positions() - curve.positions > std::max(1, view.positions() / 100);
  if (same && curve.points == points && (!grown || curve.positions == view.positions())) return;
  curve = {run_id,   view.sequence().id(),
           settings, view.positions(),
           points,   view::ratio_over_positions(view, points)};
}

void CompressionPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  if (bench.positions() < 2) {
    empty_state(ui, "Nothing to draw yet", "The ratio appears with the first positions.", nullptr);
    return;
  }
  const std::int32_t points =
      std::min(kMostPoints, bench.run().heads() > 100 ? kPointsOfManyHeads : kMostPoints);
  update(run_, bench.cache(), {}, points);
  const view::CacheView* preview = bench.preview();
  if (preview != nullptr) update(preview_, *preview, *bench.preview_settings(), points);
  const view::CacheView* other = bench.other();
  if (other != nullptr) update(other_, *other, {}, points);

  const FontScope font(ui.fonts(), Face::ui, text_size::kTable);
  const auto key = [&](const char* strong, const char* text, Role role) {
    label(ui, strong, role, Face::ui_strong, text_size::kTable);
    ImGui::SameLine(0, ui.px(4));
    label(ui, text, Role::text2, Face::ui, text_size::kTable);
  };
  const float room = ImGui::GetContentRegionAvail().x;
  key("solid", room > ui.px(340) ? "verified" : "A", Role::text);
  if (other != nullptr) {
    ImGui::SameLine(0, ui.px(12));
    key("grey", "B", Role::text3);
  }
  if (preview != nullptr) {
    ImGui::SameLine(0, ui.px(12));
    key("dashed", room > ui.px(340) ? "preview from stored logits" : "preview", Role::accent);
  }
  double high = highest(run_.ratios);
  if (preview != nullptr) high = std::max(high, highest(preview_.ratios));
  if (other != nullptr) high = std::max(high, highest(other_.ratios));
  const ImVec2 size = ImGui::GetContentRegionAvail();
  PositionPlot plot(context, "ratio", size, ratio_axis(high), 62);
  if (other != nullptr) plot.curve(on_screen(plot, other_.ratios), ui.color(Role::text3), 1.5F);
  plot.curve(on_screen(plot, run_.ratios), ui.color(Role::text), 2);
  if (preview != nullptr) plot.curve(on_screen(plot, preview_.ratios), ui.color(Role::accent), 2, true);
  const auto name_curve = [&](const char* letter, const std::vector<view::RatioPoint>& ratios, Role role) {
    plot.name(letter + view::format_ratio(ratios.back().ratio), ratios.back().ratio, ui.color(role));
  };
  name_curve(other != nullptr ? "A " : "", run_.ratios, Role::text);
  if (other != nullptr) name_curve("B ", other_.ratios, Role::text3);
  if (preview != nullptr) name_curve("", preview_.ratios, Role::accent);
  plot.finish();
  if (plot.hovered() && plot.pointed() >= 0) {
    ImGui::BeginTooltip();
    label(ui, ("at " + view::format_token(plot.pointed())).c_str(), Role::text, Face::ui_strong);
    const auto row = [&](const char* name, double ratio, Role role) {
      label(ui, name, Role::text2, Face::ui, text_size::kTable);
      ImGui::SameLine(ui.px(72));
      label(ui, view::format_ratio(ratio).c_str(), role, Face::mono, text_size::kTable);
    };
    row("verified", ratio_at(bench.cache(), plot.pointed()), Role::text);
    if (other != nullptr) row("B", ratio_at(*other, plot.pointed()), Role::text2);
    if (preview != nullptr) row("preview", ratio_at(*preview, plot.pointed()), Role::accent);
    ImGui::EndTooltip();
  }
}

}  // namespace app::gui
