#include "app/gui/shell/notices.hpp"

#include <chrono>

#include "app/gui/host/host.hpp"

namespace app::gui {

void Notices::add(NoticeLevel level, std::string text, NoticeAction action) {
  using std::chrono::system_clock;
  const std::lock_guard lock(mutex_);
  const double now = clock_seconds();
  if (!notices_.empty() && notices_.back().text == text && notices_.back().level == level) {
    ++notices_.back().repeats;
    notices_.back().shown_at = now;
    return;
  }
  if (notices_.size() >= kMaxKept) notices_.erase(notices_.begin());
  notices_.push_back(
      {level, std::move(text), system_clock::to_time_t(system_clock::now()), 1, now, std::move(action)});
}

std::vector<Notice> Notices::all() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

std::vector<Notice> Notices::toasts(double now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Notice> shown;
  for (const Notice& notice : notices_) {
    const double seconds = notice.action.label.empty() ? kToastSeconds : kActionSeconds;
    if (now - notice.shown_at < seconds) shown.push_back(notice);
  }
  // More would hide the panels.
  if (shown.size() > 4) shown.erase(shown.begin(), shown.end() - 4);
  return shown;
}

void Notices::dismiss_toasts() {
  const std::lock_guard lock(mutex_);
  for (Notice& notice : notices_) notice.shown_at = -kActionSeconds;
}

}  // namespace app::gui
