#include "engine/session/profiler_events.hpp"

#include <algorithm>
#include <utility>

namespace engine {

void ProfilerEvents::complete(RunStarted& run) {
  first_kernel_ = static_cast<std::int16_t>(run.kernels.size());
  static_assert(kUnattributed == -1 && kWholeGraph == -2 && kProfilerCost == -3);
  constexpr std::array kNames{"unattributed", "graph", "profiling"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    // A backend that times graphs by itself has an operation for them.
    const auto known = std::find(run.operations.begin(), run.operations.end(), kNames[i]);
    operations_[i] = static_cast<std::int16_t>(known - run.operations.begin());
    if (known == run.operations.end()) run.operations.emplace_back(kNames[i]);
  }
}

void ProfilerEvents::after_step() {
  GpuRecords records;
  profiler_.take(records);
  emit(records);
}

void ProfilerEvents::finish() {
  GpuRecords records;
  profiler_.finish_run(records);
  emit(records);
}

// Names come before what they name.
void ProfilerEvents::emit(GpuRecords& records) {
  for (std::string& text : records.notices) sink_.on_event(Notice{std::move(text)});
  for (ParameterChanged& parameter : records.parameters) sink_.on_event(std::move(parameter));
  for (TrackNamed& track : records.tracks) sink_.on_event(std::move(track));
  if (!records.kernels.empty()) sink_.on_event(KernelsNamed{std::move(records.kernels)});
  for (Span& span : records.spans) {
    if (span.operation < 0) span.operation = operations_[static_cast<std::size_t>(-1 - span.operation)];
    span.kernel = static_cast<std::int16_t>(first_kernel_ + span.kernel);
  }
  if (!records.spans.empty()) sink_.on_event(SpansRecorded{std::move(records.spans)});
  if (!records.counters.empty()) sink_.on_event(CountersSampled{std::move(records.counters)});
  for (RecordsLost& lost : records.losses) sink_.on_event(std::move(lost));
}

}  // namespace engine
