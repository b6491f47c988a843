#include "app/gui/shell/file_dialog.hpp"

#include <imgui_stdlib.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "app/gui/fonts/icons.hpp"
#include "app/gui/widgets/controls.hpp"

namespace app::gui {

namespace {

namespace fs = std::filesystem;
// More would make a frame slow; the path field reaches the rest.
constexpr std::size_t kMaxEntries = 5000;
constexpr const char* kPopup = "###file dialog";

}  // namespace

void FileDialog::open(const std::string& title, bool folder, bool native, Chosen chosen) {
  title_ = title;
  wants_folder_ = folder;
  chosen_ = std::move(chosen);
  if (native && native_.start(title, folder)) return;
  opening_ = true;
}

void FileDialog::go(const fs::path& folder) {
  folder_ = folder;
  path_text_ = folder.string();
  list();
}

void FileDialog::list() {
  entries_.clear();
  problem_.clear();
  std::error_code error;
  fs::directory_iterator entry(folder_, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::directory_iterator() && entries_.size() < kMaxEntries;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (!name.starts_with('.')) entries_.push_back({name, entry->is_directory(ignored)});
  }
  if (error) problem_ = folder_.string() + ": " + error.message();
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });
}

void FileDialog::draw_entries(Ui& ui, std::string& chosen) {
  fs::path next;
  ImGui::BeginChild("entries", {0, -ui.px(height::kButton + 8)}, ImGuiChildFlags_Borders);
  if (ImGui::Selectable("..")) next = folder_.parent_path();
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(entries_.size()));
  while (clipper.Step()) {
    for (int index = clipper.DisplayStart; index < clipper.DisplayEnd; ++index) {
      const Entry& entry = entries_[static_cast<std::size_t>(index)];
      label(ui, entry.is_folder ? icon::kFolder : icon::kFile, Role::text3);
      ImGui::SameLine(ui.px(28));
      ImGui::BeginDisabled(wants_folder_ && !entry.is_folder);
      if (ImGui::Selectable(entry.name.c_str(), path_text_ == (folder_ / entry.name).string(),
                            ImGuiSelectableFlags_AllowDoubleClick | ImGuiSelectableFlags_NoAutoClosePopups)) {
        path_text_ = (folder_ / entry.name).string();
        const bool twice = ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
        if (twice && entry.is_folder) next = path_text_;
        if (twice && !entry.is_folder) chosen = path_text_;
      }
      ImGui::EndDisabled();
    }
  }
  if (!problem_.empty()) label(ui, problem_.c_str(), Role::warning);
  ImGui::EndChild();
  if (!next.empty()) go(next);
}

void FileDialog::draw(Ui& ui) {
  if (const auto path = native_.poll(); path && !path->empty() && chosen_) chosen_(*path);
  if (std::exchange(opening_, false)) {
    std::error_code error;
    if (folder_.empty()) folder_ = fs::current_path(error);
    go(folder_.empty() ? fs::path("/") : folder_);
    ImGui::OpenPopup(kPopup);
  }
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  ImGui::SetNextWindowSize(
      {std::min(ui.px(620), viewport.Size.x - ui.px(32)), std::min(ui.px(460), viewport.Size.y - ui.px(48))});
  ImGui::SetNextWindowPos(viewport.GetCenter(), ImGuiCond_Appearing, {0.5F, 0.5F});
  bool open = true;
  if (!ImGui::BeginPopupModal((title_ + kPopup).c_str(), &open, ImGuiWindowFlags_NoResize)) return;
  std::string chosen;
  ImGui::SetNextItemWidth(-1);
  const bool entered = ImGui::InputText("##path", &path_text_, ImGuiInputTextFlags_EnterReturnsTrue);
  draw_entries(ui, chosen);
  const bool confirmed =
      button(ui, wants_folder_ ? "Choose this folder" : "Open", ButtonKind::primary) || entered;
  ImGui::SameLine();
  if (button(ui, "Cancel")) ImGui::CloseCurrentPopup();
  if (confirmed) {
    std::error_code error;
    if (fs::is_directory(path_text_, error) != wants_folder_ && fs::is_directory(path_text_, error)) {
      go(path_text_);
    } else if (fs::exists(path_text_, error)) {
      chosen = path_text_;
    } else {
      problem_ = path_text_ + ": there is no such " + (wants_folder_ ? "folder" : "file");
    }
  }
  if (!chosen.empty()) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  if (!chosen.empty() && chosen_) chosen_(chosen);
}

}  // namespace app::gui
