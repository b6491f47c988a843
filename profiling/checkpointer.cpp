#include "profiling/checkpointer.hpp"

#include "profiling/thread_clock.hpp"

namespace profiling {
namespace {

// About 2.5 s of recording: 1 to 4 MB of log at decode speed.
constexpr int kCommitsPerCheckpoint = 32;

}  // namespace

Checkpointer::Checkpointer(const std::filesystem::path& trace) : trace_(trace), thread_([this] { work(); }) {}

void Checkpointer::committed() {
  if (++commits_ % kCommitsPerCheckpoint != 0) return;
  const std::lock_guard lock(mutex_);
  due_ = true;
  wake_.notify_one();
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return due_ || stopping_; });
    if (stopping_) return;
    due_ = false;
    lock.unlock();
    checkpoint();
    cpu_ns_ = thread_cpu_ns();
    lock.lock();
  }
}

// A failure is no loss: the log stays, and a full disk also reaches the writer, who reports it.
void Checkpointer::checkpoint() {
  const auto db =
      Database::open(sqlite_uri(trace_, "mode=rw"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, trace_.string());
  if (!db) return;
  sqlite3_db_config(db->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_checkpoint_v2(db->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Checkpointer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace profiling
