#include "profiling/gpu/record_tally.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace profiling {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void pass_on(engine::GpuRecords&& from, engine::GpuRecords& to) {
  append(to.spans, std::move(from.spans));
  append(to.kernels, std::move(from.kernels));
  append(to.tracks, std::move(from.tracks));
  append(to.counters, std::move(from.counters));
  append(to.losses, std::move(from.losses));
  append(to.parameters, std::move(from.parameters));
  append(to.notices, std::move(from.notices));
}

bool fewer(const std::pair<const engine::Step, std::int64_t>& a,
           const std::pair<const engine::Step, std::int64_t>& b) {
  return a.second < b.second;
}

}  // namespace

double RecordCounts::attributed_fraction() const {
  const std::int64_t all = kernels + graphs + untimed + missing_nodes;
  const std::int64_t lost = unattributed + untimed + missing_nodes;
  return all > 0 ? static_cast<double>(all - lost) / static_cast<double>(all) : 0;
}

std::int64_t RecordCounts::least_per_step() const {
  return of_step.empty() ? 0 : std::min_element(of_step.begin(), of_step.end(), fewer)->second;
}

std::int64_t RecordCounts::most_per_step() const {
  return of_step.empty() ? 0 : std::max_element(of_step.begin(), of_step.end(), fewer)->second;
}

void RecordTally::start_run(std::int64_t steady_start_ns) {
  counts_ = {};
  profiler_.start_run(steady_start_ns);
}

void RecordTally::take(engine::GpuRecords& out) {
  engine::GpuRecords taken;
  profiler_.take(taken);
  count(taken);
  pass_on(std::move(taken), out);
}

void RecordTally::finish_run(engine::GpuRecords& out) {
  engine::GpuRecords taken;
  profiler_.finish_run(taken);
  count(taken);
  pass_on(std::move(taken), out);
}

void RecordTally::count(const engine::GpuRecords& records) {
  for (const engine::Span& span : records.spans) {
    if (span.device < 0) continue;  // a call, or the profiler's own time
    ++(span.operation == engine::kWholeGraph ? counts_.graphs : counts_.kernels);
    if (span.operation == engine::kUnattributed) ++counts_.unattributed;
    if (span.step >= 0) ++counts_.of_step[span.step];
  }
  const auto total = [&](const char* what, std::int64_t& into) {
    for (const engine::RecordsLost& lost : records.losses) {
      if (lost.what == what) into = lost.count;
    }
  };
  total("untimed", counts_.untimed);
  total("missing_nodes", counts_.missing_nodes);
  total("dropped", counts_.dropped);
  if (!records.notices.empty()) counts_.notice = records.notices.back();
}

}  // namespace profiling
