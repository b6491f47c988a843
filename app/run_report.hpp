// What a recorded run came to, for people and as JSON (keys: docs/command-line.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/events/events.hpp"
#include "engine/session/session.hpp"

namespace app {

struct RunReport {
  engine::RunStarted run;
  engine::RunSummary summary;
  std::filesystem::path trace;
  std::uintmax_t trace_bytes = 0;
  bool trace_complete = true;
  std::optional<double> profile_cost_percent;  // of decoding's speed, where it was measured
  std::vector<std::string> notices;

  std::int64_t live_bytes() const { return summary.live_slots * run.slot_bytes; }
  std::int64_t allocated_bytes() const { return summary.allocated_slots * run.slot_bytes; }
  std::int64_t dense_bytes() const { return summary.dense_slots * run.slot_bytes; }
  double compression_ratio() const;  // 1 while nothing is cached
};

std::vector<std::string> report_lines(const RunReport& report);
std::string report_json(const RunReport& report);

// "3.2 MB", in powers of 1000.
std::string bytes_text(std::uintmax_t bytes);
// Of all chains, after the first token of each, which prefill gave.
double decode_speed(const engine::RunSummary& summary);
double per_second(std::int64_t count, double seconds);  // 0 where no time has passed

}  // namespace app
