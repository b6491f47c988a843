#include "app/bench/bench_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "app/arguments.hpp"

namespace app {

namespace {

struct SectionName {
  std::string_view name;
  Section section;
};

constexpr std::array kSections{
    SectionName{"memory", Section::memory},       SectionName{"decode", Section::decode},
    SectionName{"evicted", Section::evicted},     SectionName{"chains", Section::chains},
    SectionName{"prefill", Section::prefill},     SectionName{"first-token", Section::first_token},
    SectionName{"recording", Section::recording}, SectionName{"trace", Section::trace},
};

// Steps before a sample's clock starts, and a little room.
constexpr std::int32_t kSpareSteps = 8;

}  // namespace

void add_bench_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--model", options.model, "The checkpoint folder")->required()->type_name("DIR");
  add_integer_list(command, "--depths", options.depths, 0, kMaxInt32,
                   "Tokens in the cache before decoding (default 0,512,4096)");
  add_integer_list(command, "--chains", options.chains, 1, 1024, "Batch sizes at depth 0 (default 1,2,4,8)");
  add_integer_list(command, "--prefill", options.prefill, 1, kMaxInt32,
                   "Prompt lengths (default 128,512,2048)");
  add_real(command, "--evicted", options.evicted, {.low = 0, .high = 1, .expected = "a fraction from 0 to 1"},
           "Fraction of the tokens evicted at the greatest depth (default 0.5)");
  add_integer(command, "--rounds", options.rounds, 1, 1000, "Samples of each point, interleaved (default 5)");
  add_real(command, "--seconds", options.seconds,
           {.low = 0, .high = 3600, .low_excluded = true, .expected = "seconds above 0 and at most 3600"},
           "Time of one decode sample, 128 steps at most (default 1)");
  command
      .add_option("--only", options.only,
                  "memory, decode, evicted, chains, prefill, first-token, recording, trace (default: all)")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->expected(1, static_cast<int>(kSections.size()));
  add_device_options(command, options.device);
  command.add_flag("--quiet", options.quiet, "No progress");
  command.add_flag("--json", options.json, "A JSON object even on a terminal, which gets a table otherwise");
}

engine::Status resolve_sections(BenchOptions& options) {
  for (const std::string& name : options.only) {
    const auto* found =
        std::find_if(kSections.begin(), kSections.end(), [&](const auto& s) { return s.name == name; });
    if (found == kSections.end()) {
      return engine::bad_input("--only: unknown section '{}', see --help", name);
    }
    options.sections.insert(found->section);
  }
  if (options.only.empty()) {
    for (const auto& [name, section] : kSections) options.sections.insert(section);
  }
  return {};
}

engine::Status check_positions(const BenchOptions& options, const engine::Model& model) {
  const std::int64_t limit = model.config.max_positions;
  for (const std::int32_t depth : options.depths) {
    if (depth + kSpareSteps > limit) {
      return engine::bad_input("--depths: {} leaves no room to decode in max_position_embeddings {}", depth,
                               limit);
    }
  }
  for (const std::int32_t tokens : options.prefill) {
    if (tokens > limit)
      return engine::bad_input("--prefill: {} exceeds max_position_embeddings {}", tokens, limit);
  }
  return {};
}

}  // namespace app
