#include "app/bench/bench_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "app/arguments.hpp"
#include "engine/bench/shape_model.hpp"
#include "engine/bench/speed.hpp"

namespace app {

namespace {

struct SectionName {
  std::string_view name;
  Section section;
};

constexpr std::array kSections{
    SectionName{"memory", Section::memory},
    SectionName{"decode", Section::decode},
    SectionName{"evicted", Section::evicted},
    SectionName{"chains", Section::chains},
    SectionName{"grid", Section::grid},
    SectionName{"prefill", Section::prefill},
    SectionName{"first-token", Section::first_token},
    SectionName{"recording", Section::recording},
    SectionName{"trace", Section::trace},
    SectionName{"profiling", Section::profiling},
};

std::vector<GridPoint> read_grid(const std::vector<std::string>& texts) {
  std::vector<GridPoint> grid;
  for (const std::string& text : texts) {
    const std::size_t cross = text.find('x');
    const auto chains = parse_integer(text.substr(0, cross), 1, 1024);
    const auto depth =
        cross == std::string::npos ? std::nullopt : parse_integer(text.substr(cross + 1), 1, kMaxInt32);
    if (!chains || !depth) {
      throw CLI::ValidationError(
          "--grid",
          fmt::format("expected batch x context as in 8x8192, with commas between, got '{}'", text));
    }
    grid.push_back({static_cast<std::int32_t>(*chains), static_cast<std::int32_t>(*depth)});
  }
  return grid;
}

// What a shape has no files for.
bool needs_checkpoint(Section section) {
  return section == Section::memory || section == Section::first_token || section == Section::recording ||
         section == Section::trace;
}

std::string_view name_of(Section wanted) {
  for (const auto& [name, section] : kSections) {
    if (section == wanted) return name;
  }
  return "";
}

engine::Status check_shape(BenchOptions& options) {
  if (options.device.device == "cpu") {
    return engine::bad_input(
        "--shape: its weights are made on a GPU, cannot be used together with --device cpu");
  }
  if (options.device.device == "auto") options.device.device = "cuda";  // nothing else can run it
  if (options.only.empty()) {
    std::erase_if(options.sections, needs_checkpoint);
    return {};
  }
  for (const Section section : options.sections) {
    if (needs_checkpoint(section)) {
      return engine::bad_input("--only: {} needs a checkpoint, cannot be used together with --shape",
                               name_of(section));
    }
  }
  return {};
}

}  // namespace

void add_bench_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--model", options.model, "The checkpoint folder")->type_name("DIR");
  command.add_option("--shape", options.shape, "Random weights made on the GPU: llama-3.2-1b or qwen3-8b")
      ->type_name("NAME");
  add_integer_list(command, "--depths", options.depths, 0, kMaxInt32,
                   "Tokens in the cache before decoding (default 0,512,4096)");
  add_integer_list(command, "--chains", options.chains, 1, 1024, "Batch sizes at depth 0 (default 1,2,4,8)");
  add_integer_list(command, "--prefill", options.prefill, 1, kMaxInt32,
                   "Prompt lengths (default 128,512,2048)");
  add_real(command, "--evicted", options.evicted, {.low = 0, .high = 1, .expected = "a fraction from 0 to 1"},
           "Fraction of the tokens evicted at the greatest depth (default 0.5)");
  add_integer(command, "--window", options.window, 0, kMaxInt32,
              "Steps that an evicted token stays visible (default 16)");
  command
      .add_option_function<std::vector<std::string>>(
          "--grid", [&options](const std::vector<std::string>& texts) { options.grid = read_grid(texts); },
          "Batches of sequences with a context each, dense and evicted: 1x1024,8x8192")
      ->type_name("BxT,...")
      ->delimiter(',');
  add_integer(command, "--rounds", options.rounds, 1, 1000, "Samples of each point, interleaved (default 5)");
  add_real(command, "--seconds", options.seconds,
           {.low = 0, .high = 3600, .low_excluded = true, .expected = "seconds above 0 and at most 3600"},
           "Time of one decode sample, 128 steps at most (default 1)");
  command
      .add_option(
          "--only", options.only,
          "memory, decode, evicted, chains, grid, prefill, first-token, recording, trace (default: all "
          "of these), profiling (on a GPU)")
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
    options.sections.erase(Section::profiling);
  }
  if (options.has(Section::profiling) && options.device.device == "cpu") {
    return engine::bad_input("--only profiling: times a GPU's kernels, cannot be used with --device cpu");
  }
  if (options.has(Section::grid) && options.grid.empty() && !options.only.empty()) {
    return engine::bad_input("--only grid: --grid says which points, as in --grid 1x1024,8x8192");
  }
  if (options.model.empty() == options.shape.empty()) {
    return engine::bad_input("{}", options.model.empty() ? "--model is required"
                                                         : "--model: cannot be used together with --shape");
  }
  return options.shape.empty() ? engine::Status{} : check_shape(options);
}

engine::Result<std::shared_ptr<const engine::Model>> bench_model(const BenchOptions& options) {
  return options.shape.empty() ? engine::load_model(options.model) : engine::make_shape_model(options.shape);
}

engine::Status check_positions(const BenchOptions& options, const engine::Model& model) {
  const std::int64_t limit = model.config.max_positions;
  for (const std::int32_t depth : options.depths) {
    if (depth + engine::kSpareSteps > limit) {
      return engine::bad_input("--depths: {} leaves no room to decode in max_position_embeddings {}", depth,
                               limit);
    }
  }
  for (const GridPoint& point : options.grid) {
    if (std::int64_t{point.depth} + engine::kSpareSteps > limit) {
      return engine::bad_input("--grid: {} leaves no room to decode in max_position_embeddings {}",
                               point.depth, limit);
    }
  }
  for (const std::int32_t tokens : options.prefill) {
    if (tokens > limit)
      return engine::bad_input("--prefill: {} exceeds max_position_embeddings {}", tokens, limit);
  }
  return {};
}

}  // namespace app
