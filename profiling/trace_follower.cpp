#include "profiling/trace_follower.hpp"

#include <optional>

#include "profiling/read_transaction.hpp"
#include "profiling/replay.hpp"
#include "profiling/run_facts.hpp"
#include "profiling/saturating.hpp"
#include "profiling/trace_file.hpp"

namespace profiling {

struct TraceFollower::State {
  State(std::filesystem::path file, OpenTrace open) : path(std::move(file)), trace(std::move(open)) {}

  const std::filesystem::path path;
  OpenTrace trace;
  engine::RunStarted run;
  std::optional<Replay> replay;  // once the run has begun
  std::int64_t last_log = 0;     // row of the event log

  void look_anew();
  engine::Status begin();
  engine::Status emit_up_to(std::int64_t newest, engine::EventSink& sink, const Progress& progress);
};

// A file without a write-ahead log is opened as one that does not change, and one that a recording has just
// created has none yet: as long as the run has not begun, what was opened may be blind to what comes.
void TraceFollower::State::look_anew() {
  if (trace.copy != nullptr) return;
  auto again = open_trace(path);
  if (again && again->copy == nullptr) trace = std::move(*again);
}

engine::Status TraceFollower::State::begin() {
  auto facts = read_run(trace.db);
  if (!facts) return facts.error();
  run = std::move(*facts);
  replay.emplace(trace.db, run);
  return {};
}

engine::Status TraceFollower::State::emit_up_to(std::int64_t newest, engine::EventSink& sink,
                                                const Progress& progress) {
  const std::int64_t before = last_log;
  last_log = newest;
  return replay->emit_new(sink, [&](std::int64_t log_id) {
    const auto total = static_cast<double>(newest - before);
    return !progress || progress(static_cast<double>(log_id - before) / total);
  });
}

TraceFollower::TraceFollower(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceFollower::~TraceFollower() = default;

engine::Result<std::unique_ptr<TraceFollower>> TraceFollower::open(const std::filesystem::path& path) {
  auto trace = open_trace(path);
  if (!trace) return trace.error();
  return std::unique_ptr<TraceFollower>(new TraceFollower(std::make_unique<State>(path, std::move(*trace))));
}

engine::Result<bool> TraceFollower::emit_new(engine::EventSink& sink, const Progress& progress) {
  State& state = *state_;
  if (!state.replay) state.look_anew();
  const ReadTransaction transaction(state.trace.db);
  if (!transaction.status()) return transaction.status().error();
  const auto newest = state.trace.db.integer("SELECT max(id) FROM event_log");
  if (!newest) return newest.error();
  if (*newest <= state.last_log) return false;
  if (!state.replay) {
    if (auto status = state.begin(); !status) return status.error();
  }
  if (auto status = state.emit_up_to(*newest, sink, progress); !status) return status.error();
  return true;
}

engine::Result<RecordingCost> TraceFollower::cost() const {
  const Database& db = state_->trace.db;
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status().error();
  const auto dropped = db.integer("SELECT coalesce((SELECT count FROM drops WHERE what = 'spans'), 0)");
  if (!dropped) return dropped.error();
  RecordingCost cost{*dropped, std::nullopt};
  Statement busy = db.prepare(
      "SELECT cpu.value, handed.value FROM meta cpu, meta handed "
      "WHERE cpu.key = 'recorder_cpu_ns' AND handed.key = 'recorder_on_event_ns'");
  // A damaged trace may hold anything.
  if (busy.step() && busy.type(0) == SQLITE_INTEGER && busy.type(1) == SQLITE_INTEGER &&
      busy.integer(0) >= 0 && busy.integer(1) >= 0)
    cost.busy_ns = saturating_add(busy.integer(0), busy.integer(1));
  if (!busy.status()) return busy.status().error();
  return cost;
}

bool TraceFollower::finished() const {
  return state_->replay && state_->replay->finished();
}

bool TraceFollower::reads_copy() const {
  return state_->trace.copy != nullptr;
}

bool TraceFollower::has_write_ahead_log() const {
  std::error_code error;
  return std::filesystem::file_size(state_->path.string() + "-wal", error) > 0 && !error;
}

}  // namespace profiling
