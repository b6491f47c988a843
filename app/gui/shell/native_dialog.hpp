// The desktop's own file dialog (zenity or kdialog), run as a process of its own: a dialog that hangs or
// crashes does not take the window along.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace app::gui {

class NativeDialog {
 public:
  NativeDialog() = default;
  ~NativeDialog();
  NativeDialog(const NativeDialog&) = delete;
  NativeDialog& operator=(const NativeDialog&) = delete;

  // False if this desktop has no such dialog.
  bool start(const std::string& title, bool folder);
  bool is_running() const { return process_ > 0; }
  // Never waits. The chosen path once there is one; an empty one if the user cancelled.
  std::optional<std::string> poll();

 private:
  pid_t process_ = -1;
  int output_ = -1;
  std::string text_;
};

}  // namespace app::gui
