#include "app/bench/bench_run.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "app/bench/recording_cost.hpp"
#include "app/run_measures.hpp"
#include "app/run_report.hpp"
#include "engine/bench/first_token.hpp"
#include "engine/bench/gpu_ceiling.hpp"
#include "engine/bench/synthetic_policy.hpp"
#include "profiling/gpu/make_kernel_profiler.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kMemoryTokens = 2048;
constexpr std::int32_t kFirstTokenPrompt = 20;

// A folder for traces that nobody keeps.
class ScratchFolder {
 public:
  static engine::Result<ScratchFolder> create() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "dmscope-bench-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      return engine::failed("{}: cannot create a folder for traces", name);
    return ScratchFolder(name);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

std::vector<DecodePoint> decode_points(const BenchOptions& options) {
  std::vector<DecodePoint> points;
  const auto add = [&](std::int32_t depth, std::int32_t chains, double evicted) {
    const auto same = [&](const DecodePoint& point) {
      return point.depth == depth && point.chains == chains && point.evicted == evicted;
    };
    if (std::none_of(points.begin(), points.end(), same)) {
      DecodePoint& point = points.emplace_back();
      point.depth = depth;
      point.chains = chains;
      point.evicted = evicted;
    }
  };
  if (options.has(Section::decode)) {
    for (const std::int32_t depth : options.depths) add(depth, 1, 0);
  }
  if (options.has(Section::evicted)) {
    const std::int32_t deepest = *std::max_element(options.depths.begin(), options.depths.end());
    add(deepest, 1, 0);  // what it is compared with
    add(deepest, 1, options.evicted);
  }
  if (options.has(Section::chains)) {
    for (const std::int32_t chains : options.chains) add(0, chains, 0);
  }
  if (options.has(Section::grid)) {
    for (const GridPoint& point : options.grid) {
      add(point.depth, point.chains, 0);
      add(point.depth, point.chains, options.evicted);
    }
  }
  return points;
}

engine::SessionOptions profiled_session(const engine::BackendOptions& backend, bool graph) {
  engine::SessionOptions session;
  session.policy.kind = engine::PolicyKind::dense;
  session.backend = backend;
  session.backend.graph = graph;
  return session;
}

}  // namespace

bool BenchResults::measured_anything() const {
  const auto measured = [](const auto& point) { return !point.tokens_per_second.empty(); };
  return memory || trace || profiling || !first_token_seconds.empty() || !recording_cost.empty() ||
         std::any_of(decode.begin(), decode.end(), measured) ||
         std::any_of(prefill.begin(), prefill.end(), measured);
}

std::vector<SpeedUp> BenchResults::speed_ups() const {
  std::vector<SpeedUp> found;
  for (const DecodePoint& evicted : decode) {
    if (evicted.evicted == 0 || evicted.tokens_per_second.empty()) continue;
    for (const DecodePoint& dense : decode) {
      if (dense.evicted != 0 || dense.depth != evicted.depth || dense.chains != evicted.chains) continue;
      if (dense.tokens_per_second.empty()) continue;
      found.push_back({evicted.depth, evicted.chains,
                       evicted.tokens_per_second.median() / dense.tokens_per_second.median(),
                       dense.bytes_per_step / evicted.bytes_per_step});
    }
  }
  return found;
}

BenchRun::BenchRun(const BenchOptions& options, std::shared_ptr<const engine::Model> model,
                   engine::BackendOptions backend, Progress& progress, std::stop_token stop)
    : options_(options),
      model_(std::move(model)),
      backend_(backend),
      progress_(progress),
      stop_(std::move(stop)) {
  backend_.spans = false;
  results_.model_name = model_->name;
  results_.weight_dtype = kernels::name_of(model_->weight_dtype);
  results_.weight_bytes = engine::weight_bytes_per_step(*model_);
  results_.decode = decode_points(options);
  if (options.has(Section::prefill)) {
    for (const std::int32_t tokens : options.prefill) results_.prefill.push_back({tokens, {}});
  }
}

engine::Status BenchRun::run() {
  if (options_.has(Section::profiling)) {
    if (auto status = attach_profiler(); !status) return status;
    progress_.show("bench: attribution", 0, 1);
    if (auto status = measure_attribution(); !status) return status;
  }
  if (options_.has(Section::memory)) {
    progress_.show("bench: memory", 0, 1);
    const std::int32_t tokens = std::min(kMemoryTokens, model_->config.max_positions);
    engine::BackendOptions host = backend_;
    host.device = engine::Device::cpu;  // it is the host's memory that is looked at
    const auto memory = engine::measure_memory(model_, host, tokens, stop_);
    if (!memory) return memory.error();
    results_.memory = *memory;
  }
  if (auto status = prepare(); !status) return status;
  for (std::int32_t number = 0; number < options_.rounds; ++number) {
    progress_.show("bench: round", number, options_.rounds);
    if (auto status = round(number); !status) return status;
  }
  if (options_.has(Section::profiling)) {
    progress_.show("bench: profiling", 0, 1);
    if (auto status = measure_profiling(); !status) return status;
  }
  progress_.show("bench: trace", 0, 1);
  return options_.has(Section::trace) ? measure_trace() : engine::Status{};
}

engine::Status BenchRun::prepare() {
  auto keep_all = engine::make_dense_policy(*model_);
  if (!keep_all) return keep_all.error();
  auto dense = engine::SpeedBench::create(model_, std::move(*keep_all), backend_);
  if (!dense) return dense.error();
  dense_ = std::move(*dense);
  const auto evicts = [](const DecodePoint& point) { return point.evicted > 0; };
  if (std::any_of(results_.decode.begin(), results_.decode.end(), evicts)) {
    auto policy = engine::make_synthetic_policy(options_.evicted, options_.window);
    auto evicting = engine::SpeedBench::create(model_, std::move(policy), backend_);
    if (!evicting) return evicting.error();
    evicting_ = std::move(*evicting);
  }
  results_.device = dense_->info().device;
  results_.threads = dense_->info().threads;
  if (needs_ceiling() && !on_gpu())
    ceiling_ = std::make_unique<engine::ReadCeiling>(model_, results_.threads);
  for (const DecodePoint& point : results_.decode) {
    progress_.show("bench: filling the cache", 0, point.depth);
    auto& bench = point.evicted > 0 ? *evicting_ : *dense_;
    if (auto status = bench.prepare(point.depth, stop_); !status) return status;
  }
  return {};
}

engine::Status BenchRun::round(std::int32_t number) {
  std::vector<Measure> measures;
  if (needs_ceiling()) measures.emplace_back([this] { return measure_ceiling(); });
  for (DecodePoint& point : results_.decode) measures.emplace_back([&] { return measure_decode(point); });
  for (PrefillPoint& point : results_.prefill) measures.emplace_back([&] { return measure_prefill(point); });
  if (options_.has(Section::first_token)) measures.emplace_back([this] { return measure_first_token(); });
  if (options_.has(Section::recording)) {
    measures.emplace_back([this, number] { return measure_recording_pair(number % 2 == 1); });
  }
  for (const Measure& measure : measures) {
    if (stop_.stop_requested()) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};
    if (auto status = measure(); !status) return status;
  }
  return {};
}

engine::Status BenchRun::measure_ceiling() {
  if (on_gpu()) {
    const auto ceiling = engine::measure_gpu_ceiling(backend_.gpu);
    if (!ceiling) return ceiling.error();
    results_.ceiling_bytes_per_second.add(ceiling->copy_bytes_per_second);
    results_.ceiling_variant = "copy on the GPU";
    return {};
  }
  const engine::ReadSample sample = ceiling_->measure();
  results_.ceiling_bytes_per_second.add(sample.bytes_per_second);
  results_.ceiling_variant = sample.variant;
  return {};
}

engine::Status BenchRun::measure_decode(DecodePoint& point) {
  auto& bench = point.evicted > 0 ? *evicting_ : *dense_;
  const std::int32_t room = model_->config.max_positions - point.depth;
  const std::int32_t steps = std::clamp(room - 4, 1, kMaxDecodeSteps);
  const auto sample = bench.decode(point.depth, point.chains, steps, options_.seconds, stop_);
  if (!sample) return sample.error();
  const double kv_bytes = static_cast<double>(sample->kv_reads * bench.info().slot_bytes);
  const double per_step =
      static_cast<double>(results_.weight_bytes) + kv_bytes / static_cast<double>(sample->steps);
  point.tokens_per_second.add(per_second(sample->tokens, sample->seconds));
  point.bytes_per_step = per_step;
  point.ceiling_share.add(per_step * per_second(sample->steps, sample->seconds) /
                          results_.ceiling_bytes_per_second.values().back());
  point.compression_ratio =
      static_cast<double>(sample->dense_slots) / static_cast<double>(sample->live_slots);
  return {};
}

engine::Status BenchRun::measure_prefill(PrefillPoint& point) {
  const auto sample = dense_->prefill(point.tokens, stop_);
  if (!sample) return sample.error();
  point.tokens_per_second.add(per_second(sample->tokens, sample->seconds));
  return {};
}

engine::Status BenchRun::measure_first_token() {
  const std::int32_t prompt = std::min(kFirstTokenPrompt, model_->config.max_positions);
  const auto sample = engine::measure_first_token(model_->folder, backend_, prompt);
  if (!sample) return sample.error();
  results_.first_token_prompt = prompt;
  results_.first_token_seconds.add(sample->total_seconds);
  return {};
}

engine::Status BenchRun::measure_recording_pair(bool recorded_first) {
  const auto folder = ScratchFolder::create();
  if (!folder) return folder.error();
  const auto pair = measure_recording(model_, backend_, recorded_first, folder->path(), stop_);
  if (!pair) return pair.error();
  results_.plain_tokens_per_second.add(pair->plain_tokens_per_second);
  results_.recorded_tokens_per_second.add(pair->recorded_tokens_per_second);
  results_.recording_cost.add(pair->cost());
  return {};
}

// Before the first use of CUDA. Nothing is recorded until a sample is, which makes that one CUPTI's first
// session: in later ones 13.0 gives wrong correlation ids.
engine::Status BenchRun::attach_profiler() {
  profiler_ = profiling::attach_kernel_profiler(profiling::ProfileMode::off);
  if (profiler_->reason().empty()) return {};
  return engine::failed("--only profiling: kernels cannot be timed: {}", profiler_->reason());
}

engine::Status BenchRun::measure_attribution() {
  results_.profiling_depth = *std::max_element(options_.depths.begin(), options_.depths.end());
  if (auto status = profiler_->set_mode(profiling::ProfileMode::detailed); !status) return status;
  for (const bool graph : {true, false}) {
    const auto counts = app::measure_attribution(model_, profiled_session(backend_, graph), *profiler_,
                                                 results_.profiling_depth, profiling::kCostTokens, stop_);
    if (!counts) return counts.error();
    results_.attribution.push_back({graph, *counts});
  }
  return profiler_->set_mode(profiling::ProfileMode::off);
}

engine::Status BenchRun::measure_profiling() {
  const auto cost = app::measure_profiling(model_, profiled_session(backend_, backend_.graph), *profiler_,
                                           results_.profiling_depth, options_.rounds, stop_);
  if (!cost) return cost.error();
  results_.profiling = *cost;
  return {};
}

engine::Status BenchRun::measure_trace() {
  const auto folder = ScratchFolder::create();
  if (!folder) return folder.error();
  const auto size = measure_trace_size(folder->path(), stop_);
  if (!size) return size.error();
  results_.trace = *size;
  return {};
}

}  // namespace app
