#include "app/gui/shell/scrubber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/theme/metrics.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

constexpr float kStrip = 15, kAxis = 14;

// 1, 2 or 5 times a power of ten that is at least `least`.
std::int32_t round_step(double least) {
  double power = 1;
  while (power * 10 <= least) power *= 10;
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (power * factor >= least) return static_cast<std::int32_t>(std::max(1.0, power * factor));
  }
  return static_cast<std::int32_t>(power * 10);
}

}  // namespace

struct Scrubber::Frame {
  Ui& ui;
  Workbench& bench;
  const RunExtent& extent;
  ImDrawList& list;
  ImVec2 low, high;
  float top, bottom;  // of the curves

  float x(const view::ScrubAxis& axis, std::int32_t position) const {
    return low.x + static_cast<float>(axis.pixel_of(position));
  }
};

void Scrubber::draw(Ui& ui, Workbench& bench, const RunExtent& extent, ImVec2 low, ImVec2 high) {
  const auto width = static_cast<std::int32_t>(high.x - low.x);
  axis_ = view::scrub_axis(extent.prompt, extent.end, width);
  curves_.update(bench.cache(), axis_);
  const Frame frame{ui,
                    bench,
                    extent,
                    *ImGui::GetWindowDrawList(),
                    low,
                    high,
                    low.y + ui.px(kStrip),
                    high.y - ui.px(kAxis)};
  handle_pointer(frame);
  frame.list.PushClipRect(low, {high.x + 1, high.y}, true);
  draw_strip(frame);
  draw_curves(frame);
  draw_axis(frame);
  draw_marks(frame);
  frame.list.PopClipRect();
}

void Scrubber::handle_pointer(const Frame& frame) {
  ImGui::SetCursorScreenPos(frame.low);
  ImGui::InvisibleButton("scrubber", {frame.high.x - frame.low.x, frame.high.y - frame.low.y});
  const bool hovered = ImGui::IsItemHovered(), held = ImGui::IsItemActive();
  if (!hovered && !held) return;
  const auto pixel = static_cast<std::int32_t>(ImGui::GetIO().MousePos.x - frame.low.x);
  const std::int32_t at =
      std::clamp(axis_.position_at(std::clamp(pixel, 0, axis_.width() - 1)), 0, frame.bench.positions() - 1);
  if (held && at != frame.bench.position()) frame.bench.go_to(at);
  if (hovered) frame.bench.next_hover().token = at;
  draw_tooltip(frame, at);
}

void Scrubber::draw_tooltip(const Frame& frame, std::int32_t position) {
  const view::SequenceView& sequence = frame.bench.sequence();
  const view::CacheSize size = frame.bench.cache().size(position);
  const double rate = view::processing_rate(frame.bench.run(), sequence, position);
  ImGui::BeginTooltip();
  label(frame.ui,
        fmt::format("step {}, {}", view::format_count(position),
                    position < frame.extent.prompt ? "prefill" : "decode")
            .c_str(),
        Role::text, Face::ui_strong, text_size::kTable);
  label(frame.ui,
        fmt::format("{} live of {} dense, {}", view::format_bytes(size.logical_bytes()),
                    view::format_bytes(size.dense_bytes()), view::format_ratio(size.logical_ratio()))
            .c_str(),
        Role::text2, Face::ui, text_size::kTable);
  if (rate > 0)
    label(frame.ui, view::format_rate(rate, "tok/s").c_str(), Role::text2, Face::ui, text_size::kTable);
  ImGui::EndTooltip();
}

void Scrubber::draw_strip(const Frame& frame) {
  Ui& ui = frame.ui;
  if (chunks_of_ != frame.bench.run().run_id()) {
    chunks_of_ = frame.bench.run().run_id();
    counted_steps_ = chunks_ = 0;
  }
  for (; counted_steps_ < frame.bench.run().step_count(); ++counted_steps_)
    chunks_ += frame.bench.run().step(counted_steps_).phase == engine::Phase::prefill ? 1 : 0;
  const float edge = frame.low.x + static_cast<float>(axis_.prompt.width), text = frame.low.y + ui.px(1);
  const float known = frame.x(axis_, frame.bench.positions());
  frame.list.AddRectFilled(frame.low, {frame.high.x, frame.bottom}, ui.u32(Role::header));
  frame.list.AddRectFilled(frame.low, {std::min(edge, known), frame.bottom},
                           to_u32(mix(ui.color(Role::header), ui.color(Role::kernel_attention), 0.12)));
  frame.list.AddRectFilled(frame.low, {edge, frame.top},
                           to_u32(mix(ui.color(Role::header), ui.color(Role::kernel_attention), 0.3)));
  {
    const FontScope font(ui.fonts(), Face::ui_strong, text_size::kCaption);
    const float room = edge - frame.low.x - ui.px(10);
    const float name = ImGui::CalcTextSize("prefill").x;
    if (room >= name) frame.list.AddText({frame.low.x + ui.px(5), text}, ui.u32(Role::text), "prefill");
    const FontScope light(ui.fonts(), Face::ui, text_size::kCaption);
    const std::string facts = fmt::format("{} tokens, {} chunk{}", view::format_count(frame.extent.prompt),
                                          view::format_count(chunks_), chunks_ == 1 ? "" : "s");
    const std::string brief = view::format_count(frame.extent.prompt);
    for (const std::string& fact : {facts, brief}) {
      if (ImGui::CalcTextSize(fact.c_str()).x + name + ui.px(5) > room) continue;
      frame.list.AddText({frame.low.x + ui.px(10) + name, text}, ui.u32(Role::text2), fact.c_str());
      break;
    }
  }
  // The legend first: names give way to it.
  float right = frame.high.x - ui.px(6);
  const auto entry = [&](const char* name, Role color, int look) {
    const float width = label_width(ui, name, Face::ui, text_size::kCaption);
    if (right - width - ui.px(30) < edge + ui.px(60)) return;
    right -= width;
    label_at(ui, frame.list, {right, text}, name, Role::text2, Face::ui, text_size::kCaption);
    right -= ui.px(18);
    const float middle = text + ui.px(7);
    const ImVec2 from{right, middle}, to{right + ui.px(13), middle};
    if (look == 0) frame.list.AddLine(from, to, ui.u32(color), ui.px(1));
    if (look == 1)
      frame.list.AddRectFilled({from.x, middle - ui.px(4)}, {to.x, middle + ui.px(4)}, ui.u32(color));
    if (look == 2) dashed_line(frame.list, from, to, ui.color(color), ui.px(3), ui.px(1));
    right -= ui.px(10);
  };
  entry("dense bytes", Role::text3, 2);
  entry("live bytes", Role::kept, 1);
  entry("tok/s", Role::text, 0);
  if (axis_.decode.width > 0 && right - edge > ui.px(60))
    label_at(ui, frame.list, {edge + ui.px(6), text}, "decode", Role::text, Face::ui_strong,
             text_size::kCaption);
}

void Scrubber::draw_curves(const Frame& frame) {
  Ui& ui = frame.ui;
  const view::CacheView& cache = frame.bench.cache();
  const double dense = static_cast<double>(std::max(1, frame.extent.end)) * cache.heads();
  const float tall = frame.bottom - frame.top - ui.px(1), cache_top = frame.top + tall * 0.34F;
  const auto level = [&](double slots) {
    return frame.bottom - static_cast<float>(slots / dense) * (frame.bottom - cache_top);
  };
  const float known = frame.x(axis_, frame.bench.positions());
  if (known < frame.high.x - 1)
    ui.hatch().fill(frame.list, {known, frame.top}, {frame.high.x, frame.bottom}, ui.color(Role::line),
                    ui.metrics());
  float x = frame.low.x;
  const ImU32 fill = ui.u32(Role::kept);
  for (const view::CurveColumn& column : curves_.columns()) {
    frame.list.AddRectFilled({x, std::round(level(static_cast<double>(column.live_slots)))},
                             {x + 1, frame.bottom}, fill);
    x += 1;
  }
  const float edge = frame.low.x + static_cast<float>(axis_.prompt.width);
  const ImVec2 corner{edge, level(static_cast<double>(frame.extent.prompt) * cache.heads())};
  dashed_line(frame.list, {frame.low.x, frame.bottom}, corner, ui.color(Role::text3), ui.px(3), ui.px(1));
  if (axis_.decode.width > 0)
    dashed_line(frame.list, corner, {frame.high.x, level(dense)}, ui.color(Role::text3), ui.px(3), ui.px(1));
  const float speed_top = frame.top + ui.px(2), speed_tall = tall * 0.34F - ui.px(2);
  const double fastest = std::max(1e-9F, curves_.fastest());
  const auto height_of = [&](float rate) {
    return speed_top + speed_tall * (1 - static_cast<float>(static_cast<double>(rate) / fastest));
  };
  x = frame.low.x;
  float before = -1;
  for (const view::CurveColumn& column : curves_.columns()) {
    if (column.fastest > 0) {
      float top = height_of(column.fastest), bottom = height_of(column.slowest);
      // Neighbouring pixels join.
      if (before >= 0)
        top = std::min(top, before), bottom = std::max(bottom, std::min(before, bottom + speed_tall));
      frame.list.AddRectFilled({x, top}, {x + 1, bottom + ui.px(1)}, ui.u32(Role::text));
      before = (height_of(column.fastest) + height_of(column.slowest)) / 2;
    }
    x += 1;
  }
}

void Scrubber::draw_axis(const Frame& frame) {
  Ui& ui = frame.ui;
  frame.list.AddRectFilled({frame.low.x, frame.bottom}, frame.high, ui.u32(Role::panel));
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  const float text = frame.bottom + ui.px(1);
  std::string budget;
  if (frame.extent.budget > frame.bench.positions() + 1)
    budget = "budget " + view::format_count(frame.extent.budget);
  const float budget_left =
      frame.high.x -
      (budget.empty() ? 0 : label_width(ui, budget.c_str(), Face::ui, text_size::kAxis) + ui.px(8));
  const float flag_half =
      ImGui::CalcTextSize(view::format_count(frame.bench.position()).c_str()).x / 2 + ui.px(12);
  const float here = frame.x(axis_, frame.bench.position());
  float free_from = frame.low.x - ui.px(20);
  const auto ticks = [&](const view::TokenAxis& part, float left) {
    if (part.width < static_cast<std::int32_t>(ui.px(40)) || part.tokens.size() <= 0) return;
    const std::int32_t step = round_step(part.tokens_per_pixel() * static_cast<double>(ui.px(86)));
    const std::int32_t first = (part.tokens.begin + step - 1) / step * step;
    for (std::int32_t at = first; at < part.tokens.end; at += step) {
      const float x = left + static_cast<float>(part.begin_pixel(at));
      const std::string number = view::format_count(at);
      const float width = ImGui::CalcTextSize(number.c_str()).x;
      const float start = std::clamp(x - width / 2, frame.low.x, frame.high.x - width);
      frame.list.AddLine({x, frame.bottom}, {x, frame.bottom + ui.px(2)}, ui.u32(Role::strong_line),
                         ui.px(1));
      if (start < free_from || start + width > budget_left || std::abs(x - here) < flag_half + width / 2)
        continue;
      frame.list.AddText({start, text}, ui.u32(Role::text2), number.c_str());
      free_from = start + width + ui.px(8);
      if (at > part.tokens.end - step) break;
    }
  };
  ticks(axis_.prompt, frame.low.x);
  ticks(axis_.decode, frame.low.x + static_cast<float>(axis_.prompt.width));
  if (!budget.empty())
    label_at(ui, frame.list, {budget_left + ui.px(8), text}, budget.c_str(), Role::text3, Face::ui,
             text_size::kAxis);
}

void Scrubber::draw_marks(const Frame& frame) {
  Ui& ui = frame.ui;
  const view::RunSnapshot& run = frame.bench.run();
  // Parameters that changed on the way, and what was searched for.
  for (std::int32_t index = 0; index < std::min(run.parameter_count(), 64); ++index) {
    const std::int32_t at = frame.bench.sequence().processed_by(run.parameter(index).step) - 1;
    if (at < 0) continue;
    const float x = frame.x(axis_, at);
    frame.list.AddTriangleFilled({x - ui.px(4), frame.low.y + ui.px(3)},
                                 {x + ui.px(4), frame.low.y + ui.px(3)}, {x, frame.low.y + ui.px(10)},
                                 ui.u32(Role::warning));
    frame.list.AddLine({x, frame.low.y + ui.px(8)}, {x, frame.bottom}, ui.u32(Role::warning), ui.px(1));
  }
  float last = -1;
  for (const view::TokenRange& match : frame.bench.marks().matches) {
    const float x = frame.x(axis_, match.begin);
    if (x == last) continue;  // thousands of matches are at most one line a pixel
    last = x;
    frame.list.AddLine({x, frame.bottom - ui.px(6)}, {x, frame.bottom}, ui.u32(Role::warning), ui.px(1));
  }
  if (const auto& tokens = frame.bench.selection().tokens) {
    frame.list.AddRectFilled(
        {frame.x(axis_, tokens->begin), frame.bottom - ui.px(3)},
        {std::max(frame.x(axis_, tokens->end), frame.x(axis_, tokens->begin) + ui.px(2)), frame.bottom},
        ui.u32(Role::accent));
  }
  if (const auto hovered = frame.bench.hover().token) {
    const float x = frame.x(axis_, *hovered) + 0.5F;
    dashed_line(frame.list, {x, frame.top}, {x, frame.bottom}, ui.color(Role::hover_line), ui.px(3),
                ui.px(1));
  }
  if (const auto pinned = frame.bench.selection().token) {
    const float x = frame.x(axis_, *pinned) + 0.5F;
    cased_line(frame.list, {x, frame.top}, {x, frame.bottom}, ui.color(Role::accent), ui.color(Role::casing),
               ui.px(1));
    frame.list.AddTriangleFilled({x, frame.bottom}, {x + ui.px(4), frame.bottom + ui.px(7)},
                                 {x - ui.px(4), frame.bottom + ui.px(7)}, ui.u32(Role::accent));
  }
  const float x = frame.x(axis_, frame.bench.position()) + 0.5F;
  cased_line(frame.list, {x, frame.top}, {x, frame.bottom}, ui.color(Role::text), ui.color(Role::casing),
             ui.px(1));
  const FontScope font(ui.fonts(), Face::mono_strong, text_size::kAxis);
  const std::string number = view::format_count(frame.bench.position());
  const float width = ImGui::CalcTextSize(number.c_str()).x + ui.px(10);
  const float left = std::round(std::clamp(x - width / 2, frame.low.x, frame.high.x - width));
  frame.list.AddRectFilled({left, frame.bottom}, {left + width, frame.high.y}, ui.u32(Role::text),
                           ui.px(kControlRadius));
  frame.list.AddText({left + ui.px(5), frame.bottom + ui.px(1)}, ui.u32(Role::panel), number.c_str());
}

}  // namespace app::gui
