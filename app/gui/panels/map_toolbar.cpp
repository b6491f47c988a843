#include "app/gui/panels/map_toolbar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/glossary.hpp"
#include "app/view/format.hpp"

namespace app::gui {

namespace {

// Items from left to right that begin another line where they would not fit.
class Flow {
 public:
  explicit Flow(const Ui& ui)
      : ui_(ui),
        left_(ImGui::GetCursorScreenPos().x),
        right_(left_ + ImGui::GetContentRegionAvail().x),
        x_(left_) {}
  void place(float width, float gap = 12) {
    const float space = first_ ? 0 : std::max(ui_.px(gap), std::exchange(indent_, 0.0F));
    if (!first_ && !std::exchange(new_line_, false) && x_ + space + width <= right_) {
      ImGui::SameLine(0, space);
      x_ += space + width;
    } else {
      x_ = left_ + width;
    }
    first_ = false;
  }
  // What follows, `width` in all, stands at the right end; on a line of its own where there is no room.
  void to_right(float width) {
    new_line_ = x_ + ui_.px(12) + width > right_;
    indent_ = new_line_ ? 0 : right_ - width - x_;
  }

 private:
  const Ui& ui_;
  float left_, right_, x_;
  float indent_ = 0;
  bool first_ = true;
  bool new_line_ = false;
};

struct LegendEntry {
  Role state;
  const char* name;
  std::string count;
};

std::vector<LegendEntry> legend_of(const FieldSource& source) {
  if (source.mode == MapMode::difference && source.preview != nullptr) {
    const view::CacheView::Marks run = source.run->marks(source.s), preview = source.preview->marks(source.s);
    std::int64_t dropped = 0, regained = 0;
    for (std::int32_t head = 0; head < source.run->heads(); ++head) {
      const auto counts = view::count_difference(run, preview, head, 1, {0, source.s + 1}, source.s);
      dropped += counts.dropped;
      regained += counts.regained;
    }
    return {{Role::kept, "kept by both", {}},
            {Role::both_keep, "window", {}},
            {Role::doomed, "preview drops", view::format_count(dropped)},
            {Role::window, "preview keeps", view::format_count(regained)},
            {Role::evicted, "evicted by both", {}}};
  }
  if (!source.run->closed_form()) return {{Role::kept, "kept", {}}, {Role::evicted, "evicted", {}}};
  return {{Role::kept, "kept", {}},
          {Role::window, "window", {}},
          {Role::doomed, "doomed", view::format_count(source.shown().size(source.s).doomed_slots)},
          {Role::evicted, "evicted", {}}};
}

// Words in the height of the toolbar's controls.
class Words {
 public:
  Words(Ui& ui, Flow& flow, float width, float gap) : ui_(ui) {
    flow.place(width, gap);
    low_ = ImGui::GetCursorScreenPos();
    ImGui::Dummy({width, ui.px(height::kToolbarControl)});
    x_ = low_.x;
  }
  void word(const char* text, Role role, Face face) {
    x_ += label_at(ui_, *ImGui::GetWindowDrawList(), {x_, low_.y + ui_.px(2)}, text, role, face,
                   text_size::kTable) +
          ui_.px(5);
  }
  void sample(Role state) {
    const ImVec2 low{x_, low_.y + ui_.px(4)}, high{x_ + ui_.px(12), low_.y + ui_.px(16)};
    paint_swatch(ui_, *ImGui::GetWindowDrawList(), state, low, high);
    x_ = high.x + ui_.px(6);
  }

 private:
  Ui& ui_;
  ImVec2 low_{};
  float x_ = 0;
};

void draw_legend(Ui& ui, Flow& flow, const FieldSource& source) {
  for (const LegendEntry& entry : legend_of(source)) {
    const float name = label_width(ui, entry.name, Face::ui, text_size::kTable);
    const float count =
        entry.count.empty()
            ? 0
            : label_width(ui, entry.count.c_str(), Face::mono_strong, text_size::kTable) + ui.px(5);
    Words words(ui, flow, ui.px(18) + name + count, 12);
    words.sample(entry.state);
    words.word(entry.name, Role::text2, Face::ui);
    glossary_tip(ui, entry.name);
    if (entry.count.empty()) continue;
    words.word(entry.count.c_str(), entry.state == Role::doomed ? Role::doomed_text : Role::text,
               Face::mono_strong);
  }
}

void draw_counts(Ui& ui, Flow& flow, const FieldSource& source) {
  const view::CacheSize size = source.shown().size(source.s);
  const std::string live = view::format_count(size.live_slots);
  const std::string of = fmt::format("of {} slots", view::format_count(size.dense_slots));
  const float width = label_width(ui, "live", Face::ui, text_size::kTable) +
                      label_width(ui, live.c_str(), Face::mono_strong, text_size::kTable) +
                      label_width(ui, of.c_str(), Face::ui, text_size::kTable) + ui.px(10);
  Words words(ui, flow, width, 20);
  words.word("live", Role::text2, Face::ui);
  words.word(live.c_str(), Role::text, Face::mono_strong);
  words.word(of.c_str(), Role::text2, Face::ui);
}

// "aggregated ×2": a pixel is the mean of its cells. Always said where it is so.
void draw_badge(Ui& ui, const std::string& text, float width) {
  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 high{low.x + width, low.y + ui.px(height::kToolbarControl)};
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(low, high, ui.u32(Role::app), ui.px(kControlRadius));
  list.AddRect(low, high, ui.u32(Role::strong_line), ui.px(kControlRadius), 0, ui.px(1));
  label_at(ui, list, {low.x + ui.px(8), low.y + ui.px(3)}, text.c_str(), Role::text, Face::mono,
           text_size::kCaption);
  ImGui::Dummy({width, ui.px(height::kToolbarControl)});
  ImGui::SetItemTooltip("A pixel is the mean colour of its cells. Zoom in to see single tokens.");
}

void draw_modes(PanelContext& context, Flow& flow, MapOptions& options) {
  if (context.bench.preview() == nullptr) {
    options.mode = MapMode::run;
    return;
  }
  static constexpr std::array<const char*, 3> kNames{"run", "preview", "what changes"};
  Ui& ui = context.ui;
  float width = 0;
  for (const char* name : kNames)
    width += label_width(ui, name, Face::ui_strong, text_size::kTable) + ui.px(24);
  flow.place(width, 20);
  int mode = static_cast<int>(options.mode);
  segmented(ui, "mode", kNames, mode);
  options.mode = static_cast<MapMode>(mode);
}

}  // namespace

void draw_map_toolbar(PanelContext& context, MapOptions& options, const FieldSource& source,
                      double tokens_per_pixel) {
  Ui& ui = context.ui;
  Flow flow(ui);
  draw_legend(ui, flow, source);
  draw_counts(ui, flow, source);
  draw_modes(context, flow, options);

  const std::string badge = view::format_aggregation(tokens_per_pixel);
  const float badge_width =
      badge.empty() ? 0 : label_width(ui, badge.c_str(), Face::mono, text_size::kCaption) + ui.px(16);
  static constexpr std::array<const char*, 2> kOrders{"index", "retention"};
  static constexpr std::array<const char*, 2> kRows{"layer \u00d7 head", "one per layer"};
  const float order_width = ui.px(124), rows_width = ui.px(150), gap = ui.px(6);
  flow.to_right(badge_width + order_width + rows_width + (badge.empty() ? gap : 2 * gap));
  if (!badge.empty()) {
    flow.place(badge_width, 6);
    draw_badge(ui, badge, badge_width);
  }
  flow.place(order_width, 6);
  options.order = static_cast<RowOrder>(
      dropdown(ui, "##order", "Sort: ", kOrders, static_cast<int>(options.order), order_width));
  flow.place(rows_width, 6);
  options.row_per_layer =
      dropdown(ui, "##rows", "Rows: ", kRows, options.row_per_layer ? 1 : 0, rows_width) == 1;
}

}  // namespace app::gui
