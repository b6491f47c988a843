#include "app/bench/trace_size.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/trace_reader.hpp"
#include "profiling/trace_tools.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kTokens = 32768;
constexpr std::int32_t kPrompt = 16384;  // prefilled in chunks; the rest decoded one by one
constexpr std::int32_t kChunk = 512;
constexpr std::int32_t kLayers = 36;
constexpr std::int32_t kHeads = 8;
constexpr std::int32_t kWindow = 256;
constexpr std::int32_t kPageSlots = 64;
constexpr std::int64_t kStepNs = 10'000'000;
constexpr std::int32_t kSpansPerStep = kLayers * 5;
constexpr engine::Step kStepsWithSpans = 2000;  // 360,000 rows: enough for a size per row

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

engine::RunStarted run_started() {
  engine::RunStarted run;
  run.model_name = "synthetic";
  run.architecture = "qwen3";
  run.weight_dtype = "bf16";
  run.shape = {kLayers, 32, kHeads, 128, 4096, 151936, kTokens};
  run.device = "none";
  run.backend = "synthetic";
  run.policy = "dms";
  run.window = kWindow;
  run.gate_form = "adapter";
  run.page_slots = kPageSlots;
  run.slot_bytes = 512;
  run.operations = {"qkv", "attention", "attention_out", "mlp_up", "mlp_down"};
  run.kernels = run.operations;
  return run;
}

// Emits a run whose gates are random and whose occupancy follows from them.
class SyntheticRun {
 public:
  SyntheticRun(engine::EventSink& sink, bool spans, std::stop_token stop)
      : sink_(sink),
        spans_(spans),
        stop_(std::move(stop)),
        kept_(kLayers * kHeads),
        marks_(kLayers * kHeads) {
    for (auto& head : marks_) head.resize(kTokens);
  }

  // False if stopped.
  bool emit() {
    sink_.on_event(run_started());
    sink_.on_event(engine::SequenceStarted{});
    for (std::int32_t first = 0; first < kTokens; first += tokens_at(first)) {
      if (stop_.stop_requested()) return false;
      emit_step(first, tokens_at(first));
    }
    sink_.on_event(engine::RunFinished{step_ * kStepNs, "length"});
    return true;
  }

 private:
  static std::int32_t tokens_at(std::int32_t position) { return position < kPrompt ? kChunk : 1; }

  void emit_step(std::int32_t first, std::int32_t count) {
    const engine::Phase phase = first < kPrompt ? engine::Phase::prefill : engine::Phase::decode;
    for (std::int32_t i = 0; i < count; ++i) {
      sink_.on_event(engine::TokenAdded{0, first + i, static_cast<engine::TokenId>(random_() % 151936),
                                        " token", phase, step_});
    }
    emit_gates(first, count);
    emit_occupancy(first + count);
    if (spans_ && step_ < kStepsWithSpans) emit_spans();
    sink_.on_event(engine::StepFinished{step_, phase, step_ * kStepNs, (step_ + 1) * kStepNs, count, 0});
    ++step_;
  }

  void emit_gates(std::int32_t first, std::int32_t count) {
    engine::GatesDecided gates{0, first, count, step_, {}, {}};
    for (auto& head : marks_) {
      for (std::int32_t i = 0; i < count; ++i) {
        const float logit = normal_(random_);
        gates.logits.push_back(logit);
        gates.marked.push_back(logit > 0);
        head[static_cast<std::size_t>(first + i)] = logit > 0;
      }
    }
    sink_.on_event(std::move(gates));
  }

  void emit_occupancy(std::int32_t length) {
    engine::OccupancyChanged occupancy{0, step_, {}, {}};
    for (std::size_t head = 0; head < marks_.size(); ++head) {
      for (std::int32_t t = settled_; t < length - kWindow; ++t) {
        kept_[head] += marks_[head][static_cast<std::size_t>(t)] ? 0 : 1;
      }
      const std::int32_t live = kept_[head] + std::min(length, kWindow);
      occupancy.live.push_back(live);
      occupancy.allocated.push_back((live + kPageSlots - 1) / kPageSlots * kPageSlots);
    }
    settled_ = std::max(settled_, length - kWindow);
    sink_.on_event(std::move(occupancy));
  }

  void emit_spans() {
    engine::SpansRecorded recorded;
    for (std::int32_t i = 0; i < kSpansPerStep; ++i) {
      const std::int64_t start = step_ * kStepNs + i * (kStepNs / kSpansPerStep);
      const auto duration = static_cast<std::int64_t>(20'000 + random_() % 20'000);
      recorded.spans.push_back({start, start + duration, step_, static_cast<std::int16_t>(i / 5),
                                static_cast<std::int16_t>(i % 5), static_cast<std::int16_t>(i % 5), -1, 0});
    }
    sink_.on_event(std::move(recorded));
  }

  engine::EventSink& sink_;
  bool spans_;
  std::stop_token stop_;
  std::mt19937 random_{1};
  std::normal_distribution<float> normal_{0, 5};
  engine::Step step_ = 0;
  std::int32_t settled_ = 0;              // tokens that have left the window
  std::vector<std::int32_t> kept_;        // of these, per head
  std::vector<std::vector<bool>> marks_;  // [head][position]
};

struct Written {
  std::uintmax_t bytes = 0;
  double seconds = 0;
};

engine::Result<Written> write_trace(const fs::path& path, bool spans, const std::stop_token& stop) {
  auto writer = profiling::TraceWriter::create(path, {.overwrite = true});
  if (!writer) return writer.error();
  const Stopwatch watch;
  SyntheticRun run(**writer, spans, stop);
  const bool complete = run.emit();
  if (auto status = (*writer)->finish(); !status) return status.error();
  if (!complete) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};
  return Written{fs::file_size(path), watch.seconds()};
}

// Rows that the trace holds: the writer drops spans first when, as here, they come faster than any run makes
// them.
engine::Result<std::int64_t> stored_spans(const fs::path& path) {
  std::ostringstream out;
  if (auto status = profiling::run_sql(path, "SELECT count(*) FROM raw_spans", false, out); !status) {
    return status.error();
  }
  const std::string csv = out.str();
  return std::stoll(csv.substr(csv.find('\n') + 1));
}

// Takes every event and keeps none.
class Discard : public engine::EventSink {
 public:
  void on_event(engine::Event event) override { events_ += event.index() + 1; }

 private:
  std::size_t events_ = 0;
};

engine::Status time_replay(const fs::path& path, TraceSize& size) {
  const Stopwatch watch;
  const auto reader = profiling::TraceReader::open(path);
  if (!reader) return reader.error();
  Discard sink;
  auto status = (*reader)->replay(sink);
  size.replay_seconds = watch.seconds();
  return status;
}

engine::Status time_reading(const fs::path& path, TraceSize& size) {
  const Stopwatch opening;
  const auto reader = profiling::TraceReader::open(path);
  if (!reader) return reader.error();
  size.open_seconds = opening.seconds();
  for (const std::int32_t position : {0, kTokens / 3, kTokens / 2, kTokens - 1}) {
    const Stopwatch watch;
    if (auto live = (*reader)->live_slots(0, position, 1); !live) return live.error();
    size.state_seconds = std::max(size.state_seconds, watch.seconds());
  }
  return {};
}

}  // namespace

engine::Status write_synthetic_trace(const fs::path& path, bool spans, const std::stop_token& stop) {
  const auto written = write_trace(path, spans, stop);
  return written ? engine::Status() : engine::Status(written.error());
}

engine::Result<TraceSize> measure_trace_size(const fs::path& folder, std::stop_token stop) {
  TraceSize size{.tokens = kTokens, .layers = kLayers, .kv_heads = kHeads};
  const fs::path path = folder / "synthetic.trace";
  const auto plain = write_trace(path, false, stop);
  if (!plain) return plain.error();
  size.bytes = plain->bytes;
  size.write_seconds = plain->seconds;
  if (auto status = time_reading(path, size); !status) return status.error();
  if (auto status = time_replay(path, size); !status) return status.error();
  const auto with_spans = write_trace(path, true, stop);
  if (!with_spans) return with_spans.error();
  const auto rows = stored_spans(path);
  if (!rows) return rows.error();
  if (*rows == 0) return engine::failed("{}: no kernel row was stored", path.string());
  size.kernel_rows = *rows;
  size.bytes_per_kernel_row =
      static_cast<double>(with_spans->bytes - plain->bytes) / static_cast<double>(size.kernel_rows);
  return size;
}

}  // namespace app
