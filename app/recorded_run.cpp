#include "app/recorded_run.hpp"

#include <system_error>

#include "app/recording.hpp"
#include "app/run_measures.hpp"
#include "profiling/gpu/make_kernel_profiler.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

// A trace while it is written.
struct OpenTarget {
  fs::path path;
  bool existed = false;
  std::unique_ptr<profiling::TraceWriter> writer;
};

engine::Result<OpenTarget> create(const TraceTarget& target) {
  std::error_code ignored;
  OpenTarget open{target.path, fs::exists(target.path, ignored), nullptr};
  auto writer = profiling::TraceWriter::create(target.path, {.overwrite = target.overwrite});
  if (!writer) return writer.error();
  open.writer = std::move(*writer);
  return open;
}

engine::RunProgress measuring(const engine::RunSummary& summary) {
  engine::RunProgress at;
  at.phase = engine::Phase::decode;
  at.done = at.total = static_cast<std::int32_t>(summary.ids.front().size());
  at.measuring = true;
  return at;
}

std::optional<engine::Error> close(OpenTarget& open, const Recording& recording) {
  const engine::Status finished = open.writer->finish();
  std::error_code ignored;
  if (!recording.run() && !open.existed) fs::remove(open.path, ignored);  // nothing happened: leave nothing
  if (!finished) return finished.error();
  return recording.trace_error();
}

}  // namespace

engine::Result<RecordedRun> run_recorded(
    const LoadedModel& loaded, const RunSetup& setup, const std::optional<TraceTarget>& target,
    engine::EventSink* also, const std::function<void(const engine::Error&)>& on_trace_error,
    const std::function<void(const profiling::RecordingCost&)>& on_cost) {
  OpenTarget open;
  if (target) {
    auto created = create(*target);
    if (!created) return created.error();
    open = std::move(*created);
  }
  Recording recording(open.writer.get(), also, setup.notices, on_trace_error, on_cost);
  const auto profiler = profiling::make_kernel_profiler(setup.profile);
  engine::SessionOptions session = setup.session;
  session.backend.profiler = profiler.get();
  RunMeasures measures(recording, session.backend);
  const auto summary = engine::run_session(loaded.model, loaded.tokenizer, session, setup.request, measures);
  if (summary && setup.measure_cost && !setup.request.stop.stop_requested()) {
    if (setup.request.on_progress) setup.request.on_progress(measuring(*summary));
    measures.measure_cost(loaded, setup, profiler.get());
  }
  measures.release();
  RecordedRun done;
  if (summary) {
    done.summary = *summary;
    done.profile_cost_percent = measures.cost_percent();
  } else {
    done.session_error = summary.error();
  }
  if (target) {
    done.trace_error = close(open, recording);
    done.cost = open.writer->cost();
  }
  done.run = recording.run();
  done.notices = recording.notices();
  for (std::string& loss : recording.losses()) done.notices.push_back(std::move(loss));
  return done;
}

}  // namespace app
