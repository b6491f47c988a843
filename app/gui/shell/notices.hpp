// What the window has to say that needs no answer: a toast for some seconds, and a line in the log for good.
// Any thread may add; drawing is the GUI thread's.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace app::gui {

enum class NoticeLevel { info, warning, error };

// What a notice offers to do: a command.
struct NoticeAction {
  std::string label;  // empty: nothing
  std::string command;
};

struct Notice {
  NoticeLevel level = NoticeLevel::info;
  std::string text;
  std::int64_t unix_seconds = 0;
  int repeats = 1;      // the same line again is counted, not repeated
  double shown_at = 0;  // of the pacing clock
  NoticeAction action = {};
};

class Notices {
 public:
  static constexpr double kToastSeconds = 8;
  static constexpr double kActionSeconds = 60;   // of a toast that offers something
  static constexpr std::size_t kMaxKept = 1000;  // the oldest go first

  void add(NoticeLevel level, std::string text, NoticeAction action = {});
  std::vector<Notice> all() const;
  // Those still shown as toasts at this time of the pacing clock.
  std::vector<Notice> toasts(double now) const;
  void dismiss_toasts();

 private:
  mutable std::mutex mutex_;
  std::vector<Notice> notices_;
};

}  // namespace app::gui
