// The newest value of a status, replaced by one thread and read by any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

namespace app::live {

template <typename Status>
class PublishedStatus {
 public:
  explicit PublishedStatus(std::function<void()> on_change) : on_change_(std::move(on_change)) {}

  std::shared_ptr<const Status> get() const {
    const std::lock_guard lock(mutex_);  // held for the copy of a pointer only
    return newest_;
  }

  // The owner's thread: changes a copy and makes it the newest.
  template <typename Change>
  void update(const Change& change) {
    auto next = std::make_shared<Status>(*newest_);  // only this thread replaces newest_
    change(*next);
    {
      const std::lock_guard lock(mutex_);
      newest_ = std::move(next);
    }
    if (on_change_) on_change_();
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Status> newest_ = std::make_shared<Status>();
  std::function<void()> on_change_;
};

}  // namespace app::live
