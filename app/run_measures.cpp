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

// A run of the profiler's own, whose records nobody keeps.
class ProfiledAside {
 public:
  explicit ProfiledAside(profiling::KernelProfiler& profiler) : profiler_(profiler) {
    profiler_.start_run(engine::steady_now_ns());
  }
  ~ProfiledAside() {
    engine::GpuRecords nobody_reads;
    profiler_.finish_run(nobody_reads);
  }
  ProfiledAside(const ProfiledAside&) = delete;
  ProfiledAside& operator=(const ProfiledAside&) = delete;

 private:
  profiling::KernelProfiler& profiler_;
};

}  // namespace

engine::Result<profiling::ProfilingCost> measure_profiling(const std::shared_ptr<const engine::Model>& model,
                                                           const engine::SessionOptions& options,
                                                           profiling::KernelProfiler& profiler,
                                                           std::int32_t depth, int rounds,
                                                           std::stop_token stop) {
  const auto facts = engine::resolve_policy(options.policy, *model);
  if (!facts) return facts.error();
  engine::BackendOptions backend = options.backend;
  backend.profiler = &profiler;
  backend.spans = false;  // the profiler alone is looked at
  auto bench = engine::SpeedBench::create(model, engine::make_policy(*facts, *model), backend);
  if (!bench) return bench.error();
  const std::int32_t room = model->config.max_positions - profiling::kCostTokens - engine::kSpareSteps;
  const std::int32_t from = std::clamp(depth, 0, std::max(0, room));
  const ProfiledAside aside(profiler);
  if (auto status = (*bench)->prepare(from, stop); !status) return status.error();
  const auto decode = [&](int tokens) -> engine::Result<double> {
    const auto sample = (*bench)->decode(from, options.chains, tokens, kLongestSample, stop);
    if (!sample) return sample.error();
    return sample->seconds;
  };
  return profiling::measure_profiling_cost(
      [&](profiling::ProfileMode mode) { return profiler.set_mode(mode); }, decode, profiler.mode(),
      profiling::kCostTokens, rounds);
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
