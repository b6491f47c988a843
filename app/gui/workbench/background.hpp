// A computation over an immutable snapshot that is too long for a frame: one at a time, on a thread of its
// own. GUI thread; the destructor waits for the computation in progress.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <utility>

namespace app::gui {

template <typename Value>
class Background {
 public:
  bool busy() const { return future_.valid(); }

  // Not while busy(). `wake` is called on the other thread once the value is there.
  void start(std::function<Value()> compute, std::function<void()> wake) {
    future_ = std::async(std::launch::async, [compute = std::move(compute), wake = std::move(wake)] {
      Value value = compute();
      if (wake) wake();
      return value;
    });
  }

  // The value once it is there; waits at most `patience` for it.
  std::optional<Value> take(std::chrono::milliseconds patience = {}) {
    if (!future_.valid() || future_.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return future_.get();
  }

 private:
  std::future<Value> future_;
};

}  // namespace app::gui
