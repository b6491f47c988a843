#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/panels/map_frame.hpp"
#include "app/gui/panels/token_tooltip.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/run_curves.hpp"

namespace app::gui {

namespace {

using view::MapRow;

// A run of rows of one layer.
struct LayerBand {
  std::int32_t layer = 0;
  float top = 0, bottom = 0;
};

std::vector<LayerBand> layer_bands(const MapFrame& frame) {
  std::vector<LayerBand> bands;
  for (const MapRow& row : frame.rows->rows) {
    const float top = frame.top_of(row), bottom = top + static_cast<float>(row.height);
    if (bottom <= frame.main.area.low.y || top >= frame.main.area.high.y) continue;
    if (!bands.empty() && bands.back().layer == row.layer) {
      bands.back().bottom = bottom;
    } else {
      bands.push_back({row.layer, top, bottom});
    }
  }
  return bands;
}

// 1, 2, 5, 10, ...: the least that keeps neighbours apart.
std::int32_t nice_step(double least) {
  double step = 1;
  while (step < least) {
    const double lead = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
    step *= lead < 1.5 ? 2 : lead < 3 ? 2.5 : 2;
  }
  return static_cast<std::int32_t>(std::max(1.0, step));
}

void right_text(const Ui& ui, ImDrawList& list, float right, float y, const std::string& text, Role role,
                Face face, float em) {
  label_at(ui, list, {right - label_width(ui, text.c_str(), face, em), y}, text.c_str(), role, face, em);
}

// The heads that statistics are limited to have an edge at their rows.
void paint_chosen_heads(PanelContext& context, const MapFrame& frame, std::int32_t kv_heads) {
  const view::HeadSet& chosen = context.bench.selection().heads;
  if (chosen.empty()) return;
  Ui& ui = context.ui;
  for (const MapRow& row : frame.rows->rows) {
    bool in = false;
    for (std::int32_t head = row.first_head; head < row.first_head + row.head_count; ++head)
      in = in || chosen.contains({head / kv_heads, head % kv_heads});
    const float top = frame.top_of(row), bottom = top + static_cast<float>(row.height);
    if (!in || bottom <= frame.gutter.low.y || top >= frame.gutter.high.y) continue;
    ImGui::GetWindowDrawList()->AddRectFilled({frame.gutter.high.x - ui.px(2), top},
                                              {frame.gutter.high.x, bottom}, ui.u32(Role::accent));
  }
}

// Every row, for who drives the window: by the name of its head, or of its first where it has several.
void name_rows(const MapFrame& frame, std::int32_t kv_heads) {
  if (!drawn_items_wanted()) return;
  for (const MapRow& row : frame.rows->rows) {
    const float top = std::max(frame.top_of(row), frame.gutter.low.y);
    const float bottom = std::min(frame.top_of(row) + static_cast<float>(row.height), frame.gutter.high.y);
    if (bottom <= top) continue;
    drawn_item(view::format_head(row.layer, row.first_head % kv_heads).c_str(), {frame.gutter.low.x, top},
               {frame.gutter.high.x, bottom});
  }
}

// h0, h1, ... of a layer with tall rows. The pinned head's name is filled.
void paint_head_names(PanelContext& context, const MapFrame& frame, std::int32_t kv_heads) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const auto& pinned = context.bench.selection().head;
  const auto& hovered = context.bench.hover().head;
  for (const MapRow& row : frame.rows->rows) {
    if (row.head_count != 1 || static_cast<float>(row.height) < ui.px(12)) continue;
    const float top = frame.top_of(row), bottom = top + static_cast<float>(row.height);
    if (top < frame.gutter.low.y - 1 || bottom > frame.gutter.high.y + 1) continue;
    const view::Head head{row.layer, row.first_head % kv_heads};
    const std::string name = fmt::format("h{}", head.kv_head);
    const float width = label_width(ui, name.c_str(), Face::mono, text_size::kAxis) + ui.px(5);
    const float right = frame.gutter.high.x - ui.px(2);
    const bool is_pinned = pinned == head;
    const ImVec2 box_low{right - width, top}, box_high{right, bottom};
    if (is_pinned) list.AddRectFilled(box_low, box_high, ui.u32(Role::accent), ui.px(2));
    if (!is_pinned && hovered == head) list.AddRectFilled(box_low, box_high, ui.u32(Role::raised), ui.px(2));
    right_text(ui, list, right - ui.px(2), std::round((top + bottom) / 2 - ui.px(6.5F)), name,
               is_pinned         ? Role::on_accent
               : hovered == head ? Role::text
                                 : Role::text3,
               Face::mono, text_size::kAxis);
  }
}

}  // namespace

void paint_gutter(PanelContext& context, const MapFrame& frame, bool sorted) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::Selection& selection = context.bench.selection();
  const view::Hover& hover = context.bench.hover();
  const std::int32_t kv_heads = std::max(1, context.bench.run().kv_heads());
  list.PushClipRect(frame.gutter.low, frame.gutter.high, true);
  const float letter = ui.px(12);
  const auto is_marked = [&](std::int32_t layer) {
    return (selection.head && selection.head->layer == layer) || (hover.head && hover.head->layer == layer) ||
           hover.layer == layer;
  };
  // Marked layers first: the others leave them room.
  std::vector<LayerBand> bands = layer_bands(frame);
  std::stable_partition(bands.begin(), bands.end(), [&](const LayerBand& b) { return is_marked(b.layer); });
  std::vector<float> taken;
  const float typical =
      bands.empty() ? letter : static_cast<float>(frame.rows->height) / static_cast<float>(bands.size());
  const std::int32_t every = sorted ? 1 : nice_step(static_cast<double>(letter / std::max(1.0F, typical)));
  for (const LayerBand& band : bands) {
    const bool pinned = selection.head && selection.head->layer == band.layer;
    const bool marked = is_marked(band.layer);
    const bool open = band.bottom - band.top >= ui.px(24);
    if (hover.layer == band.layer) {
      list.AddRectFilled({frame.gutter.low.x, band.top}, {frame.gutter.high.x - ui.px(2), band.bottom},
                         ui.u32(Role::raised), ui.px(2));
    }
    if (!marked && band.layer % every != 0) continue;
    const float y = std::clamp((band.top + band.bottom) / 2 - letter / 2, frame.gutter.low.y,
                               std::max(frame.gutter.low.y, frame.gutter.high.y - letter));
    const bool free = std::none_of(taken.begin(), taken.end(),
                                   [&](float other) { return std::abs(other - y) < letter * 0.8F; });
    if (!free) continue;
    taken.push_back(y);
    const std::string name = open || marked ? fmt::format("L{}", band.layer) : fmt::format("{}", band.layer);
    const float right =
        open && kv_heads > 1 ? frame.gutter.high.x - ui.px(19) : frame.gutter.high.x - ui.px(5);
    right_text(ui, list, right, std::round(y - ui.px(1)), name,
               pinned   ? Role::accent
               : marked ? Role::text
                        : Role::text3,
               marked ? Face::ui_strong : Face::ui, open ? text_size::kTable : text_size::kAxis);
  }
  paint_head_names(context, frame, kv_heads);
  paint_chosen_heads(context, frame, kv_heads);
  name_rows(frame, kv_heads);
  list.PopClipRect();
  if (frame.header.height() > 0) {
    label_at(ui, list, {frame.gutter.low.x, frame.header.high.y - ui.px(15)}, "layer", Role::text3, Face::ui,
             text_size::kCaption);
  }
  if (!frame.main.strip.empty()) {
    const float y = frame.main.strip.low.y;
    label_at(ui, list, {frame.gutter.low.x, y}, "heads", Role::text3, Face::ui, text_size::kAxis);
    label_at(ui, list, {frame.gutter.low.x, y + ui.px(11)},
             fmt::format("0\u2013{}", context.bench.run().heads()).c_str(), Role::text3, Face::ui,
             text_size::kAxis);
  }
}

void paint_axis(PanelContext& context, const MapFrame& frame) {
  if (frame.header.height() <= 0) return;
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const MapField& main = frame.main;
  const float upper = frame.header.low.y, lower = frame.header.high.y - ui.px(15);
  const auto& hovered = context.bench.hover().token;
  // Numbers give way to the flag of the hovered token.
  float hidden_low = 0, hidden_high = 0;
  if (hovered && main.shows(*hovered)) {
    const float half = label_width(ui, token_flag(context.bench.sequence(), *hovered).c_str(), Face::mono,
                                   text_size::kCaption) /
                           2 +
                       ui.px(8);
    hidden_low = main.middle_x(*hovered) - half;
    hidden_high = main.middle_x(*hovered) + half;
  }
  const view::TokenRange tokens = main.axis.tokens;
  const double per_pixel = std::max(1e-6, main.axis.tokens_per_pixel());
  const std::int32_t step = nice_step(static_cast<double>(ui.px(62)) * per_pixel);
  for (std::int32_t t = (tokens.begin + step - 1) / step * step; t < tokens.end; t += step) {
    const float x = main.begin_x(t);
    const std::string text = view::format_count(t);
    const float width = label_width(ui, text.c_str(), Face::mono, text_size::kAxis);
    list.AddLine({x + 0.5F, frame.header.high.y - ui.px(3)}, {x + 0.5F, frame.header.high.y},
                 ui.u32(Role::strong_line));
    const float left = std::max(main.area.low.x, x - width / 2);
    if (left + width > main.area.high.x || (left < hidden_high && left + width > hidden_low)) continue;
    label_at(ui, list, {std::round(left), lower}, text.c_str(), Role::text3, Face::mono, text_size::kAxis);
  }
  const std::int32_t output = view::prompt_positions(context.bench.sequence());
  if (main.shows(output) && output > tokens.begin) {
    const float x = main.begin_x(output);
    const float prompt_width = label_width(ui, "prompt", Face::ui, text_size::kCaption);
    if (x - prompt_width - ui.px(5) > main.area.low.x)
      label_at(ui, list, {std::round(x - prompt_width - ui.px(5)), upper}, "prompt", Role::text3, Face::ui,
               text_size::kCaption);
    if (x + ui.px(40) < main.area.high.x)
      label_at(ui, list, {std::round(x + ui.px(5)), upper}, "output", Role::text3, Face::ui,
               text_size::kCaption);
    dashed_line(list, {x + 0.5F, frame.header.low.y + ui.px(2)}, {x + 0.5F, main.area.high.y},
                ui.color(Role::text3), ui.px(3), 1);
  }
  if (!frame.bars.empty() && frame.bars.width() > 0) {
    right_text(ui, list, frame.bars.high.x, lower, "live %", Role::text3, Face::ui, text_size::kAxis);
  }
  if (frame.near.area.empty()) return;
  const MapField& near = frame.near;
  const double pixels = 1 / std::max(1e-6, near.axis.tokens_per_pixel());
  const std::string scale = pixels >= 1 ? fmt::format("\u00d7{:.3g} px", pixels)
                                        : view::format_aggregation(near.axis.tokens_per_pixel());
  const std::string full = fmt::format("newest {} tokens {}", near.axis.tokens.size(), scale);
  const std::string brief = fmt::format("newest {}", near.axis.tokens.size());
  const float room = frame.header.high.x - main.area.high.x - ui.px(4);
  const bool fits = label_width(ui, full.c_str(), Face::ui, text_size::kCaption) <= room;
  const std::string& title = fits ? full : brief;
  const float left = std::min(
      near.area.low.x, frame.header.high.x - label_width(ui, title.c_str(), Face::ui, text_size::kCaption));
  label_at(ui, list, {std::round(left), upper}, title.c_str(), Role::text3, Face::ui, text_size::kCaption);
  const view::CacheView& cache = frame.source.shown();
  if (!cache.closed_form()) return;
  const std::int32_t edge = std::max(near.axis.tokens.begin, frame.source.s - cache.window());
  const float x = near.begin_x(edge);
  const float older = label_width(ui, "older", Face::ui, text_size::kCaption);
  const std::string window = fmt::format("window {}", view::format_count(cache.window()));
  label_at(ui, list, {std::round(x + ui.px(5)), lower - ui.px(1)}, window.c_str(), Role::text,
           Face::ui_strong, text_size::kCaption);
  if (x - older - ui.px(5) >= near.area.low.x - ui.px(10))
    label_at(ui, list, {std::round(x - older - ui.px(5)), lower - ui.px(1)}, "older", Role::text3, Face::ui,
             text_size::kCaption);
}

void paint_strip(Ui& ui, const FieldSource& source, const MapField& field,
                 const std::vector<view::HoldingPixel>& pixels) {
  if (field.strip.empty() || pixels.empty()) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(field.strip.low, field.strip.high, ui.u32(Role::evicted));
  const float height = field.strip.height() / static_cast<float>(std::max(1, source.run->heads()));
  const float width = field.strip.width() / static_cast<float>(pixels.size());
  // Orange says something else in a map of differences.
  const bool states = source.mode != MapMode::difference;
  const ImU32 kept = ui.u32(Role::kept), doomed = ui.u32(states ? Role::doomed : Role::both_keep);
  // Neighbours of one height are one bar.
  for (std::size_t i = 0, end = 0; i < pixels.size(); i = end) {
    end = i + 1;
    while (end < pixels.size() && pixels[end].holding == pixels[i].holding &&
           pixels[end].doomed == pixels[i].doomed)
      ++end;
    if (pixels[i].holding <= 0) continue;
    const float left = field.strip.low.x + static_cast<float>(i) * width;
    const float right = field.strip.low.x + static_cast<float>(end) * width;
    const float top = field.strip.high.y - pixels[i].holding * height;
    const float middle = top + pixels[i].doomed * height;
    if (pixels[i].doomed > 0) list.AddRectFilled({left, top}, {right, middle}, doomed);
    list.AddRectFilled({left, middle}, {right, field.strip.high.y}, kept);
  }
}

void paint_live_bars(PanelContext& context, const MapFrame& frame) {
  if (frame.bars.width() <= 0) return;
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::CacheView& cache = frame.source.shown();
  const auto& pinned = context.bench.selection().head;
  const std::int32_t kv_heads = std::max(1, context.bench.run().kv_heads());
  list.PushClipRect(frame.bars.low, frame.bars.high, true);
  list.AddLine({frame.bars.low.x + 0.5F, frame.bars.low.y}, {frame.bars.low.x + 0.5F, frame.bars.high.y},
               ui.u32(Role::strong_line));
  for (const MapRow& row : frame.rows->rows) {
    const float top = frame.top_of(row), bottom = top + static_cast<float>(row.height);
    if (bottom <= frame.bars.low.y || top >= frame.bars.high.y) continue;
    std::int64_t live = 0;
    for (std::int32_t head = row.first_head; head < row.first_head + row.head_count; ++head)
      live += cache.live(head, frame.source.s);
    const float share = static_cast<float>(live) /
                        (static_cast<float>(row.head_count) * static_cast<float>(frame.source.s + 1));
    const bool is_pinned =
        pinned && row.head_count == 1 && pinned->layer * kv_heads + pinned->kv_head == row.first_head;
    const float inset = row.height > 2 ? 1 : 0;
    list.AddRectFilled({frame.bars.low.x + 1, top},
                       {frame.bars.low.x + 1 + share * (frame.bars.width() - 1), bottom - inset},
                       ui.u32(is_pinned ? Role::accent : Role::text_ramp_end));
  }
  list.PopClipRect();
}

}  // namespace app::gui
