// How a run's kernels were timed, what that costs and what was lost, in the words of every panel that says
// it: from the parameters, notices and losses of a snapshot (docs/profiling.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"

namespace app::view {

struct ProfileChange {
  engine::Step step = 0;
  std::string mode;  // "off", "light", "detailed"
};

struct ProfileFacts {
  bool on_gpu = false;                 // the run's backend is a GPU's
  bool gpu_times = false;              // its newest spans have times of one
  std::vector<ProfileChange> changes;  // the first: the mode it began with
  std::optional<double> cost_percent;  // of the unprofiled speed
  std::optional<double> off_tokens_per_s;
  std::optional<double> copy_ceiling_gb_per_s;
  std::vector<std::string> fall_backs;  // notices that say why it is not profiled as it was asked
  bool without_cupti = false;           // one of them says so: times come from CUDA events

  // In force at a step; empty: nobody told.
  std::string mode_at(engine::Step step) const;
  std::string mode() const { return changes.empty() ? std::string() : changes.back().mode; }
};

ProfileFacts profile_facts(const RunSnapshot& run);

// "CPU timers", "CUPTI, detailed", "CUDA events", "not profiled": of a run with such facts at a step.
std::string timer_text(const ProfileFacts& facts, engine::Step step);
// "detailed from step 0, light from step 812"; unknown where nobody told.
std::string mode_text(const ProfileFacts& facts);
// "CUPTI costs 6.2 %", "cost not measured"; empty where nothing is profiled.
std::string cost_text(const ProfileFacts& facts);
// What it is of, or how to measure it.
std::string cost_about(const ProfileFacts& facts);
// All losses together; 0: none.
std::int64_t lost_records(const RunSnapshot& run);
// Why a run has no timed operations, and what to do.
std::string why_no_timings(const RunSnapshot& run, bool busy);
// Why the bytes of a span, which are not known, are not.
std::string why_no_bytes(const RunSnapshot& run, const engine::Span& span);

}  // namespace app::view
