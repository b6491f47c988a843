#include "profiling/trace_reader.hpp"

#include "profiling/live_slots.hpp"
#include "profiling/read_transaction.hpp"
#include "profiling/replay.hpp"
#include "profiling/run_facts.hpp"
#include "profiling/trace_access.hpp"

namespace profiling {

TraceReader::TraceReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TraceReader::~TraceReader() = default;

engine::Result<std::unique_ptr<TraceReader>> TraceReader::open(const std::filesystem::path& path) {
  auto trace = open_trace(path);
  if (!trace) return trace.error();
  auto run = read_run(trace->db);
  if (!run) return run.error();
  auto state = std::make_unique<State>(State{std::move(*trace), std::move(*run)});
  return std::unique_ptr<TraceReader>(new TraceReader(std::move(state)));
}

const engine::RunStarted& TraceReader::run() const {
  return state_->run;
}

engine::Status TraceReader::replay(engine::EventSink& sink) const {
  const ReadTransaction transaction(state_->trace.db);
  if (!transaction.status()) return transaction.status();
  return Replay(state_->trace.db, state_->run).emit_new(sink);
}

engine::Result<std::vector<std::int32_t>> TraceReader::live_slots(engine::SequenceId sequence,
                                                                  std::int32_t first,
                                                                  std::int32_t count) const {
  const ReadTransaction transaction(state_->trace.db);
  if (!transaction.status()) return transaction.status().error();
  return sequence_live_slots(state_->trace.db, state_->run, sequence, first, count);
}

}  // namespace profiling
