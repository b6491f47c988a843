#include "app/gui/panels/retention_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/widgets/controls.hpp"
#include "app/gui/widgets/drawn_item.hpp"
#include "app/view/format.hpp"
#include "app/view/kept_share.hpp"

namespace app::gui {

void RetentionPanel::draw_bars(PanelContext& context, const std::vector<double>& shares,
                               const std::vector<double>& preview) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const bool heads = by_ == 0;
  const auto per_layer = static_cast<std::size_t>(heads ? std::max(1, bench.run().kv_heads()) : 1);
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  const ImVec2 room{std::max(ImGui::GetContentRegionAvail().x, ui.px(120)),
                    std::max(ImGui::GetContentRegionAvail().y, ui.px(70))};
  ImGui::InvisibleButton("bars", room, ImGuiButtonFlags_EnableNav);
  const bool pressed = ImGui::IsItemClicked(), over = ImGui::IsItemHovered();
  const ImVec2 low{origin.x + ui.px(42), origin.y + ui.px(6)},
      high{origin.x + room.x - ui.px(6), origin.y + room.y - ui.px(18)};
  const FontScope font(ui.fonts(), Face::mono, text_size::kAxis);
  for (const double share : {0.0, 0.5, 1.0}) {
    const float y = std::round(high.y - static_cast<float>(share) * (high.y - low.y));
    list.AddLine({low.x, y}, {high.x, y}, ui.u32(share == 0 ? Role::line : Role::grid), ui.px(1));
    const std::string text = view::format_percent(share);
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    list.AddText({low.x - size.x - ui.px(5), std::round(y - size.y / 2)}, ui.u32(Role::text2), text.c_str());
  }
  const auto count = static_cast<float>(shares.size());
  const float pitch = (high.x - low.x) / std::max(1.0F, count);
  const float gap = pitch >= 4 ? ui.px(1) : 0;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const int pointed =
      over && mouse.x >= low.x && mouse.x < high.x ? static_cast<int>((mouse.x - low.x) / pitch) : -1;
  const auto& pinned = bench.selection().head;
  const view::Hover& hover = bench.hover();
  float last_label = low.x - ui.px(40);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const float x = low.x + pitch * static_cast<float>(i);
    const auto layer = static_cast<std::int32_t>(i / per_layer),
               head = static_cast<std::int32_t>(i % per_layer);
    const auto height = static_cast<float>(shares[i]) * (high.y - low.y);
    list.AddRectFilled({x, high.y - std::max(ui.px(1), height)}, {x + std::max(1.0F, pitch - gap), high.y},
                       ui.u32(Role::kept));
    const bool is_pinned = pinned && pinned->layer == layer && (!heads || pinned->kv_head == head);
    const bool is_hovered =
        static_cast<int>(i) == pointed ||
        (hover.head && hover.head->layer == layer && (!heads || hover.head->kv_head == head)) ||
        (!hover.head && hover.layer && *hover.layer == layer);
    if (i < preview.size()) {
      const float y = std::round(high.y - static_cast<float>(preview[i]) * (high.y - low.y));
      const float wide = std::max(ui.px(3), pitch - gap);
      list.AddRectFilled({x - ui.px(1), y - ui.px(1)}, {x + wide + ui.px(1), y + ui.px(1)},
                         ui.u32(Role::accent));
    }
    if (is_hovered)
      list.AddRect({x - ui.px(1), low.y}, {x + pitch - gap + ui.px(1), high.y}, ui.u32(Role::hover_line), 0,
                   0, ui.px(1));
    if (is_pinned)
      list.AddRect({x - ui.px(2), low.y - ui.px(2)}, {x + pitch - gap + ui.px(2), high.y + ui.px(2)},
                   ui.u32(Role::accent), ui.px(2), 0, ui.px(1.5F));
    if (head == 0 && layer % 5 == 0) {
      const std::string text = fmt::format("{}", layer);
      const float width = ImGui::CalcTextSize(text.c_str()).x;
      if (x > last_label + ui.px(6) && x + width < high.x - ui.px(34)) {
        list.AddText({x, high.y + ui.px(4)}, ui.u32(Role::text2), text.c_str());
        last_label = x + width;
      }
    }
    if (pitch >= 3)
      drawn_item(fmt::format("head {}/{}", layer, head).c_str(), {x, low.y}, {x + pitch, high.y});
  }
  list.AddText({high.x - ImGui::CalcTextSize("layer").x, high.y + ui.px(4)}, ui.u32(Role::text3), "layer");
  if (pointed < 0 || static_cast<std::size_t>(pointed) >= shares.size()) return;
  const auto index = static_cast<std::size_t>(pointed);
  const view::Head head{static_cast<std::int32_t>(index / per_layer),
                        heads ? static_cast<std::int32_t>(index % per_layer) : 0};
  if (heads) {
    bench.next_hover().head = head;
  } else {
    bench.next_hover().layer = head.layer;
  }
  if (pressed) bench.select(view::pin_head(bench.selection(), head));
  ImGui::BeginTooltip();
  label(ui,
        heads ? view::format_head(head.layer, head.kv_head).c_str()
              : fmt::format("layer {}", head.layer).c_str(),
        Role::text, Face::ui_strong);
  label(ui, ("keeps " + view::format_percent(shares[index]) + " of the judged tokens").c_str(), Role::text2,
        Face::ui, text_size::kTable);
  if (index < preview.size())
    label(ui, ("preview: " + view::format_percent(preview[index])).c_str(), Role::accent, Face::ui,
          text_size::kTable);
  label(ui, "click pins it", Role::text3, Face::ui, text_size::kCaption);
  ImGui::EndTooltip();
}

void RetentionPanel::draw(PanelContext& context) {
  Ui& ui = context.ui;
  Workbench& bench = context.bench;
  if (bench.position() < 0) {
    empty_state(ui, "Nothing is judged yet", "The first decisions come with the first step.", nullptr);
    return;
  }
  constexpr std::array kNames{"by head", "by layer"};
  const float top = ImGui::GetCursorPosY();
  segmented(ui, "by", kNames, by_);
  std::vector<double> shares = view::kept_shares(bench.cache(), bench.position()), preview;
  if (view::CacheView* settings = bench.preview()) preview = view::kept_shares(*settings, bench.position());
  if (by_ == 1) {
    shares = view::by_layer(shares, bench.run().kv_heads());
    preview = view::by_layer(preview, bench.run().kv_heads());
  }
  toolbar_caption(ui, top,
                  fmt::format("kept share of judged tokens at {}{}", view::format_token(bench.position()),
                              preview.empty() ? "" : ", ticks: preview"));
  draw_bars(context, shares, preview);
}

}  // namespace app::gui
