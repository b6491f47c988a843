#include "profiling/cache_walk.hpp"

#include <algorithm>

namespace profiling {

CacheWalk::CacheWalk(const Database& db, const engine::RunStarted& run, const Sequences& sequences)
    : stream_(db, run) {
  const auto heads =
      static_cast<std::size_t>(run.shape.layers) * static_cast<std::size_t>(run.shape.kv_heads);
  totals_.live.resize(heads);
  totals_.allocated.resize(heads);
  for (const SequenceRecord& record : sequences.all()) walkers_.emplace_back().record = &record;
}

engine::Status CacheWalk::read_coming(Walker& walker) {
  const auto next = stream_.next(walker.record->sequence);
  if (!next) return next.error();
  walker.more = next->state != nullptr;
  if (walker.more) {
    walker.coming = *next->state;
    walker.coming_step = next->step;
  }
  return {};
}

void CacheWalk::apply(Walker& walker) {
  for (std::size_t head = 0; head < totals_.live.size(); ++head) {
    const std::int64_t live =
        walker.coming.live[head] - (walker.counted ? std::int64_t{walker.state.live[head]} : 0);
    const std::int64_t allocated =
        walker.coming.allocated[head] - (walker.counted ? std::int64_t{walker.state.allocated[head]} : 0);
    totals_.live[head] += live;
    totals_.live_slots += live;
    totals_.allocated[head] += allocated;
    totals_.allocated_slots += allocated;
  }
  if (!walker.counted) totals_.tokens += walker.record->first_position;
  walker.counted = true;
  const auto& steps = walker.record->steps;
  while (walker.own_tokens < steps.size() && steps[walker.own_tokens] >= 0 &&
         steps[walker.own_tokens] <= walker.coming_step) {
    ++walker.own_tokens;
    ++totals_.tokens;
  }
  std::swap(walker.state, walker.coming);
}

engine::Result<const CacheTotals*> CacheWalk::next() {
  if (!started_) {
    started_ = true;
    for (Walker& walker : walkers_) {
      if (const auto status = read_coming(walker); !status) return status.error();
    }
  }
  const Walker* first = nullptr;
  for (const Walker& walker : walkers_) {
    if (walker.more && (first == nullptr || walker.coming_step < first->coming_step)) first = &walker;
  }
  if (first == nullptr) return static_cast<const CacheTotals*>(nullptr);
  totals_.step = first->coming_step;
  for (Walker& walker : walkers_) {
    if (!walker.more || walker.coming_step != totals_.step) continue;
    apply(walker);
    if (const auto status = read_coming(walker); !status) return status.error();
  }
  return static_cast<const CacheTotals*>(&totals_);
}

}  // namespace profiling
