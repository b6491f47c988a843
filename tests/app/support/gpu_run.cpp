#include "tests/app/support/gpu_run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda_operations.hpp"
#include "profiling/trace_writer.hpp"
#include "tests/profiling/synthetic_run.hpp"

namespace support {

namespace {

using engine::Span;

using enum engine::CudaOperation;
constexpr auto kFirstKernel = static_cast<std::int16_t>(std::size(engine::kCudaOperations));
// As the session numbers them, after the backend's.
constexpr std::int16_t kUnattributed = kFirstKernel, kProfilerCost = kFirstKernel + 1;

enum Kernel : std::int16_t {
  small_matmul,
  tiled_matmul,
  decode_attention,
  prefill_attention,
  raw_gate,
  embed_rows,
  argmax,
  copy_in,
  copy_out,
  whole_graph,
  launch_kernel,
  launch_graph,
  flush,
};
constexpr std::array<const char*, 13> kKernels{"small_matmul_kernel<__nv_bfloat16, 8>",
                                               "tiled_matmul_kernel<__nv_bfloat16, 128, 128>",
                                               "decode_attention_kernel<__nv_bfloat16, 128>",
                                               "prefill_attention_kernel<__nv_bfloat16, 128>",
                                               "raw_gate_kernel",
                                               "embed_kernel",
                                               "argmax_kernel",
                                               "copy host to device",
                                               "copy device to host",
                                               "graph",
                                               "launch kernel",
                                               "launch graph",
                                               "CUPTI: flush buffers"};

constexpr std::int64_t kHidden = 4096, kMlp = 12288, kVocab = 151936, kHeadDim = 128, kSlotBytes = 512;
constexpr std::int64_t kHostNs = 60'000;  // of a step, before its first and after its last kernel

struct Work {
  engine::CudaOperation operation;
  std::int16_t kernel;
  std::int64_t bytes;    // 0: not known
  double share;          // of the copy ceiling that it reaches
  std::int64_t flat_ns;  // where the bytes do not say how long it takes
};

class GpuRun : public engine::EventSink {
 public:
  GpuRun(engine::EventSink& to, const GpuRunOptions& options) : to_(to), options_(options) {}

  // The cache's events go through; what tells of time and place is made up anew.
  void on_event(engine::Event event) override {
    if (auto* run = std::get_if<engine::RunStarted>(&event)) return start(std::move(*run));
    if (std::holds_alternative<engine::Notice>(event)) return;
    if (const auto* parameter = std::get_if<engine::ParameterChanged>(&event); parameter != nullptr) return;
    if (auto* changed = std::get_if<engine::OccupancyChanged>(&event)) live_ = changed->live;
    if (auto* step = std::get_if<engine::StepFinished>(&event)) return end_step(*step);
    if (std::holds_alternative<engine::RunFinished>(event)) return finish();
    to_.on_event(std::move(event));
  }

 private:
  using Profile = GpuRunOptions::Profile;
  bool cupti() const { return options_.profile == Profile::detailed || options_.profile == Profile::light; }

  void start(engine::RunStarted run) {
    run.model_name = "made-up-8b";
    run.device = "GPU 0: NVIDIA H200, compute capability 9.0, 132 multiprocessors, 139.8 GiB";
    run.backend = "cuda";
    run.slot_bytes = kSlotBytes;
    run.operations.assign(std::begin(engine::kCudaOperations), std::end(engine::kCudaOperations));
    run.operations.insert(run.operations.end(), {"unattributed", "profiling"});
    run.kernels.clear();
    for (const char* operation : engine::kCudaOperations)
      run.kernels.push_back(std::string(operation) + "_cuda");
    to_.on_event(std::move(run));
    tell_profile();
  }

  void tell_profile() {
    const char* mode = options_.profile == Profile::detailed ? "detailed"
                       : options_.profile == Profile::light  ? "light"
                                                             : "off";
    to_.on_event(engine::ParameterChanged{0, "profile", mode});
    if (options_.profile == Profile::events) {
      to_.on_event(engine::Notice{"kernels are timed without CUPTI: another tool holds it: Nsight Systems"});
    }
    if (options_.cost && cupti()) {
      to_.on_event(engine::ParameterChanged{0, "profile_cost_percent", "6.2"});
      to_.on_event(engine::ParameterChanged{0, "profile_off_tokens_per_s", "214.7"});
    }
    if (options_.ceiling) to_.on_event(engine::ParameterChanged{0, "copy_ceiling_gb_per_s", "4012"});
    to_.on_event(engine::TrackNamed{0, engine::kWholeDevice, "NVIDIA H200"});
    if (!cupti()) return;
    to_.on_event(engine::TrackNamed{-1, engine::kLaunchLane, "launches"});
    to_.on_event(engine::TrackNamed{-1, engine::kProfilerLane, "profiler"});
    to_.on_event(engine::TrackNamed{0, kForwardStream, "forward pass"});
    to_.on_event(engine::TrackNamed{0, kDecisionStream, "decisions"});
  }

  // --- a step
  void end_step(engine::StepFinished step) {
    const std::int64_t start_ns = now_ns_;
    device_ns_ = now_ns_ + kHostNs;
    host_ns_ = now_ns_ + 8'000;
    const bool prefill = step.phase == engine::Phase::prefill;
    if (options_.profile != Profile::off) {
      if (prefill) {
        launch_each(step);
      } else {
        launch_whole(step);
      }
    } else {
      device_ns_ += 4'000'000;
    }
    if (idle_ns_ == 0) idle_ns_ = device_ns_ + 2'000;
    now_ns_ = device_ns_ + kHostNs / 2;
    step.start_ns = start_ns;
    step.end_ns = now_ns_;
    to_.on_event(step);
    now_ns_ += 20'000;
    sample(prefill);
    // What a step left behind comes when the next one has ended.
    deliver(std::exchange(late_, std::exchange(fresh_, {})));
  }

  std::vector<Work> layer_work(std::int32_t layer, bool prefill, std::int32_t tokens) {
    const std::int64_t heads = options_.kv_heads;
    const std::int64_t kv_rows = heads * kHeadDim;
    std::int64_t slots = 0;
    for (std::int64_t i = 0; i < heads; ++i) slots += live_[static_cast<std::size_t>(layer * heads + i)];
    // Prefill computes rather than reads.
    const auto slow = [&](std::int64_t bytes) {
      return prefill ? static_cast<std::int64_t>(static_cast<double>(bytes) * tokens * 2 / 600e3) : 0;
    };
    const std::int64_t qkv_bytes = kHidden * (kHidden + 2 * kv_rows) * 2, out_bytes = kHidden * kHidden * 2,
                       up_bytes = 2 * kHidden * kMlp * 2, down_bytes = kHidden * kMlp * 2;
    const std::int16_t matmul = prefill ? tiled_matmul : small_matmul;
    return {{qkv, matmul, qkv_bytes, 0.81, slow(qkv_bytes)},
            {gates, raw_gate, 0, 0, 1'600},
            {attention, prefill ? prefill_attention : decode_attention, prefill ? 0 : slots * kSlotBytes,
             0.62, prefill ? 9'000 + slots * tokens / 4 : 0},
            {attention_out, matmul, out_bytes, 0.76, slow(out_bytes)},
            {mlp_up, matmul, up_bytes, 0.9, slow(up_bytes)},
            {mlp_down, matmul, down_bytes, 0.87, slow(down_bytes)}};
  }

  std::int64_t duration(const Work& work) {
    const double jitter = 0.97 + static_cast<double>(random_() % 600) / 10'000;
    const double by_bytes =
        work.share > 0 ? static_cast<double>(work.bytes) / (work.share * kMadeUpCeiling) : 0;
    return 1'500 + static_cast<std::int64_t>(std::max(by_bytes, static_cast<double>(work.flat_ns)) * jitter);
  }

  Span on_device(engine::Step step, std::int16_t layer, const Work& work, std::int32_t graph_number) {
    Span span;
    span.start_ns = graph_number >= 0 ? early_start() : device_ns_;
    span.end_ns = device_ns_ + duration(work);
    span.step = step;
    span.layer = layer;
    span.operation = static_cast<std::int16_t>(work.operation);
    span.kernel = cupti() ? named(work.kernel) : span.operation;
    span.device = 0;
    span.stream = cupti() ? kForwardStream : 0;
    span.graph = graph_number;
    span.bytes = work.bytes;
    last_start_ns_ = span.start_ns;
    device_ns_ = span.end_ns + (graph_number >= 0 ? 0 : 1'900);
    return span;
  }

  // In a graph a kernel is launched once the one before has begun, and waits inside for its end.
  std::int64_t early_start() {
    const std::int64_t lead = 1'500 + static_cast<std::int64_t>(random_() % 4'000);
    return std::min(device_ns_, std::max(last_start_ns_ + 500, device_ns_ - lead));
  }

  void add_kernel(engine::Step step, std::int16_t layer, const Work& work, bool in_graph) {
    fresh_.push_back(on_device(step, layer, work, in_graph ? kDecodeGraph : -1));
    if (!in_graph && cupti()) add_call(step, layer, work.operation, launch_kernel, 2'600);
  }

  void add_call(engine::Step step, std::int16_t layer, engine::CudaOperation operation, std::int16_t call,
                std::int64_t ns) {
    Span span{host_ns_, host_ns_ + ns,      step, layer, static_cast<std::int16_t>(operation), named(call),
              -1,       engine::kLaunchLane};
    host_ns_ = span.end_ns + 900;
    fresh_.push_back(span);
  }

  void add_copy(engine::Step step, std::int16_t kernel, std::int32_t stream, std::int64_t at,
                std::int64_t bytes) {
    if (!cupti()) return;
    Span span{at,    at + 1'900 + bytes / 50, step, -1, static_cast<std::int16_t>(transfer), named(kernel), 0,
              stream};
    span.bytes = bytes;
    fresh_.push_back(span);
  }

  void forward(const engine::StepFinished& step, bool in_graph) {
    const bool prefill = step.phase == engine::Phase::prefill;
    add_kernel(step.step, -1, {embed, embed_rows, step.tokens * kHidden * 2, 0.05, 0}, in_graph);
    for (std::int32_t layer = 0; layer < options_.layers; ++layer) {
      for (const Work& work : layer_work(layer, prefill, step.tokens))
        add_kernel(step.step, static_cast<std::int16_t>(layer), work, in_graph);
      // Decisions leave on a stream of their own while the next layer computes.
      if (layer % 4 == 3) add_copy(step.step, copy_out, kDecisionStream, device_ns_ + 4'000, 4'096);
    }
    add_kernel(step.step, -1, {head, small_matmul, kVocab * kHidden * 2, 0.93, 0}, in_graph);
    add_kernel(step.step, -1, {pick, argmax, kVocab * 4, 0.2, 0}, in_graph);
    add_copy(step.step, copy_out, kForwardStream, device_ns_, 64);
    device_ns_ += 3'000;
  }

  void launch_each(const engine::StepFinished& step) {
    add_copy(step.step, copy_in, kForwardStream, device_ns_ - 6'000, step.tokens * 4);
    forward(step, false);
  }

  void launch_whole(const engine::StepFinished& step) {
    add_copy(step.step, copy_in, kForwardStream, device_ns_ - 6'000, 64);
    if (cupti()) add_call(step.step, -1, graph, launch_graph, 21'000);
    last_start_ns_ = device_ns_;  // the first one waits for nobody
    if (options_.profile == Profile::detailed) {
      forward(step, true);
    } else {
      std::int64_t bytes = kVocab * kHidden * 2;
      for (std::int32_t layer = 0; layer < options_.layers; ++layer) {
        for (const Work& work : layer_work(layer, false, 1)) bytes += work.bytes;
      }
      add_kernel(step.step, -1, {graph, whole_graph, bytes, 0.84, 0}, true);
      add_copy(step.step, copy_out, kForwardStream, device_ns_, 64);
    }
    if (step.step % 10 == 0 && cupti()) {
      Span span{host_ns_ + 30'000, host_ns_ + 74'000, -1, -1,
                kProfilerCost,     named(flush),      -1, engine::kProfilerLane};
      fresh_.push_back(span);
    }
  }

  // --- what is told
  std::int16_t named(std::int16_t kernel) {
    const auto found = std::find(told_.begin(), told_.end(), kernel);
    if (found == told_.end()) {
      told_.push_back(kernel);
      to_.on_event(engine::KernelsNamed{{kKernels[static_cast<std::size_t>(kernel)]}});
      return static_cast<std::int16_t>(kFirstKernel + static_cast<std::int16_t>(told_.size()) - 1);
    }
    return static_cast<std::int16_t>(kFirstKernel + (found - told_.begin()));
  }

  void deliver(std::vector<Span> spans) {
    if (spans.empty()) return;
    std::shuffle(spans.begin(), spans.end(), random_);
    to_.on_event(engine::SpansRecorded{std::move(spans)});
  }

  void sample(bool prefill) {
    for (; next_sample_ns_ <= now_ns_; next_sample_ns_ += options_.counter_period_ns) {
      const auto noise = [this](double by) {
        return by * (static_cast<double>(random_() % 2001) / 1000 - 1);
      };
      const double gib = 1024.0 * 1024.0 * 1024.0;
      const auto at = next_sample_ns_;
      to_.on_event(engine::CountersSampled{
          {{0, "memory used", "bytes", at, 17.6 * gib + static_cast<double>(at) * 0.02 + noise(2e6)},
           {0, "power", "W", at, (prefill ? 655.0 : 470.0) + noise(14)},
           {0, "SM clock", "MHz", at, 1980 - (prefill ? 90 : 0) + std::round(noise(1)) * 15},
           {0, "memory clock", "MHz", at, 3201},
           {0, "GPU busy", "%", at, prefill ? 99.0 : std::round(95 + noise(3))},
           {0, "memory busy", "%", at, prefill ? 31.0 : std::round(84 + noise(4))}}});
    }
  }

  void finish() {
    if (options_.all_told) {
      deliver(std::exchange(late_, {}));
      deliver(std::exchange(fresh_, {}));
    }
    if (cupti() && options_.losses) lose();
    to_.on_event(engine::RunFinished{now_ns_, "length"});
  }

  // Kernels of the run's beginning that nothing explains come last of all.
  void lose() {
    std::vector<Span> unknown;
    for (std::int64_t i = 0; i < kMadeUpUnknown; ++i) {
      Span span;
      span.start_ns = idle_ns_ + i * 22'000;
      span.end_ns = span.start_ns + 20'000;
      span.step = -1;
      span.operation = kUnattributed;
      span.kernel = named(tiled_matmul);
      span.device = 0;
      span.stream = kForwardStream;
      unknown.push_back(span);
    }
    deliver(std::move(unknown));
    to_.on_event(engine::RecordsLost{
        "unattributed", 1, "kernels, copies and graphs that could not be attributed to an operation"});
    to_.on_event(
        engine::RecordsLost{"unattributed", kMadeUpUnknown,
                            "kernels, copies and graphs that could not be attributed to an operation"});
    to_.on_event(engine::RecordsLost{
        "untimed", 12, "kernels, copies and graphs without time stamps, which are in no statistics"});
  }

  engine::EventSink& to_;
  const GpuRunOptions options_;
  std::minstd_rand random_{7};
  std::vector<std::int32_t> live_;
  std::vector<std::int16_t> told_;   // kernels that have a name
  std::vector<Span> fresh_, late_;   // of this step, and of the one before
  std::int64_t now_ns_ = 1'000'000;  // the host
  std::int64_t host_ns_ = 0;         // its next call
  std::int64_t device_ns_ = 0;
  std::int64_t last_start_ns_ = 0;  // of the kernel before
  std::int64_t idle_ns_ = 0;        // after the first step, where nothing else runs
  std::int64_t next_sample_ns_ = 0;
};

}  // namespace

void emit_gpu_run(engine::EventSink& sink, const GpuRunOptions& options) {
  GpuRun gpu(sink, options);
  profiling_test::SyntheticOptions cache;
  cache.layers = options.layers;
  cache.kv_heads = options.kv_heads;
  cache.prompt_tokens = options.prompt_tokens;
  cache.prefill_chunk = options.prefill_chunk;
  cache.window = options.window;
  cache.page_slots = 16;
  cache.spans_per_step = 0;
  profiling_test::emit_run(gpu, cache, options.decode_steps);
}

engine::Status write_gpu_trace(const std::filesystem::path& path, const GpuRunOptions& options) {
  auto writer = profiling::TraceWriter::create(path, {.overwrite = true});
  if (!writer) return writer.error();
  emit_gpu_run(**writer, options);
  return (*writer)->finish();
}

}  // namespace support
