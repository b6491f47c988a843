#include "profiling/trace_writer.hpp"

#include <time.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "profiling/checkpointer.hpp"
#include "profiling/event_rows.hpp"
#include "profiling/run_facts.hpp"
#include "profiling/schema.hpp"
#include "profiling/thread_clock.hpp"
#include "profiling/trace_file.hpp"
#include "profiling/writer_queue.hpp"

namespace profiling {
namespace {

using std::chrono::steady_clock;

// Leaves 70 ms for writing and for a busy machine before a finished step is older than 150 ms.
constexpr std::chrono::milliseconds kCommitPeriod{80};
// What waits and what is being written, together at most twice this: it counts as the profiler's memory.
constexpr std::size_t kQueueBytes = 32 << 20;

}  // namespace

struct TraceWriter::State {
  State(Database database, const std::filesystem::path& path)
      : trace(path.string()), db(std::move(database)), checkpointer(path) {}

  const std::string trace;  // its path, for messages
  Database db;
  Checkpointer checkpointer;
  WriterQueue queue{kQueueBytes};
  std::atomic<std::int64_t> on_event_ns{0};
  std::atomic<std::int64_t> events{0};
  std::atomic<std::int64_t> recording_cpu_ns{0};
  mutable std::mutex error_mutex;
  std::optional<engine::Error> error;
  std::thread thread;

  // Writer's thread only.
  Drops stored_drops;
  std::int64_t transactions = 0;
  std::int64_t ending_ns = 0;

  void fail(const engine::Error& reason) {
    {
      const std::lock_guard lock(error_mutex);
      if (!error) error = reason;
    }
    queue.abandon();
  }
  std::optional<engine::Error> first_error() const {
    const std::lock_guard lock(error_mutex);
    return error;
  }

  void record();
  engine::Status record_until_closed(EventRows& rows);
  engine::Status write_batch(EventRows& rows, const std::vector<engine::Event>& events);
  engine::Status write_drops();
  engine::Status write_ending(EventRows& rows);
  engine::Status write_cost();
};

void TraceWriter::State::record() {
  {
    EventRows rows(db);  // its statements must be gone before the database closes
    auto status = record_until_closed(rows);
    if (status) status = write_ending(rows);
    if (!status) {
      fail(status.error());
      const auto ignored = db.exec("ROLLBACK");  // fails where SQLite has rolled back by itself
      static_cast<void>(ignored);
    }
  }
  checkpointer.stop();
  if (const auto status = close_trace(std::move(db)); !status) fail(status.error());
}

engine::Status TraceWriter::State::record_until_closed(EventRows& rows) {
  std::vector<engine::Event> batch;
  auto begun = steady_clock::now();
  while (queue.take(batch, begun + kCommitPeriod)) {
    begun = steady_clock::now();
    if (const auto overflow = first_error()) return *overflow;
    if (const auto status = write_batch(rows, batch); !status) return status;
  }
  return {};
}

engine::Status TraceWriter::State::write_batch(EventRows& rows, const std::vector<engine::Event>& batch) {
  if (batch.empty() && queue.drops() == stored_drops) return {};
  if (auto status = db.exec("BEGIN IMMEDIATE"); !status) return status;
  for (const engine::Event& event : batch) {
    if (auto status = rows.add(event); !status) return status;
  }
  if (auto status = rows.before_commit(); !status) return status;
  if (auto status = write_drops(); !status) return status;
  if (auto status = db.exec("COMMIT"); !status) return status;
  ++transactions;
  checkpointer.committed();
  recording_cpu_ns = thread_cpu_ns() + checkpointer.cpu_ns();
  return {};
}

engine::Status TraceWriter::State::write_drops() {
  const Drops drops = queue.drops();
  if (drops == stored_drops) return {};
  stored_drops = drops;
  Statement insert = db.prepare("INSERT OR REPLACE INTO drops(what, count, meaning) VALUES(?, ?, ?)");
  insert.bind("spans", drops.spans, "kernel and operation spans that the writer could not keep up with");
  if (auto status = insert.run(); !status) return status;
  insert.bind("span_batches", drops.span_batches, "passes whose spans are missing");
  return insert.run();
}

engine::Status TraceWriter::State::write_ending(EventRows& rows) {
  const auto begun = steady_clock::now();
  recording_cpu_ns = thread_cpu_ns() + checkpointer.cpu_ns();
  if (auto status = db.exec("BEGIN IMMEDIATE"); !status) return status;
  if (auto status = rows.finish(); !status) return status;
  if (auto status = write_drops(); !status) return status;
  for (const SchemaTable& index : final_indexes()) {
    if (auto status = db.exec(index.sql); !status) return status;
  }
  ending_ns = std::chrono::nanoseconds(steady_clock::now() - begun).count();
  if (auto status = write_cost(); !status) return status;
  return db.exec("COMMIT");
}

engine::Status TraceWriter::State::write_cost() {
  int pages = 0, high = 0;
  sqlite3_db_status(db.handle(), SQLITE_DBSTATUS_CACHE_WRITE, &pages, &high, 0);
  const std::pair<const char*, std::int64_t> costs[] = {
      {"recorder_cpu_ns", recording_cpu_ns.load()},
      {"recorder_on_event_ns", on_event_ns.load()},
      {"recorder_events", events.load()},
      {"recorder_transactions", transactions},
      {"recorder_ending_ns", ending_ns},
      {"recorder_written_bytes", std::int64_t{pages} * 4096},
      {"recorder_queue_peak_bytes", static_cast<std::int64_t>(queue.peak_bytes())},
  };
  for (const auto& [key, value] : costs) {
    if (auto status = write_meta(db, key, value); !status) return status;
  }
  return {};
}

TraceWriter::TraceWriter(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] { state->record(); });
}

engine::Result<std::unique_ptr<TraceWriter>> TraceWriter::create(const std::filesystem::path& path,
                                                                 const TraceWriterOptions& options) {
  auto db = create_trace(path, options.overwrite);
  if (!db) return db.error();
  return std::unique_ptr<TraceWriter>(new TraceWriter(std::make_unique<State>(std::move(*db), path)));
}

TraceWriter::~TraceWriter() {
  const auto ignored = finish();  // whoever cares has called finish() and seen its status
  static_cast<void>(ignored);
}

void TraceWriter::on_event(engine::Event event) {
  const auto begun = steady_clock::now();
  if (!state_->queue.push(std::move(event))) {
    state_->fail(engine::failed("trace '{}': the disk did not keep up for {} s, recording stopped",
                                state_->trace, WriterQueue::kLongestWait.count()));
  }
  state_->events.fetch_add(1, std::memory_order_relaxed);
  state_->on_event_ns.fetch_add(std::chrono::nanoseconds(steady_clock::now() - begun).count(),
                                std::memory_order_relaxed);
}

std::optional<engine::Error> TraceWriter::error() const {
  return state_->first_error();
}

RecordingCost TraceWriter::cost() const {
  return {state_->queue.drops().spans, state_->on_event_ns.load() + state_->recording_cpu_ns.load()};
}

engine::Status TraceWriter::finish() {
  state_->queue.close();
  if (state_->thread.joinable()) state_->thread.join();
  if (const auto reason = error()) return *reason;
  return {};
}

}  // namespace profiling
