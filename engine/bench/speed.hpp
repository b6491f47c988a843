// Decode and prefill speed of one backend under one policy, at chosen depths.
//
// A sequence of each depth is prefilled once and kept; every sample decodes forks of it, so that samples can
// be repeated and interleaved with others at exactly the same depth. Tokens are pseudo-random ids, the same
// every time. A profiler among the options is asked for its records after every decode step, as by a session.
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/backend/backend.hpp"

namespace engine {

struct DecodeSample {
  std::int64_t steps = 0;
  std::int64_t tokens = 0;  // steps * chains
  double seconds = 0;
  std::int64_t kv_reads = 0;    // slots read
  std::int64_t live_slots = 0;  // after the last step, all chains
  std::int64_t dense_slots = 0;
};

struct PrefillSample {
  std::int64_t tokens = 0;
  double seconds = 0;
};

// Room that a decode sample takes beyond its depth and its timed tokens: steps before the clock starts, and a
// little more.
inline constexpr std::int32_t kSpareSteps = 8;

class SpeedBench {
 public:
  static Result<std::unique_ptr<SpeedBench>> create(std::shared_ptr<const Model> model,
                                                    std::unique_ptr<Policy> policy,
                                                    const BackendOptions& options);

  const BackendInfo& info() const { return backend_->info(); }

  // Prefills the sequence that decode(depth) starts from.
  Status prepare(std::int32_t depth, const std::stop_token& stop);

  // Decodes `chains` forks, greedily, for at most `max_steps` steps and about `seconds`. prepare(depth) came
  // before.
  Result<DecodeSample> decode(std::int32_t depth, std::int32_t chains, std::int32_t max_steps, double seconds,
                              const std::stop_token& stop);
  // A new sequence, in chunks as a session does it.
  Result<PrefillSample> prefill(std::int32_t tokens, const std::stop_token& stop);

 private:
  SpeedBench(std::shared_ptr<const Model> model, std::unique_ptr<Backend> backend, GpuProfiler* profiler);
  Status feed(SequenceId sequence, std::int32_t tokens, LogitRows last_rows, const std::stop_token& stop);
  Result<std::vector<SequenceId>> fork(std::int32_t depth, std::int32_t chains);

  std::shared_ptr<const Model> model_;
  std::unique_ptr<Backend> backend_;
  GpuProfiler* profiler_;
  std::map<std::int32_t, SequenceId> prepared_;  // by depth
};

// `count` ids inside the vocabulary, the same for every call.
std::vector<TokenId> synthetic_tokens(std::int32_t count, std::int32_t vocab);

// Weight bytes that one decode step reads: all of them but an input embedding that is not tied to the head.
std::int64_t weight_bytes_per_step(const Model& model);

}  // namespace engine
