#include "app/bench/recording_cost.hpp"

#include <algorithm>

#include "app/bench/bench_options.hpp"
#include "app/run_report.hpp"
#include "engine/bench/speed.hpp"
#include "engine/session/session.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

namespace {

constexpr std::int32_t kPromptTokens = 64;

class NullSink : public engine::EventSink {
 public:
  void on_event(engine::Event) override {}
};

engine::Result<double> session_speed(const std::shared_ptr<const engine::Model>& model,
                                     engine::BackendOptions backend, engine::EventSink& sink, bool recorded,
                                     std::stop_token stop) {
  engine::SessionOptions options;
  options.backend = backend;
  options.backend.spans = recorded;
  options.ignore_eos = true;
  const std::int32_t room = model->config.max_positions;
  const std::int32_t prompt = std::min(kPromptTokens, std::max(1, room / 2));
  options.max_tokens = std::max(1, std::min(kMaxDecodeSteps, room - prompt));
  engine::RunRequest request;
  request.prompt = engine::synthetic_tokens(prompt, model->config.vocab);
  request.stop = stop;
  const auto summary = engine::run_session(model, nullptr, options, request, sink);
  if (!summary) return summary.error();
  if (stop.stop_requested()) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};
  return decode_speed(*summary);
}

engine::Result<double> recorded_speed(const std::shared_ptr<const engine::Model>& model,
                                      const engine::BackendOptions& backend,
                                      const std::filesystem::path& trace, std::stop_token stop) {
  auto writer = profiling::TraceWriter::create(trace, {.overwrite = true});
  if (!writer) return writer.error();
  const auto speed = session_speed(model, backend, **writer, true, stop);
  if (auto status = (*writer)->finish(); !status) return status.error();
  return speed;
}

}  // namespace

engine::Result<RecordingPair> measure_recording(const std::shared_ptr<const engine::Model>& model,
                                                const engine::BackendOptions& backend, bool recorded_first,
                                                const std::filesystem::path& folder, std::stop_token stop) {
  RecordingPair pair;
  NullSink nothing;
  for (const bool recorded : {recorded_first, !recorded_first}) {
    const auto speed = recorded ? recorded_speed(model, backend, folder / "recording.trace", stop)
                                : session_speed(model, backend, nothing, false, stop);
    if (!speed) return speed.error();
    (recorded ? pair.recorded_tokens_per_second : pair.plain_tokens_per_second) = *speed;
  }
  return pair;
}

}  // namespace app
