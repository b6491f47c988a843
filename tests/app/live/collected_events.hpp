// A sink that other threads may look into while it is filled.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/events/events.hpp"

namespace live_test {

class CollectedEvents : public engine::EventSink {
 public:
  void on_event(engine::Event event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<engine::Event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  template <typename T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const engine::Event& event : events()) {
      if (const T* value = std::get_if<T>(&event)) found.push_back(*value);
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<engine::Event> events_;
};

// Fails the test if it takes half a minute.
template <typename Condition>
void wait_for(const char* what, const Condition& condition) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > patience) FAIL("waited in vain: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace live_test
