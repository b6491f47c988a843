// Choosing a file or a folder: with the desktop's dialog where there is one and it is wanted, else with our
// own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "app/gui/shell/native_dialog.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

class FileDialog {
 public:
  using Chosen = std::function<void(const std::string& path)>;

  void open(const std::string& title, bool folder, bool native, Chosen chosen);
  void draw(Ui& ui);
  // A desktop dialog is open: it must be looked at now and then.
  bool is_waiting() const { return native_.is_running(); }

 private:
  struct Entry {
    std::string name;
    bool is_folder;
  };
  void list();
  void go(const std::filesystem::path& folder);
  void draw_entries(Ui& ui, std::string& chosen);

  NativeDialog native_;
  Chosen chosen_;
  std::string title_;
  bool wants_folder_ = false;
  bool opening_ = false;
  std::filesystem::path folder_;
  std::string path_text_;
  std::string problem_;
  std::vector<Entry> entries_;
};

}  // namespace app::gui
