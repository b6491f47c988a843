// What `dmscope bench` measures: sections, points, repetitions.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"

namespace app {

enum class Section {
  memory,
  decode,
  evicted,
  chains,
  grid,
  prefill,
  first_token,
  recording,
  trace,
  profiling,  // only where it is asked for: CUPTI must be there before a GPU is used, and slows the rest
};

// A batch of sequences with so many tokens each.
struct GridPoint {
  std::int32_t chains = 1;
  std::int32_t depth = 0;
};

struct BenchOptions {
  std::string model;  // a folder; empty with `shape`
  std::string shape;  // random weights of this shape, made on the GPU
  std::vector<std::int32_t> depths{0, 512, 4096};
  std::vector<std::int32_t> chains{1, 2, 4, 8};
  std::vector<GridPoint> grid;
  std::vector<std::int32_t> prefill{128, 512, 2048};
  double evicted = 0.5;      // fraction evicted in the sections `evicted` and `grid`
  std::int32_t window = 16;  // of that eviction: short, so that the fraction is the one asked for
  std::int32_t rounds = 5;
  double seconds = 1;  // per sample
  std::vector<std::string> only;
  DeviceOptions device;
  bool quiet = false;
  bool json = false;

  std::set<Section> sections;  // resolved from `only`
  bool has(Section section) const { return sections.contains(section); }
};

void add_bench_options(CLI::App& command, BenchOptions& options);
engine::Status resolve_sections(BenchOptions& options);
// The checkpoint, or the shape.
engine::Result<std::shared_ptr<const engine::Model>> bench_model(const BenchOptions& options);
// Every depth and length must leave room in the model's positions.
engine::Status check_positions(const BenchOptions& options, const engine::Model& model);

// Decode steps of one sample at most: what llama-bench's default generates.
inline constexpr std::int32_t kMaxDecodeSteps = 128;

}  // namespace app
