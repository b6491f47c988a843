// The panels in their docks: one arrangement per layout, all kept side by side, so that changing the layout
// is instant and loses nothing.
#pragma once

#include <imgui.h>

#include <map>
#include <memory>
#include <string>

#include "app/gui/shell/layouts.hpp"
#include "app/gui/shell/panel.hpp"

namespace app::gui {

class Dockspace {
 public:
  explicit Dockspace(std::map<std::string, PanelMaker> makers) : makers_(std::move(makers)) {}

  // Fills the rectangle with the layout's panels. Returns the command id that an empty state's button asked
  // for.
  std::string draw(PanelContext& context, const Layout& layout, ImVec2 low, ImVec2 high);
  // One panel alone (dmscope shot --panel).
  std::string draw_single(PanelContext& context, const PanelInfo& panel, ImVec2 low, ImVec2 high);

  void reset(const Layout& layout);
  bool is_open(const Layout& layout, const std::string& panel) const;
  // Open, and not behind another tab, as of the last frame.
  bool is_in_front(const std::string& panel) const;
  void set_open(const Layout& layout, const std::string& panel, bool open);
  // Brings the panel's tab to the front, opening it if need be.
  void show(const Layout& layout, const std::string& panel);

  // Where the panel lies; false while it is not the front tab of its dock.
  bool area_of(const std::string& panel, ImVec2& low, ImVec2& high) const;
  // False while docks that were built are still finding their windows.
  bool settled() const { return settling_ == 0; }

  // Where the panel that has, or last had, the focus lies; false if none is drawn.
  bool focused_area(std::string& title, ImVec2& low, ImVec2& high) const;
  // "layout/panel" to whether it is open, where that differs from the layout's default.
  std::map<std::string, bool>& open_panels() { return open_; }

  static std::string window_name(const Layout& layout, const PanelInfo& panel);

 private:
  struct Drawn {
    std::string title;
    ImVec2 low, high;
    bool visible = false;
  };
  void build(const Layout& layout, ImGuiID id, ImVec2 size);
  // True once every dock shows its first tab.
  bool show_fronts(const Layout& layout);
  // The menu of a tab. Returns the command that was asked for.
  std::string tab_menu(PanelContext& context, const Layout& layout, const PanelInfo& info);
  std::string draw_panel(PanelContext& context, const PanelInfo& info);
  Panel* panel(const std::string& name);

  std::map<std::string, PanelMaker> makers_;
  std::map<std::string, std::unique_ptr<Panel>> panels_;
  std::map<std::string, bool> open_;
  std::map<std::string, Drawn> drawn_;
  std::string focused_;
  std::string to_reset_;
  std::string to_show_;
  int settling_ = 0;  // frames left to the docks that were built to take their windows in
  int show_frames_ = 0;
};

}  // namespace app::gui
