#include "app/gui/panels/quality_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/gui/widgets/position_plot.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr double kLeastKl = 0.001, kMostKl = 10;  // nats: below nothing shows, above nothing is left
constexpr int kDotsPerPixel = 3;

// At most three dots a pixel: the first ones, and the largest.
void draw_dots(PositionPlot& plot, const std::vector<view::MeasuredValue>& values, Color color, float side) {
  float pixel = -1;
  int drawn = 0;
  double largest = 0;
  const auto dot = [&](float x, double value) {
    const float y = plot.y_of(value);
    plot.list().AddRectFilled({x, y - side / 2}, {x + side, y + side / 2}, to_u32(color));
  };
  for (const view::MeasuredValue& value : values) {
    const float x = std::floor(plot.x_of(value.position));
    if (x != pixel) {
      if (drawn > kDotsPerPixel) dot(pixel, largest);
      pixel = x;
      drawn = 0;
      largest = 0;
    }
    largest = std::max(largest, value.value);
    if (++drawn <= kDotsPerPixel) dot(x, value.value);
  }
  if (drawn > kDotsPerPixel) dot(pixel, largest);
}

// One point per pixel column: the last of the column.
std::vector<ImVec2> running_curve(const PositionPlot& plot, const std::vector<view::MeasuredValue>& values) {
  std::vector<ImVec2> points;
  for (const view::MeasuredValue& value : values) {
    const ImVec2 point{plot.x_of(value.position), plot.y_of(value.running)};
    if (!points.empty() && point.x - points.back().x < 1) {
      points.back().y = point.y;
    } else {
      points.push_back(point);
    }
  }
  return points;
}

}  // namespace

void QualityPanel::draw_header(PanelContext& context) {
  Ui& ui = context.ui;
  constexpr std::array kNames{"KL to dense", "Top-1 agreement"};
  const float top = ImGui::GetCursorPosY();
  segmented(ui, "measure", kNames, shown_);
  const view::QualitySeries& series = shown_ == 0 ? kl_ : top1_;
  std::string text =
      shown_ == 0 ? "dots per position, line running mean of 64" : "share of the last 64 where both agree";
  text += fmt::format("; {} measured", view::format_count(static_cast<std::int64_t>(series.values().size())));
  toolbar_caption(ui, top, text);
}

void QualityPanel::draw_kl(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  PositionPlot plot(context, "kl", ImGui::GetContentRegionAvail(), log_axis(kLeastKl, kMostKl), 62);
  const bool other = bench.other() != nullptr && other_kl_.mean();
  draw_dots(plot, kl_.values(), mix(ui.color(Role::panel), ui.color(Role::text2), 0.6), ui.px(1.5F));
  if (other) plot.curve(running_curve(plot, other_kl_.values()), ui.color(Role::text3), 1.5F);
  plot.curve(running_curve(plot, kl_.values()), ui.color(Role::text), 2);
  plot.name((other ? "A " : "") + fmt::format("{:.3f}", *kl_.mean()), kl_.values().back().running,
            ui.color(Role::text));
  if (other)
    plot.name("B " + fmt::format("{:.3f}", *other_kl_.mean()), other_kl_.values().back().running,
              ui.color(Role::text3));
  // The worst position by name: what a person looks for first.
  const view::MeasuredValue& spike = *kl_.greatest();
  const ImVec2 at{plot.x_of(spike.position), plot.y_of(spike.value)};
  plot.list().AddCircle(at, ui.px(4), ui.u32(Role::warning), 0, ui.px(1.5F));
  drawn_item("spike", {at.x - ui.px(4), at.y - ui.px(4)}, {at.x + ui.px(4), at.y + ui.px(4)});
  std::string word;
  if (spike.position < bench.sequence().tokens()) word = bench.sequence().token(spike.position).text;
  std::replace(word.begin(), word.end(), '\n', ' ');
  const std::string note = fmt::format("{}: {} after “{}”", view::format_token(spike.position),
                                       view::format_kl(spike.value), word);
  const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
  const float width = ImGui::CalcTextSize(note.c_str()).x;
  const bool left = at.x - ui.px(10) - width > plot.low().x;
  const float x = left ? at.x - ui.px(8) - width : std::min(at.x + ui.px(8), plot.high().x - width);
  plot.list().AddText({x, std::max(plot.low().y + ui.px(1), at.y - ui.px(7))}, ui.u32(Role::warning),
                      note.c_str());
  // The spike is a target of its own: near it the click goes exactly there.
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool near = plot.hovered() && std::hypot(mouse.x - at.x, mouse.y - at.y) < ui.px(8);
  if (near && ImGui::IsMouseReleased(ImGuiMouseButton_Left)) bench.go_to(spike.position);
  plot.finish();
  if (!plot.hovered() || plot.pointed() < 0) return;
  if (const view::MeasuredValue* value = kl_.nearest(near ? spike.position : plot.pointed())) {
    ImGui::SetTooltip("%s: %s, running mean %s", view::format_token(value->position).c_str(),
                      view::format_kl(value->value).c_str(), view::format_kl(value->running).c_str());
  }
}

void QualityPanel::draw_top1(PanelContext& context) {
  Ui& ui = context.ui;
  ValueAxis axis{0, 1.02, false, {}};
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0})
    axis.ticks.emplace_back(share, fmt::format("{:.0f}%", share * 100));
  PositionPlot plot(context, "top1", ImGui::GetContentRegionAvail(), axis, 62);
  const bool other = context.bench.other() != nullptr && other_top1_.mean();
  // Where the two disagree: a tick at the bottom.
  float pixel = -1;
  for (const view::MeasuredValue& value : top1_.values()) {
    const float x = std::floor(plot.x_of(value.position));
    if (value.value > 0.5 || x == pixel) continue;
    pixel = x;
    plot.list().AddLine({x, plot.high().y - ui.px(7)}, {x, plot.high().y}, ui.u32(Role::warning), ui.px(1));
  }
  if (other) plot.curve(running_curve(plot, other_top1_.values()), ui.color(Role::text3), 1.5F);
  plot.curve(running_curve(plot, top1_.values()), ui.color(Role::text), 2);
  plot.name((other ? "A " : "") + view::format_percent(*top1_.mean()), top1_.values().back().running,
            ui.color(Role::text));
  if (other)
    plot.name("B " + view::format_percent(*other_top1_.mean()), other_top1_.values().back().running,
              ui.color(Role::text3));
  plot.finish();
  if (!plot.hovered() || plot.pointed() < 0) return;
  if (const view::MeasuredValue* value = top1_.nearest(plot.pointed())) {
    ImGui::SetTooltip("%s: %s, %s of the last 64 agree", view::format_token(value->position).c_str(),
                      value->value > 0.5 ? "the same likeliest token" : "another likeliest token",
                      view::format_percent(value->running).c_str());
  }
}

void QualityPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  kl_.update(bench.run(), bench.sequence());
  top1_.update(bench.run(), bench.sequence());
  if (const view::CacheView* other = bench.other()) {
    other_kl_.update(other->run(), other->sequence());
    other_top1_.update(other->run(), other->sequence());
  }
  if (!kl_.mean() && !top1_.mean()) {
    const bool live = bench.source() == RunSource::live;
    const bool pressed =
        empty_state(ui, "Quality was not measured",
                    live ? "It needs a dense pass beside the run, which takes about as long as the run "
                           "again. Switch on \"quality\" in the Prompt panel and run once more."
                         : "This trace holds no measures. Record with --quality, or run its prompt again "
                           "with \"quality\" switched on.",
                    "Open the Prompt panel");
    if (pressed) context.commands.run("view.panel.prompt");
    return;
  }
  draw_header(context);
  if ((shown_ == 0 ? kl_ : top1_).mean()) {
    shown_ == 0 ? draw_kl(context) : draw_top1(context);
  } else {
    label(ui, "This measure is not in the run.", Role::text2);
  }
}

}  // namespace app::gui
