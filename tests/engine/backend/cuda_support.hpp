// What tests of the CUDA backend share: they run on a GPU, or on the emulation of one.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "engine/backend/devices.hpp"
#include "tests/engine/backend/run_model.hpp"
#include "tests/engine/support/random_model.hpp"

// Nothing to test on a machine without a usable GPU; the emulation always has one.
#define REQUIRE_GPU()                                        \
  do {                                                       \
    const std::string no_gpu = engine::survey_gpus().reason; \
    if (!no_gpu.empty()) SKIP(no_gpu);                       \
  } while (false)

namespace test {

// Pages for a few short sequences: the emulation fills all memory that it hands out.
inline constexpr std::int64_t kTestCacheBytes = std::int64_t{1} << 20;

inline RunOptions on_cuda(const engine::PolicyOptions& policy = {}, std::int32_t chunk = 1,
                          bool graph = true) {
  RunOptions options;
  options.policy = policy;
  options.reference = false;
  options.chunk = chunk;
  options.device = engine::Device::cuda;
  options.graph = graph;
  options.cache_bytes = kTestCacheBytes;
  return options;
}

// The GPU's weights are bf16: only a model of such weights is the same on both.
inline RandomModelOptions bf16_model() {
  RandomModelOptions options;
  options.dtype = kernels::DType::bf16;
  options.layers = 2;
  return options;
}

inline double rms(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += double(value) * double(value);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

inline double rms_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  std::vector<float> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return rms(difference);
}

// How far a decision logit may be off: these models multiply a gate's rounding error by 100 (alpha_scale),
// without the averaging of a real model's width. A key's norm is not multiplied.
struct GateTolerance {
  float absolute = 1.5f;
  float relative = 0.02f;
  float of(float gate) const { return absolute + relative * std::fabs(gate); }
};

// Whether every decision of `out` lies clear of the threshold, so that rounding cannot turn one.
inline bool decisions_are_clear(const Outputs& out, double threshold, const GateTolerance& tolerance) {
  for (const float gate : out.gates) {
    if (std::isnan(gate)) continue;
    if (std::fabs(double(gate) - threshold) < double(tolerance.of(gate))) return false;
  }
  return true;
}

}  // namespace test
