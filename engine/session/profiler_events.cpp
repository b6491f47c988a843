#include "engine/session/profiler_events.hpp"

#include <utility>

namespace engine {

void ProfilerEvents::complete(RunStarted& run) {
  first_operation_ = static_cast<std::int16_t>(run.operations.size());
  first_kernel_ = static_cast<std::int16_t>(run.kernels.size());
  static_assert(kUnattributed == -1 && kWholeGraph == -2 && kProfilerCost == -3);
  for (const char* name : {"unattributed", "graph", "profiling"}) run.operations.emplace_back(name);
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
    if (span.operation < 0) span.operation = static_cast<std::int16_t>(first_operation_ - 1 - span.operation);
    span.kernel = static_cast<std::int16_t>(first_kernel_ + span.kernel);
  }
  if (!records.spans.empty()) sink_.on_event(SpansRecorded{std::move(records.spans)});
  if (!records.counters.empty()) sink_.on_event(CountersSampled{std::move(records.counters)});
  for (RecordsLost& lost : records.losses) sink_.on_event(std::move(lost));
}

}  // namespace engine
