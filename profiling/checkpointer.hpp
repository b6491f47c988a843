// Folds the write-ahead log into the trace on a thread and a connection of its own, so that the writer's next
// commit never waits for the fsync that this needs. Without it the log would grow for the whole run.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

#include "profiling/sqlite_db.hpp"

namespace profiling {

class Checkpointer {
 public:
  explicit Checkpointer(const std::filesystem::path& trace);
  ~Checkpointer() { stop(); }
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void committed();  // writer's thread, after a commit: wakes the checkpointer when due
  void stop();       // joins
  std::int64_t cpu_ns() const { return cpu_ns_.load(); }

 private:
  void work();
  void checkpoint();

  std::filesystem::path trace_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = false;
  bool stopping_ = false;
  int commits_ = 0;
  std::atomic<std::int64_t> cpu_ns_{0};
  std::thread thread_;
};

}  // namespace profiling
