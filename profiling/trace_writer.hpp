// Writes the event stream into an SQLite trace, on a thread of its own (the only user of its connection).
//
// on_event() copies the event into a bounded queue and returns; it never waits for the disk. Transactions of
// about 100 ms; WAL while recording, so that a crash loses at most the last one. When the queue is full,
// spans are dropped first and counted; the counts are stored in the trace. A write error (full disk,
// read-only folder) stops writing, keeps what was committed valid and is reported by error() and finish().
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "profiling/recording_cost.hpp"

namespace profiling {

struct TraceWriterOptions {
  bool overwrite = false;  // an existing trace is refused otherwise; a file that is not a trace always is
};

class TraceWriter : public engine::EventSink {
 public:
  static engine::Result<std::unique_ptr<TraceWriter>> create(const std::filesystem::path& path,
                                                             const TraceWriterOptions& options);
  ~TraceWriter() override;

  void on_event(engine::Event event) override;

  // The first write error, as soon as it is known. Any thread.
  std::optional<engine::Error> error() const;

  // So far, at most a transaction behind; after finish() what the trace holds. Any thread.
  RecordingCost cost() const;

  // Drains the queue, builds the indexes, closes the file. Nothing may be emitted afterwards.
  engine::Status finish();

 private:
  struct State;
  explicit TraceWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace profiling
