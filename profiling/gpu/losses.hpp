// What of a GPU's records was lost or could not be used, as named counters that the user sees.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/events/events.hpp"

namespace profiling {

enum class Loss : std::uint8_t {
  dropped,
  refused_buffers,
  cut_buffers,
  unknown_records,
  unknown_nodes,
  untimed,
  unattributed,
  missing_nodes,
  unnamed_kernels,
  unread_spans,
};
inline constexpr std::size_t kLosses = 10;

class Losses {
 public:
  void add(Loss loss, std::int64_t count) { counts_[static_cast<std::size_t>(loss)] += count; }
  std::int64_t count(Loss loss) const { return counts_[static_cast<std::size_t>(loss)]; }
  // Appends those that have grown since the last call, with their totals.
  void report(std::vector<engine::RecordsLost>& out);
  void clear();

 private:
  std::array<std::int64_t, kLosses> counts_{};
  std::array<std::int64_t, kLosses> reported_{};
};

}  // namespace profiling
