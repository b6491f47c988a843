#include "app/run_measures.hpp"

#include <algorithm>
#include <utility>

#include "engine/backend/backend.hpp"
#include "engine/bench/gpu_ceiling.hpp"
#include "engine/bench/speed.hpp"

namespace app {

namespace {

// Of one sample, far more than its tokens take: the steps are what ends it.
constexpr double kLongestSample = 60;

// Decodes samples beside any run, each a run of the profiler's own: what it recorded is counted.
class ProfiledSamples {
 public:
  static engine::Result<std::unique_ptr<ProfiledSamples>> create(
      const std::shared_ptr<const engine::Model>& model, const engine::SessionOptions& options,
      profiling::KernelProfiler& profiler, std::int32_t depth, int tokens, std::stop_token stop) {
    const auto facts = engine::resolve_policy(options.policy, *model);
    if (!facts) return facts.error();
    const std::int32_t room = model->config.max_positions - tokens - engine::kSpareSteps;
    std::unique_ptr<ProfiledSamples> samples(new ProfiledSamples(
        profiler, std::clamp(depth, 0, std::max(0, room)), options.chains, std::move(stop)));
    engine::BackendOptions backend = options.backend;
    backend.profiler = &samples->tally_;
    backend.spans = false;  // the profiler alone is looked at
    auto bench = engine::SpeedBench::create(model, engine::make_policy(*facts, *model), backend);
    if (!bench) return bench.error();
    samples->bench_ = std::move(*bench);
    if (samples->bench_->info().backend != "cuda")
      return engine::bad_input("what profiling costs: this ran on the CPU, expected a GPU");
    if (auto status = samples->bench_->prepare(samples->depth_, samples->stop_); !status)
      return status.error();
    return samples;
  }

  // The seconds that decoding took in this mode, which the profiler is in.
  engine::Result<double> decode(profiling::ProfileMode mode, int tokens) {
    engine::GpuRecords nobody_reads;
    tally_.start_run(engine::steady_now_ns());
    const auto sample = bench_->decode(depth_, chains_, tokens, kLongestSample, stop_);
    const profiling::ProfileMode at_end = profiler_.mode();
    tally_.finish_run(nobody_reads);
    if (!sample) return sample.error();
    if (at_end != mode || profiler_.mode() != mode) {
      return engine::failed("the sample with {} profiling is void: {}", name_of(mode), counts().notice);
    }
    if (mode != profiling::ProfileMode::off && counts().kernels + counts().graphs == 0) {
      return engine::failed("{} profiling recorded nothing of {} steps, so its cost is not known",
                            name_of(mode), sample->steps);
    }
    return sample->seconds;
  }

  const profiling::RecordCounts& counts() const { return tally_.counts(); }  // of the last sample

 private:
  ProfiledSamples(profiling::KernelProfiler& profiler, std::int32_t depth, std::int32_t chains,
                  std::stop_token stop)
      : profiler_(profiler), tally_(profiler), depth_(depth), chains_(chains), stop_(std::move(stop)) {}

  profiling::KernelProfiler& profiler_;
  profiling::RecordTally tally_;
  const std::int32_t depth_;
  const std::int32_t chains_;
  const std::stop_token stop_;
  std::unique_ptr<engine::SpeedBench> bench_;  // uses the tally
};

}  // namespace

engine::Result<profiling::RecordCounts> measure_attribution(const std::shared_ptr<const engine::Model>& model,
                                                            const engine::SessionOptions& options,
                                                            profiling::KernelProfiler& profiler,
                                                            std::int32_t depth, int tokens,
                                                            std::stop_token stop) {
  auto samples = ProfiledSamples::create(model, options, profiler, depth, tokens, std::move(stop));
  if (!samples) return samples.error();
  if (const auto seconds = (*samples)->decode(profiler.mode(), tokens); !seconds) return seconds.error();
  return (*samples)->counts();
}

engine::Result<profiling::ProfilingCost> measure_profiling(const std::shared_ptr<const engine::Model>& model,
                                                           const engine::SessionOptions& options,
                                                           profiling::KernelProfiler& profiler,
                                                           std::int32_t depth, int rounds,
                                                           std::stop_token stop) {
  auto samples =
      ProfiledSamples::create(model, options, profiler, depth, profiling::kCostTokens, std::move(stop));
  if (!samples) return samples.error();
  profiling::ProfileMode asked = profiler.mode();
  const auto set_mode = [&](profiling::ProfileMode mode) {
    asked = mode;
    return profiler.set_mode(mode);
  };
  const auto decode = [&](int tokens) { return (*samples)->decode(asked, tokens); };
  return profiling::measure_profiling_cost(set_mode, decode, profiler.mode(), profiling::kCostTokens, rounds);
}

RunMeasures::RunMeasures(engine::EventSink& next, const engine::BackendOptions& backend) : next_(next) {
  if (backend.device == engine::Device::cpu || backend.reference) return;
  const auto rate = engine::gpu_copy_bytes_per_second(backend.gpu);
  if (rate && *rate > 0) copy_bytes_per_second_ = *rate;  // else shares of the ceiling are not known
}

void RunMeasures::on_event(engine::Event event) {
  if (auto* finished = std::get_if<engine::RunFinished>(&event)) {
    end_ = std::move(*finished);
    return;
  }
  if (const auto* step = std::get_if<engine::StepFinished>(&event)) last_step_ = step->step;
  const auto* started = std::get_if<engine::RunStarted>(&event);
  const bool begins = started != nullptr;
  if (begins) on_gpu_ = started->backend == "cuda";
  next_.on_event(std::move(event));
  if (begins && on_gpu_ && copy_bytes_per_second_) {
    next_.on_event(engine::ParameterChanged{0, "copy_ceiling_gb_per_s",
                                            fmt::format("{:.1f}", *copy_bytes_per_second_ * 1e-9)});
  }
}

void RunMeasures::measure_cost(const LoadedModel& loaded, const RunSetup& setup,
                               profiling::KernelProfiler* profiler) {
  const auto skip = [this](const std::string& why) {
    next_.on_event(engine::Notice{"what profiling costs was not measured: " + why});
  };
  if (!on_gpu_) return skip("the run was on the CPU");
  if (profiler == nullptr) return skip("profiling was off");
  if (!profiler->reason().empty()) return skip(profiler->reason());
  const profiling::ProfileMode mode = profiler->mode();
  const auto cost = measure_profiling(loaded.model, setup.session, *profiler,
                                      static_cast<std::int32_t>(setup.request.prompt.size()),
                                      profiling::kCostRounds, setup.request.stop);
  if (!cost) return skip(cost.error().message);
  cost_percent_ = cost->percent(mode);
  for (engine::ParameterChanged& parameter : profiling::cost_parameters(*cost, mode, last_step_)) {
    next_.on_event(std::move(parameter));
  }
  const std::string warning = profiling::cost_warning(*cost, mode);
  if (!warning.empty()) next_.on_event(engine::Notice{warning});
}

void RunMeasures::release() {
  if (end_) next_.on_event(std::exchange(end_, std::nullopt).value());
}

}  // namespace app
