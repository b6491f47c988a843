// Numbers over the selected tokens and heads at one position, and over the selected steps.
#pragma once

#include <cstdint>
#include <optional>

#include "app/view/cache_view.hpp"
#include "app/view/kernel_table.hpp"
#include "app/view/map_image.hpp"
#include "app/view/selection.hpp"
#include "app/view/token_axis.hpp"

namespace app::view {

struct LogitStatistics {
  std::int64_t count = 0;  // decided, with a logit
  std::int64_t above = 0;  // marked at the view's threshold
  double mean = 0;
  float least = 0;
  float greatest = 0;
};

struct TokenStatistics {
  TokenRange tokens;             // those that exist at s
  StateCounts states;            // (head, token) cells
  LogitStatistics logits;        // of what is decided at s
  double kept_fraction() const;  // of the cells that are born: still held
};

// The parts of token_statistics(): states cost little; logits are as many as there are cells, and may be
// counted on another thread, as a snapshot does not change.
StateCounts range_states(CacheView& view, TokenRange tokens, const HeadSet& heads, std::int32_t s);
LogitStatistics logit_statistics(const SequenceView& sequence, std::int32_t layers, std::int32_t kv_heads,
                                 double threshold, TokenRange decided, const HeadSet& heads);

// `heads` empty means all.
TokenStatistics token_statistics(CacheView& view, TokenRange tokens, const HeadSet& heads, std::int32_t s);

struct StepStatistics {
  std::int64_t steps = 0;
  std::int64_t tokens = 0;
  std::int64_t kv_reads = 0;
  std::int64_t busy_ns = 0;  // the steps' own time, without what is between them
  std::int64_t mean_ns = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p95_ns = 0;
  std::int64_t p99_ns = 0;
  double tokens_per_second() const {
    return busy_ns > 0 ? static_cast<double>(tokens) * 1e9 / static_cast<double>(busy_ns) : 0;
  }
};

StepStatistics step_statistics(const RunSnapshot& run, StepRange steps,
                               std::optional<engine::Phase> phase = std::nullopt);

// The steps that processed a range of positions.
StepRange steps_of(const SequenceView& sequence, TokenRange tokens);

}  // namespace app::view
