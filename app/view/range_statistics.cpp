#include "app/view/range_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "app/view/percentile.hpp"
#include "app/view/saturating.hpp"

namespace app::view {

namespace {

void add(StateCounts& sum, const StateCounts& counts) {
  sum.unborn += counts.unborn;
  sum.window += counts.window;
  sum.doomed += counts.doomed;
  sum.kept += counts.kept;
  sum.evicted += counts.evicted;
}

bool is_wanted(const HeadSet& heads, std::int32_t head, std::int32_t kv_heads) {
  return heads.empty() || heads.contains({head / kv_heads, head % kv_heads});
}

void add_logits(LogitStatistics& statistics, const SequenceView& sequence, double threshold,
                std::int32_t head, TokenRange tokens) {
  for (std::int32_t t = tokens.begin; t < tokens.end; ++t) {
    const float logit = sequence.logit(head, t);
    if (std::isnan(logit)) continue;
    const bool first = statistics.count == 0;
    statistics.least = first ? logit : std::min(statistics.least, logit);
    statistics.greatest = first ? logit : std::max(statistics.greatest, logit);
    statistics.mean += static_cast<double>(logit);
    statistics.above += static_cast<double>(logit) > threshold ? 1 : 0;
    ++statistics.count;
  }
}

}  // namespace

double TokenStatistics::kept_fraction() const {
  const std::int64_t born = states.total() - states.unborn;
  return born > 0 ? static_cast<double>(born - states.evicted) / static_cast<double>(born) : 0;
}

StateCounts range_states(CacheView& view, TokenRange tokens, const HeadSet& heads, std::int32_t s) {
  StateCounts states;
  const CacheView::Marks marks = view.marks(s);
  for (std::int32_t head = 0; head < view.heads(); ++head) {
    if (is_wanted(heads, head, view.run().kv_heads())) add(states, count_states(marks, head, 1, tokens, s));
  }
  return states;
}

LogitStatistics logit_statistics(const SequenceView& sequence, std::int32_t layers, std::int32_t kv_heads,
                                 double threshold, TokenRange decided, const HeadSet& heads) {
  LogitStatistics statistics;
  const TokenRange known{std::max(0, decided.begin), std::min(decided.end, sequence.judged())};
  for (std::int32_t head = 0; head < layers * kv_heads; ++head) {
    if (is_wanted(heads, head, kv_heads)) add_logits(statistics, sequence, threshold, head, known);
  }
  if (statistics.count > 0) statistics.mean /= static_cast<double>(statistics.count);
  return statistics;
}

TokenStatistics token_statistics(CacheView& view, TokenRange tokens, const HeadSet& heads, std::int32_t s) {
  TokenStatistics statistics;
  statistics.tokens = {std::max(0, tokens.begin), std::min({tokens.end, s + 1, view.positions()})};
  if (statistics.tokens.size() <= 0) return {};
  statistics.states = range_states(view, statistics.tokens, heads, s);
  statistics.logits =
      logit_statistics(view.sequence(), view.run().layers(), view.run().kv_heads(), view.threshold(),
                       {statistics.tokens.begin, std::min(statistics.tokens.end, s - view.lag() + 1)}, heads);
  return statistics;
}

StepStatistics step_statistics(const RunSnapshot& run, StepRange steps, std::optional<engine::Phase> phase) {
  StepStatistics statistics;
  std::vector<std::int64_t> durations;
  for (std::int32_t i = 0; i < run.step_count(); ++i) {
    const StepRecord& step = run.step(i);
    if (!steps.contains(step.step) || (phase && step.phase != *phase)) continue;
    durations.push_back(step.end_ns - step.start_ns);
    add_saturating(statistics.busy_ns, durations.back());
    statistics.tokens += step.tokens;
    add_saturating(statistics.kv_reads, step.kv_reads);
  }
  statistics.steps = static_cast<std::int64_t>(durations.size());
  if (durations.empty()) return statistics;
  statistics.mean_ns = statistics.busy_ns / statistics.steps;
  statistics.p50_ns = percentile(durations, 0.50);
  statistics.p95_ns = percentile(durations, 0.95);
  statistics.p99_ns = percentile(durations, 0.99);
  return statistics;
}

StepRange steps_of(const SequenceView& sequence, TokenRange tokens) {
  const std::int32_t begin = std::max(0, tokens.begin);
  const std::int32_t end = std::min(tokens.end, sequence.processed());
  if (begin >= end) return {};
  return {sequence.token(begin).step, sequence.token(end - 1).step + 1};
}

}  // namespace app::view
