#include "app/gui/panels/map_panel.hpp"

#include <algorithm>
#include <cmath>

#include "app/gui/panels/token_tooltip.hpp"

namespace app::gui {

namespace {

// Rows of whole pixels leave a rest: the gaps between layers, then the opened layer, take it.
view::RowLayout fit_rows(view::RowLayoutOptions options, std::int32_t opened_heads) {
  view::RowLayout layout = view::layout_rows(options);
  const std::int32_t gaps = options.layers - 1;
  const bool has_gaps = options.sort_keys.empty() && !options.row_per_layer && gaps > 0;
  if (has_gaps && options.separator < 3 && options.height - layout.height >= gaps) {
    options.separator += std::min(2, (options.height - layout.height) / gaps);
    layout = view::layout_rows(options);
  }
  const std::int32_t rest = options.height - layout.height;
  if (opened_heads > 0 && rest >= opened_heads) {
    options.expanded_row_height += std::min(rest / opened_heads, options.expanded_row_height);
    layout = view::layout_rows(options);
  }
  return layout;
}

// What is below the rows moves up by what they leave free.
void shrink(MapFrame& frame, float rest) {
  if (rest <= 0) return;
  for (Area* area : {&frame.main.area, &frame.near.area, &frame.gutter, &frame.bars}) area->high.y -= rest;
  for (Area* area : {&frame.main.strip, &frame.near.strip, &frame.footer}) {
    area->low.y -= rest;
    area->high.y -= rest;
  }
}

}  // namespace

void MapPanel::sort_again(const FieldSource& source) {
  // A map that is put in order at every step cannot be read.
  constexpr std::int32_t kPatience = 256;
  if (sorted_at_ >= 0 && std::abs(source.s - sorted_at_) < kPatience) return;
  sorted_at_ = source.s;
  ++sorted_;
  sort_keys_.resize(static_cast<std::size_t>(source.run->heads()));
  for (std::int32_t head = 0; head < source.run->heads(); ++head)
    sort_keys_[static_cast<std::size_t>(head)] = -source.run->live(head, source.s);
}

void MapPanel::lay_out_rows(PanelContext& context, const FieldSource& source, float height) {
  const view::RunSnapshot& run = context.bench.run();
  const bool sorted = options_.order == RowOrder::retention;
  if (sorted) {
    sort_again(source);
  } else {
    sorted_at_ = -1;
  }
  const auto& pinned = context.bench.selection().head;
  const RowKey key{run.run_id(),
                   run.layers(),
                   run.kv_heads(),
                   pinned ? pinned->layer : -1,
                   static_cast<std::int32_t>(height),
                   context.ui.metrics().scale(),
                   options_.row_per_layer,
                   options_.order,
                   sorted ? sorted_ : 0};
  if (key == row_key_) return;
  row_key_ = key;
  ++rows_version_;
  const auto pixels = [&](float at_100) { return static_cast<std::int32_t>(context.ui.px(at_100)); };
  view::RowLayoutOptions options;
  options.layers = key.layers;
  options.kv_heads = key.kv_heads;
  options.row_per_layer = key.row_per_layer;
  if (pinned) options.expanded_layer = pinned->layer;
  options.expanded_row_height = pixels(13);
  options.separator = pixels(1);
  options.max_row_height = pixels(26);
  options.height = key.height;
  if (sorted) options.sort_keys = sort_keys_;
  rows_ = fit_rows(options, pinned ? key.kv_heads : 0);
}

void MapPanel::draw(PanelContext& context) {
  Workbench& bench = context.bench;
  Ui& ui = context.ui;
  if (bench.run().run_id() != run_id_) {
    run_id_ = bench.run().run_id();
    viewport_.reset();
    scroll_ = 0;
    sorted_at_ = -1;
    drag_ = Drag::none;
  }
  const std::int32_t s = bench.position();
  if (s < 0) return;
  viewport_.set_total(bench.positions());
  FieldSource source{&bench.cache(), bench.preview(), options_.mode, s};

  // The toolbar comes first and says how many tokens a pixel of the map below it stands for.
  const float last_width = std::max(1.0F, ImGui::GetContentRegionAvail().x);
  const MapFrame guess = lay_out_map(ui, source, viewport_.visible(), {0, 0}, {last_width, ui.px(400)});
  draw_map_toolbar(context, options_, source, guess.main.axis.tokens_per_pixel());
  source.mode = options_.mode;

  const ImVec2 low = ImGui::GetCursorScreenPos();
  const ImVec2 room = ImGui::GetContentRegionAvail();
  if (room.x < ui.px(90) || room.y < ui.px(24)) return;
  MapFrame frame = lay_out_map(ui, source, viewport_.visible(), low, {low.x + room.x, low.y + room.y});
  lay_out_rows(context, source, frame.main.area.height());
  frame.rows = &rows_;
  shrink(frame, frame.main.area.height() - static_cast<float>(rows_.height));
  const float hidden = static_cast<float>(rows_.height) - frame.main.area.height();
  scroll_ = std::clamp(scroll_, 0.0F, std::max(0.0F, hidden));
  frame.scroll = static_cast<int>(scroll_);
  paint(context, frame);
  take_input(context, frame);
}

void MapPanel::paint(PanelContext& context, const MapFrame& frame) {
  Ui& ui = context.ui;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const view::CacheView::Marks marks = frame.source.shown().marks(frame.source.s);
  struct Part {
    const MapField& field;
    CellField& cells;
    std::vector<view::HoldingPixel>& strip;
  };
  for (const Part& part : {Part{frame.main, main_, main_strip_}, Part{frame.near, near_, near_strip_}}) {
    const Area& area = part.field.area;
    if (area.empty()) continue;
    const ImVec2 end{area.high.x, std::min(area.high.y, area.low.y + static_cast<float>(rows_.height))};
    // Gaps between layers are darker, as far as there are tokens.
    list.AddRectFilled(area.low, end, ui.u32(Role::unborn));
    const std::int32_t born = std::min(frame.source.s, part.field.axis.tokens.end - 1);
    if (born >= part.field.axis.tokens.begin)
      list.AddRectFilled(area.low, {part.field.end_x(born), end.y}, ui.u32(Role::app));
    const bool changed =
        part.cells.update(frame.source, rows_.rows, rows_version_, part.field.axis, ui.theme());
    part.cells.draw(list, rows_.rows, area.low, area.high, frame.scroll);
    if (frame.source.mode != MapMode::difference) {
      hatch_doomed(ui, list, marks, rows_.rows, part.field.axis, frame.source.s, area.low, area.high,
                   frame.scroll);
    }
    if (changed) view::count_holding(marks, part.field.axis, frame.source.s, part.strip);
    paint_strip(ui, frame.source, part.field, part.strip);
  }
  // The flags of what is pinned stand there too.
  const view::Selection& selection = context.bench.selection();
  if (frame.footer.height() > 0 && !selection.token && !selection.tokens) {
    const FontScope font(ui.fonts(), Face::ui, text_size::kCaption);
    const char* help =
        "wheel zooms tokens, Shift+wheel rows, drag pans, Ctrl+drag selects, click pins, double-click shows "
        "all";
    label_at(ui, list, {frame.main.area.low.x, frame.footer.low.y + ui.px(2)},
             fit_text(help, frame.header.high.x - frame.main.area.low.x).c_str(), Role::text3, Face::ui,
             text_size::kCaption);
  }
  paint_gutter(context, frame, options_.order != RowOrder::index);
  paint_axis(context, frame);
  paint_live_bars(context, frame);
  paint_marks(context, frame);
}

}  // namespace app::gui
