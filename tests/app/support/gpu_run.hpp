// A made-up run on a made-up GPU, as the events that an engine, CUPTI and NVML would emit: prefill kernel by
// kernel, decode as a graph whose kernels are launched early and wait for the one before, two streams,
// launches, counters, losses, spans that come late and in any order. Sizes are those of an 8B model and
// speeds are plausible, but nothing here was measured.
#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace support {

struct GpuRunOptions {
  enum class Profile { detailed, light, events, off };  // events: CUPTI was refused
  Profile profile = Profile::detailed;
  std::int32_t layers = 8;
  std::int32_t kv_heads = 4;
  std::int32_t prompt_tokens = 96;
  std::int32_t prefill_chunk = 48;
  std::int32_t decode_steps = 24;
  std::int32_t window = 16;
  std::int64_t counter_period_ns = 2'000'000;
  bool losses = true;
  bool cost = true;      // what profiling costs was measured
  bool ceiling = true;   // what copying reaches was measured
  bool all_told = true;  // false: the spans of the last two steps have not come yet
};

inline constexpr std::int32_t kForwardStream = 13, kDecisionStream = 14;
inline constexpr std::int32_t kDecodeGraph = 5;
inline constexpr double kMadeUpCeiling = 4012;     // GB/s
inline constexpr std::int64_t kMadeUpUnknown = 3;  // kernels whose operation is not known

void emit_gpu_run(engine::EventSink& sink, const GpuRunOptions& options);
// The same as a trace; one that exists is replaced.
engine::Status write_gpu_trace(const std::filesystem::path& path, const GpuRunOptions& options);

}  // namespace support
