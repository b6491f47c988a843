#include "app/bench/recording_cost.hpp"

#include <algorithm>

#include "app/run_report.hpp"
#include "engine/bench/speed.hpp"
#include "engine/session/session.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

namespace {

constexpr std::int32_t kPromptTokens = 64;
constexpr std::int32_t kTokens = 64;
constexpr int kTurns = 4;

class NullSink : public engine::EventSink {
 public:
  void on_event(engine::Event) override {}
};

// Tokens decoded and the time that took, added up over runs.
struct Decoded {
  std::int64_t tokens = 0;
  double seconds = 0;
};

engine::Status run_once(const std::shared_ptr<const engine::Model>& model, engine::BackendOptions backend,
                        engine::EventSink& sink, bool recorded, std::stop_token stop, Decoded& decoded) {
  engine::SessionOptions options;
  options.backend = backend;
  options.backend.spans = recorded;
  options.ignore_eos = true;
  const std::int32_t room = model->config.max_positions;
  const std::int32_t prompt = std::min(kPromptTokens, std::max(1, room / 2));
  options.max_tokens = std::max(1, std::min(kTokens, room - prompt));
  engine::RunRequest request;
  request.prompt = engine::synthetic_tokens(prompt, model->config.vocab);
  request.stop = stop;
  const auto summary = engine::run_session(model, nullptr, options, request, sink);
  if (!summary) return summary.error();
  if (stop.stop_requested()) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};
  decoded.tokens += summary->decode_tokens - options.chains;  // the first one comes from the prompt's pass
  decoded.seconds += summary->decode_seconds;
  return {};
}

engine::Status run_recorded(const std::shared_ptr<const engine::Model>& model,
                            const engine::BackendOptions& backend, const std::filesystem::path& trace,
                            std::stop_token stop, Decoded& decoded) {
  auto writer = profiling::TraceWriter::create(trace, {.overwrite = true});
  if (!writer) return writer.error();
  if (auto status = run_once(model, backend, **writer, true, stop, decoded); !status) return status;
  return (*writer)->finish();
}

}  // namespace

engine::Result<RecordingPair> measure_recording(const std::shared_ptr<const engine::Model>& model,
                                                const engine::BackendOptions& backend, bool recorded_first,
                                                const std::filesystem::path& folder, std::stop_token stop) {
  Decoded plain;
  Decoded recorded;
  NullSink nothing;
  for (int turn = 0; turn < kTurns; ++turn) {
    for (const bool records : {recorded_first, !recorded_first}) {
      const auto status = records ? run_recorded(model, backend, folder / "recording.trace", stop, recorded)
                                  : run_once(model, backend, nothing, false, stop, plain);
      if (!status) return status.error();
    }
  }
  return RecordingPair{per_second(plain.tokens, plain.seconds),
                       per_second(recorded.tokens, recorded.seconds)};
}

}  // namespace app
