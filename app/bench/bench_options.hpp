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

enum class Section { memory, decode, evicted, chains, prefill, first_token, recording, trace };

struct BenchOptions {
  std::string model;
  std::vector<std::int32_t> depths{0, 512, 4096};
  std::vector<std::int32_t> chains{1, 2, 4, 8};
  std::vector<std::int32_t> prefill{128, 512, 2048};
  double evicted = 0.5;  // fraction evicted in the section of that name
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
// Every depth and length must leave room in the model's positions.
engine::Status check_positions(const BenchOptions& options, const engine::Model& model);

// Decode steps of one sample at most: what llama-bench's default generates.
inline constexpr std::int32_t kMaxDecodeSteps = 128;

}  // namespace app
