#include "app/gui/theme/style.hpp"

#include <implot.h>

#include "app/gui/fonts/fonts.hpp"

namespace app::gui {

namespace {

void set_colors(ImGuiStyle& style, const Theme& theme) {
  const auto set = [&](ImGuiCol target, Role role) { style.Colors[target] = to_vec4(theme[role]); };
  const auto clear = [&](ImGuiCol target) { style.Colors[target] = {0, 0, 0, 0}; };
  const auto fade = [&](ImGuiCol target, Role role, double alpha) {
    style.Colors[target] = to_vec4(with_alpha(theme[role], alpha));
  };
  for (int index = 0; index < ImGuiCol_COUNT; ++index) set(index, Role::text);  // no colour is left to chance
  set(ImGuiCol_TextDisabled, Role::text3);
  set(ImGuiCol_WindowBg, Role::panel);
  clear(ImGuiCol_ChildBg);
  set(ImGuiCol_PopupBg, Role::header);
  set(ImGuiCol_Border, Role::line);
  clear(ImGuiCol_BorderShadow);
  set(ImGuiCol_FrameBg, Role::header);
  set(ImGuiCol_FrameBgHovered, Role::raised);
  set(ImGuiCol_FrameBgActive, Role::raised);
  set(ImGuiCol_TitleBg, Role::header);
  set(ImGuiCol_TitleBgActive, Role::header);
  set(ImGuiCol_TitleBgCollapsed, Role::header);
  set(ImGuiCol_MenuBarBg, Role::header);
  clear(ImGuiCol_ScrollbarBg);
  set(ImGuiCol_ScrollbarGrab, Role::raised);
  set(ImGuiCol_ScrollbarGrabHovered, Role::strong_line);
  set(ImGuiCol_ScrollbarGrabActive, Role::text3);
  set(ImGuiCol_CheckMark, Role::accent);
  set(ImGuiCol_CheckboxSelectedBg, Role::accent_dim);
  set(ImGuiCol_SliderGrab, Role::accent);
  set(ImGuiCol_SliderGrabActive, Role::accent);
  set(ImGuiCol_Button, Role::raised);
  set(ImGuiCol_ButtonHovered, Role::line);
  set(ImGuiCol_ButtonActive, Role::strong_line);
  set(ImGuiCol_Header, Role::raised);
  set(ImGuiCol_HeaderHovered, Role::raised);
  set(ImGuiCol_HeaderActive, Role::line);
  set(ImGuiCol_Separator, Role::app);  // the gaps between panels, too
  set(ImGuiCol_SeparatorHovered, Role::strong_line);
  set(ImGuiCol_SeparatorActive, Role::accent);
  clear(ImGuiCol_ResizeGrip);
  set(ImGuiCol_ResizeGripHovered, Role::strong_line);
  set(ImGuiCol_ResizeGripActive, Role::accent);
  set(ImGuiCol_InputTextCursor, Role::accent);
  set(ImGuiCol_Tab, Role::header);
  set(ImGuiCol_TabHovered, Role::raised);
  set(ImGuiCol_TabSelected, Role::panel);
  set(ImGuiCol_TabSelectedOverline, Role::accent);
  set(ImGuiCol_TabDimmed, Role::header);
  set(ImGuiCol_TabDimmedSelected, Role::panel);
  set(ImGuiCol_TabDimmedSelectedOverline, Role::panel);
  fade(ImGuiCol_DockingPreview, Role::accent, 0.35);
  set(ImGuiCol_DockingEmptyBg, Role::app);
  set(ImGuiCol_PlotLines, Role::text2);
  set(ImGuiCol_PlotLinesHovered, Role::accent);
  set(ImGuiCol_PlotHistogram, Role::kept);
  set(ImGuiCol_PlotHistogramHovered, Role::accent);
  set(ImGuiCol_TableHeaderBg, Role::header);
  set(ImGuiCol_TableBorderStrong, Role::line);
  set(ImGuiCol_TableBorderLight, Role::grid);
  clear(ImGuiCol_TableRowBg);
  fade(ImGuiCol_TableRowBgAlt, Role::header, 0.5);
  set(ImGuiCol_TextLink, Role::accent);
  fade(ImGuiCol_TextSelectedBg, Role::accent, 0.3);
  set(ImGuiCol_TreeLines, Role::line);
  set(ImGuiCol_DragDropTarget, Role::accent);
  clear(ImGuiCol_DragDropTargetBg);
  set(ImGuiCol_NavCursor, Role::accent);
  set(ImGuiCol_NavWindowingHighlight, Role::accent);
  fade(ImGuiCol_NavWindowingDimBg, Role::app, 0.5);
  fade(ImGuiCol_ModalWindowDimBg, Role::app, 0.6);
}

void set_sizes(ImGuiStyle& style, const Metrics& metrics) {
  const auto px = [&](float value) { return metrics.px(value); };
  style.WindowPadding = {px(8), px(8)};
  style.WindowRounding = px(kCardRadius);
  style.ChildRounding = px(kCardRadius);
  style.PopupRounding = px(kCardRadius);
  style.FrameRounding = style.GrabRounding = style.TabRounding = px(kControlRadius);
  style.WindowBorderSize = style.ChildBorderSize = style.PopupBorderSize = px(1);
  style.FrameBorderSize = 0;
  style.WindowMinSize = {px(64), px(32)};
  style.WindowMenuButtonPosition = ImGuiDir_None;
  style.FramePadding = {px(8), px(4)};
  style.ItemSpacing = {px(8), px(4)};
  style.ItemInnerSpacing = {px(4), px(4)};
  style.CellPadding = {px(4), px(2)};
  style.IndentSpacing = px(16);
  style.ScrollbarSize = px(10);
  style.ScrollbarRounding = px(5);
  style.GrabMinSize = px(10);
  style.TabBorderSize = 0;
  style.TabBarBorderSize = 0;
  style.TabBarOverlineSize = px(2);
  style.TabCloseButtonMinWidthSelected = 0;  // while hovered
  style.TabCloseButtonMinWidthUnselected = 0;
  style.DockingSeparatorSize = px(kPanelGap);
  style.DockingNodeHasCloseButton = false;  // a tab has its own
  style.SeparatorSize = px(1);
  style.MenuItemRounding = px(kControlRadius);
  style.HoverDelayNormal = 0;
  style.HoverDelayShort = 0;
  style.HoverStationaryDelay = 0;
}

void set_plots(const Theme& theme, const Metrics& metrics) {
  ImPlotStyle& style = ImPlot::GetStyle();
  const auto set = [&](ImPlotCol target, Role role) { style.Colors[target] = to_vec4(theme[role]); };
  set(ImPlotCol_FrameBg, Role::panel);
  set(ImPlotCol_PlotBg, Role::panel);
  set(ImPlotCol_PlotBorder, Role::line);
  set(ImPlotCol_LegendBg, Role::header);
  set(ImPlotCol_LegendBorder, Role::line);
  set(ImPlotCol_LegendText, Role::text2);
  set(ImPlotCol_TitleText, Role::text);
  set(ImPlotCol_InlayText, Role::text2);
  set(ImPlotCol_AxisText, Role::text2);
  set(ImPlotCol_AxisGrid, Role::grid);
  set(ImPlotCol_AxisTick, Role::line);
  set(ImPlotCol_Selection, Role::accent);
  set(ImPlotCol_Crosshairs, Role::hover_line);
  style.PlotPadding = {metrics.px(8), metrics.px(8)};
  style.LabelPadding = {metrics.px(4), metrics.px(4)};
  style.PlotBorderSize = metrics.px(1);
  style.MinorAlpha = 0.4F;
}

}  // namespace

ImVec4 to_vec4(Color color) {
  const auto unit = [](std::uint8_t channel) { return static_cast<float>(channel) / 255.0F; };
  return {unit(color.red), unit(color.green), unit(color.blue), unit(color.alpha)};
}

void apply_style(const Theme& theme, const Metrics& metrics) {
  ImGuiStyle& style = ImGui::GetStyle();
  style = ImGuiStyle();
  set_sizes(style, metrics);
  set_colors(style, theme);
  style.FontSizeBase = em_to_line(Face::ui, text_size::kBody);
  style.FontScaleMain = 1;
  style.FontScaleDpi = metrics.scale();
  set_plots(theme, metrics);
}

}  // namespace app::gui
