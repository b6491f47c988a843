#include "app/gui/shell/dockspace.hpp"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>

#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {

// Part of every id: raised when a saved arrangement would no longer fit.
constexpr int kVersion = 2;
// Docks take their windows in over two or three frames; many more would mean that a window never comes.
constexpr int kSettlingFrames = 12, kFirstLook = 3;

ImGuiID dock_id(const Layout& layout) {
  return ImHashStr(fmt::format("dock/{}.v{}", layout.name, kVersion).c_str());
}

const Place* place_of(const Layout& layout, const std::string& panel) {
  const auto found = std::find_if(layout.places.begin(), layout.places.end(),
                                  [&](const Place& place) { return place.panel == panel; });
  return found == layout.places.end() ? nullptr : &*found;
}

void begin_area(ImVec2 low, ImVec2 high) {
  ImGui::SetNextWindowPos(low);
  ImGui::SetNextWindowSize({high.x - low.x, high.y - low.y});
}

// In a window that was focused from a menu or by a command Dear ImGui's Tab begins nowhere: here it begins at
// the first item.
void begin_tabbing() {
  const bool nowhere = ImGui::IsWindowFocused() && ImGui::GetCurrentContext()->NavId == 0;
  if (nowhere && ImGui::IsKeyPressed(ImGuiKey_Tab) && !ImGui::GetIO().KeyCtrl)
    ImGui::NavInitWindow(ImGui::GetCurrentWindow(), true);
}

constexpr ImGuiWindowFlags kFrameless = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking |
                                        ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                                        ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoNavFocus;

}  // namespace

std::string Dockspace::window_name(const Layout& layout, const PanelInfo& panel) {
  return fmt::format("{}###{}/{}.v{}", panel.title, layout.name, panel.name, kVersion);
}

bool Dockspace::is_open(const Layout& layout, const std::string& panel) const {
  const auto found = open_.find(layout.name + "/" + panel);
  if (found != open_.end()) return found->second;
  const Place* place = place_of(layout, panel);
  return place != nullptr && place->open;
}

bool Dockspace::is_in_front(const std::string& panel) const {
  const auto found = drawn_.find(panel);
  return found != drawn_.end() && found->second.visible;
}

void Dockspace::set_open(const Layout& layout, const std::string& panel, bool open) {
  open_[layout.name + "/" + panel] = open;
}

void Dockspace::show(const Layout& layout, const std::string& panel) {
  set_open(layout, panel, true);
  to_show_ = panel;
  show_frames_ = 3;  // a window that is new finds its dock in its second frame
}

void Dockspace::reset(const Layout& layout) {
  std::erase_if(open_, [&](const auto& entry) { return entry.first.starts_with(layout.name + "/"); });
  to_reset_ = layout.name;
}

void Dockspace::build(const Layout& layout, ImGuiID id, ImVec2 size) {
  ImGui::DockBuilderRemoveNode(id);
  ImGui::DockBuilderAddNode(id, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(id, size);
  std::map<std::string, ImGuiID> areas{{"centre", id}};
  for (const AreaSplit& split : layout.splits) {
    ImGuiID rest = 0;
    areas[split.area] =
        ImGui::DockBuilderSplitNode(areas[split.from], split.side, split.part, nullptr, &rest);
    areas[split.from] = rest;
  }
  for (const Place& place : layout.places) {
    ImGui::DockBuilderDockWindow(window_name(layout, *panel_named(place.panel)).c_str(), areas[place.area]);
  }
  ImGui::DockBuilderFinish(id);
  for (const Place& place : layout.places) {
    const ImGuiID window = ImHashStr(window_name(layout, *panel_named(place.panel)).c_str());
    // What a window will be called among the tabs, known before it exists.
    if (place.front)
      ImGui::DockBuilderGetNode(areas[place.area])->SelectedTabId = ImHashStr("#TAB", 0, window);
  }
  settling_ = kSettlingFrames;
}

// Selects each dock's first tab; the focus ends in the middle.
bool Dockspace::show_fronts(const Layout& layout) {
  std::string centre;
  bool all = true;
  for (const Place& place : layout.places) {
    if (!place.front || !is_open(layout, place.panel)) continue;
    const std::string name = window_name(layout, *panel_named(place.panel));
    ImGuiWindow* window = ImGui::FindWindowByName(name.c_str());
    if (window == nullptr || window->DockNode == nullptr) {
      all = false;
      continue;
    }
    all = all && window->DockTabIsVisible;
    window->DockNode->SelectedTabId = window->TabId;
    if (window->DockNode->TabBar != nullptr) window->DockNode->TabBar->NextSelectedTabId = window->TabId;
    if (place.area == "centre") centre = name;
  }
  if (!centre.empty()) ImGui::SetWindowFocus(centre.c_str());
  return all;
}

std::string Dockspace::tab_menu(PanelContext& context, const Layout& layout, const PanelInfo& info) {
  if (!ImGui::BeginPopupContextItem("tab menu")) return {};
  std::string asked;
  if (ImGui::MenuItem("Close")) set_open(layout, info.name, false);
  if (ImGui::MenuItem("Save as PNG", context.commands.keys("file.save_picture").c_str())) {
    focused_ = info.name;
    asked = "file.save_picture";
  }
  ImGui::Separator();
  if (ImGui::MenuItem("Reset layout")) asked = "view.reset_layout";
  ImGui::EndPopup();
  return asked;
}

Panel* Dockspace::panel(const std::string& name) {
  const auto found = panels_.find(name);
  if (found != panels_.end()) return found->second.get();
  const auto maker = makers_.find(name);
  auto& made = panels_[name];
  if (maker != makers_.end()) made = maker->second();
  return made.get();
}

std::string Dockspace::draw_panel(PanelContext& context, const PanelInfo& info) {
  Panel* const shown = panel(info.name);
  if (shown != nullptr && shown->has_data(context)) {
    shown->draw(context);
    return {};
  }
  const bool offer = !context.bench.has_run() && info.name != "log";
  const Command* open = context.commands.find("file.open_trace");
  const bool can_open = offer && open != nullptr && context.commands.is_enabled(*open);
  const bool pressed =
      empty_state(context.ui, info.title.c_str(), info.empty.c_str(), can_open ? "Open a trace" : nullptr);
  return pressed ? "file.open_trace" : "";
}

std::string Dockspace::draw(PanelContext& context, const Layout& layout, ImVec2 low, ImVec2 high) {
  const ImGuiID id = dock_id(layout);
  begin_area(low, high);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::Begin("##docks", nullptr, kFrameless | ImGuiWindowFlags_NoBackground);
  ImGui::PopStyleVar(2);
  if (ImGui::DockBuilderGetNode(id) == nullptr || to_reset_ == layout.name) {
    build(layout, id, {high.x - low.x, high.y - low.y});
    to_reset_.clear();
  }
  ImGui::DockSpace(id, {0, 0}, ImGuiDockNodeFlags_NoWindowMenuButton);
  ImGui::End();

  std::string asked;
  for (auto& [name, drawn] : drawn_) drawn.visible = false;
  for (const Place& place : layout.places) {  // tabs lie in the order in which their windows first appear
    const PanelInfo& info = *panel_named(place.panel);
    if (!is_open(layout, info.name)) continue;
    const std::string name = window_name(layout, info);
    if (to_show_ == info.name) {
      ImGui::SetNextWindowFocus();
      // A dock that was just built brings its own first tabs to the front before.
      if (settling_ == 0 && --show_frames_ <= 0) to_show_.clear();
    }
    // Without a close button, for which every tab would keep room: the tab's menu closes.
    if (ImGui::Begin(name.c_str(), nullptr,
                     ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoFocusOnAppearing)) {
      const std::string chosen = tab_menu(context, layout, info);
      if (!chosen.empty()) asked = chosen;
      drawn_[info.name] = {info.title, ImGui::GetWindowPos(), ImGui::GetWindowPos(), true};
      drawn_[info.name].high.x += ImGui::GetWindowSize().x;
      drawn_[info.name].high.y += ImGui::GetWindowSize().y;
      if (ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows)) focused_ = info.name;
      begin_tabbing();
      const std::string request = draw_panel(context, info);
      if (!request.empty()) asked = request;
    }
    ImGui::End();
  }
  if (settling_ > 0 && --settling_ <= kSettlingFrames - kFirstLook && show_fronts(layout)) settling_ = 0;
  return asked;
}

std::string Dockspace::draw_single(PanelContext& context, const PanelInfo& info, ImVec2 low, ImVec2 high) {
  begin_area(low, high);
  ImGui::Begin(("##single/" + info.name).c_str(), nullptr, kFrameless);
  std::string asked = draw_panel(context, info);
  ImGui::End();
  return asked;
}

bool Dockspace::area_of(const std::string& panel, ImVec2& low, ImVec2& high) const {
  const auto found = drawn_.find(panel);
  if (found == drawn_.end() || !found->second.visible) return false;
  low = found->second.low;
  high = found->second.high;
  return true;
}

bool Dockspace::focused_area(std::string& title, ImVec2& low, ImVec2& high) const {
  const auto found = drawn_.find(focused_);
  if (found == drawn_.end() || !found->second.visible) return false;
  title = found->second.title;
  low = found->second.low;
  high = found->second.high;
  return true;
}

}  // namespace app::gui
