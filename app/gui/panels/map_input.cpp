#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/panels/map_panel.hpp"
#include "app/gui/panels/token_tooltip.hpp"

namespace app::gui {

namespace {

view::Head head_of(const view::RunSnapshot& run, std::int32_t flat) {
  const std::int32_t kv_heads = std::max(1, run.kv_heads());
  return {flat / kv_heads, flat % kv_heads};
}

// An item over an area of the panel: tests and the keyboard find it by its name.
bool area_item(const char* id, const Area& area) {
  ImGui::SetCursorScreenPos(area.low);
  const ImVec2 size{std::max(1.0F, area.width()), std::max(1.0F, area.height())};
  const bool pressed = ImGui::InvisibleButton(
      id, size,
      ImGuiButtonFlags_EnableNav | ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonMiddle);
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
  return pressed;
}

bool was_dragged(ImGuiMouseButton button = ImGuiMouseButton_Left) {
  const float threshold = ImGui::GetIO().MouseDragThreshold;
  return ImGui::GetIO().MouseDragMaxDistanceSqr[button] > threshold * threshold;
}

}  // namespace

void MapPanel::take_input(PanelContext& context, const MapFrame& frame) {
  take_gutter(context, frame);
  struct Part {
    const char* id;
    const MapField& field;
  };
  for (const Part& part : {Part{"##map", frame.main}, Part{"##magnifier", frame.near}}) {
    if (part.field.area.empty()) continue;
    Area area = part.field.area;
    if (!part.field.strip.empty()) area.high.y = part.field.strip.high.y;
    const bool clicked = area_item(part.id, area);
    if (ImGui::IsItemHovered()) {
      take_wheel(context, frame, part.field);
      point_at(context, frame, part.field);
    }
    if (ImGui::IsItemHovered() || ImGui::IsItemActive()) take_drag(context, frame, part.field, clicked);
  }
  take_box(context, frame);
  if (!ImGui::IsMouseDown(ImGuiMouseButton_Left) && !ImGui::IsMouseDown(ImGuiMouseButton_Middle))
    drag_ = Drag::none;
  if (ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows) && !ImGui::GetIO().WantTextInput)
    take_keys(context, frame);
}

void MapPanel::scroll_rows(const MapFrame& frame, float pixels) {
  const float hidden = static_cast<float>(rows_.height) - frame.main.area.height();
  scroll_ = std::clamp(scroll_ + pixels, 0.0F, std::max(0.0F, hidden));
}

void MapPanel::take_wheel(PanelContext& context, const MapFrame& frame, const MapField& field) {
  const ImGuiIO& io = ImGui::GetIO();
  const double size = viewport_.visible().size();
  if (io.MouseWheelH != 0) viewport_.pan(static_cast<double>(-io.MouseWheelH) * size * 0.1);
  if (io.MouseWheel == 0) return;
  if (io.KeyShift) return scroll_rows(frame, -io.MouseWheel * context.ui.px(39));
  // In the magnifier the wheel takes the main map to what the pointer is over.
  const double token = field.tokens_at(io.MousePos.x).begin;
  const double share =
      &field == &frame.main
          ? static_cast<double>((io.MousePos.x - field.area.low.x) / std::max(1.0F, field.area.width()))
          : (token - viewport_.visible().begin) / std::max(1.0, size);
  viewport_.zoom(std::pow(1.25, static_cast<double>(io.MouseWheel)), std::clamp(share, 0.0, 1.0));
}

void MapPanel::take_drag(PanelContext& context, const MapFrame& frame, const MapField& field, bool clicked) {
  Workbench& bench = context.bench;
  const ImGuiIO& io = ImGui::GetIO();
  const std::int32_t token = field.tokens_at(io.MousePos.x).begin;
  const auto& range = bench.selection().tokens;
  const float reach = context.ui.px(4);
  const auto near = [&](std::int32_t at, bool end) {
    return field.shows(at) && std::abs((end ? field.end_x(at) : field.begin_x(at)) - io.MousePos.x) <= reach;
  };
  const bool at_begin = range && near(range->begin, false);
  const bool at_end = range && near(range->end - 1, true);
  if (drag_ == Drag::select || (drag_ == Drag::none && (at_begin || at_end)))
    ImGui::SetMouseCursor(ImGuiMouseCursor_ResizeEW);

  if (ImGui::IsItemActivated() && ImGui::IsMouseDown(ImGuiMouseButton_Middle)) {
    drag_ = Drag::box;
    drag_anchor_ = drag_end_ = token;
  } else if (ImGui::IsItemActivated()) {
    drag_ = io.KeyCtrl || at_begin || at_end ? Drag::select : Drag::pan;
    drag_anchor_ = at_begin ? range->end - 1 : at_end ? range->begin : token;
    if (drag_ == Drag::select && !(at_begin || at_end))
      bench.select(view::select_tokens(bench.selection(), token, token));
  }
  if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && ImGui::IsItemHovered()) {
    // Its first click was no click: what that pinned is taken back.
    if (std::exchange(clicked_, false)) bench.history().back();
    return viewport_.reset();
  }
  if (drag_ == Drag::box) {
    drag_end_ = token;
    return;
  }
  if (ImGui::IsItemActive() && drag_ == Drag::select) {
    // One entry of the history for the whole gesture.
    bench.history().replace(view::select_tokens(bench.selection(), drag_anchor_, token));
  } else if (ImGui::IsItemActive() && drag_ == Drag::pan && was_dragged()) {
    ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
    viewport_.pan(-static_cast<double>(io.MouseDelta.x) * frame.main.axis.tokens_per_pixel());
    scroll_rows(frame, -io.MouseDelta.y);
  }
  const bool keyboard = clicked && !ImGui::IsMouseReleased(ImGuiMouseButton_Left);
  const bool second = io.MouseClickedLastCount[ImGuiMouseButton_Left] > 1;
  if (!clicked || was_dragged() || drag_ == Drag::select || keyboard || second) return;
  view::Selection selection = view::pin_token(bench.selection(), token);
  const std::int32_t head = frame.head_at(io.MousePos.y);
  if (head >= 0) selection = view::pin_head(std::move(selection), head_of(bench.run(), head));
  clicked_ = !(selection == bench.selection());
  bench.select(std::move(selection));
}

// The middle button draws a box; what is in it is shown when it is let go.
void MapPanel::take_box(PanelContext& context, const MapFrame& frame) {
  if (drag_ != Drag::box) return;
  const view::TokenRange box{std::min(drag_anchor_, drag_end_), std::max(drag_anchor_, drag_end_) + 1};
  if (ImGui::IsMouseDown(ImGuiMouseButton_Middle)) return paint_box(context, frame, box);
  if (was_dragged(ImGuiMouseButton_Middle)) viewport_.show(box);
}

void MapPanel::point_at(PanelContext& context, const MapFrame& frame, const MapField& field) {
  if (drag_ == Drag::pan && was_dragged()) return;
  Workbench& bench = context.bench;
  const ImVec2 at = ImGui::GetIO().MousePos;
  const view::TokenRange pixel = field.tokens_at(at.x);
  if (pixel.size() <= 0 || pixel.begin >= bench.positions()) return;
  view::Hover& hover = bench.next_hover();
  hover.token = pixel.begin;
  const std::int32_t head = at.y < field.area.high.y ? frame.head_at(at.y) : -1;
  if (head < 0) return;
  hover.head = head_of(bench.run(), head);
  hover.layer = hover.head->layer;
  const std::int32_t row = frame.rows->row_of(head);
  const std::int32_t heads = row >= 0 ? frame.rows->rows[static_cast<std::size_t>(row)].head_count : 1;
  if (drag_ != Drag::none) return;
  token_tooltip(context.ui, frame.source.shown(), frame.source.s, head, pixel.begin, pixel, heads);
}

// The name of a layer selects its heads, the name of a head pins it; with Ctrl a head joins the selected ones
// or leaves them.
void MapPanel::take_gutter(PanelContext& context, const MapFrame& frame) {
  Workbench& bench = context.bench;
  const bool clicked = area_item("##gutter", frame.gutter);
  if (!ImGui::IsItemHovered()) return;
  const ImGuiIO& io = ImGui::GetIO();
  if (io.MouseWheel != 0) scroll_rows(frame, -io.MouseWheel * context.ui.px(39));
  const std::int32_t flat = frame.head_at(io.MousePos.y);
  if (flat < 0) return;
  const view::Head head = head_of(bench.run(), flat);
  const bool on_layer = io.MousePos.x < frame.gutter.high.x - context.ui.px(20);
  bench.next_hover().layer = head.layer;
  if (!on_layer) bench.next_hover().head = head;
  if (!clicked) return;
  view::Selection selection = bench.selection();
  if (io.KeyCtrl && !on_layer) {
    selection.heads = selection.heads.toggled(head);
    return bench.select(std::move(selection));
  }
  if (!selection.head || selection.head->layer != head.layer || !on_layer)
    selection = view::pin_head(std::move(selection), head);
  if (on_layer) {
    const view::HeadSet layer = view::HeadSet::layer(head.layer, bench.run().kv_heads());
    selection.heads = selection.heads == layer ? view::HeadSet() : layer;
  }
  bench.select(std::move(selection));
}

void MapPanel::take_keys(PanelContext& context, const MapFrame& frame) {
  const ImGuiIO& io = ImGui::GetIO();
  if (io.KeyCtrl || io.KeyAlt || io.KeySuper) return;
  constexpr double kZoom = 1.25, kPan = 0.12;
  const double size = viewport_.visible().size();
  const auto& pinned = context.bench.selection().token;
  // About the pinned token if it is in view, else about the middle.
  double share = 0.5;
  if (pinned && viewport_.visible().contains(*pinned))
    share = (*pinned + 0.5 - viewport_.visible().begin) / std::max(1.0, size);
  const float rows = context.ui.px(39);
  if (ImGui::IsKeyPressed(ImGuiKey_W)) io.KeyShift ? scroll_rows(frame, -rows) : viewport_.zoom(kZoom, share);
  if (ImGui::IsKeyPressed(ImGuiKey_S))
    io.KeyShift ? scroll_rows(frame, rows) : viewport_.zoom(1 / kZoom, share);
  if (ImGui::IsKeyPressed(ImGuiKey_A)) viewport_.pan(-size * kPan);
  if (ImGui::IsKeyPressed(ImGuiKey_D)) viewport_.pan(size * kPan);
  if (ImGui::IsKeyPressed(ImGuiKey_F, false)) focus_selection(context, frame);
}

// The selected tokens, else what is around the pinned one, else everything; and the pinned head's row.
void MapPanel::focus_selection(PanelContext& context, const MapFrame& frame) {
  constexpr std::int32_t kAround = 60;
  const auto& tokens = context.bench.selection().tokens;
  const auto& pinned = context.bench.selection().token;
  if (ImGui::GetIO().KeyShift) return viewport_.reset();
  if (tokens) {
    viewport_.show(*tokens);
  } else if (pinned) {
    viewport_.show({*pinned - kAround, *pinned + kAround + 1});
  } else {
    viewport_.reset();
  }
  const auto& head = context.bench.selection().head;
  if (!head) return;
  const std::int32_t row = rows_.row_of(head->layer * context.bench.run().kv_heads() + head->kv_head);
  if (row < 0) return;
  scroll_ = static_cast<float>(rows_.rows[static_cast<std::size_t>(row)].y) - frame.main.area.height() / 2;
}

}  // namespace app::gui
