// From what a user asks for (on the command line or in the window) to what the engine runs: the one way that
// `record` and the window share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/prompt.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/result.hpp"
#include "engine/session/session.hpp"
#include "engine/tokenizer/tokenizer.hpp"
#include "profiling/gpu/profile_mode.hpp"

namespace app {

struct RunOptions {
  PromptOptions prompt;
  std::int32_t tokens = 128;  // to generate, per chain
  DeviceOptions device;
  PolicyArguments policy;
  engine::SamplingOptions sampling;
  std::int32_t chains = 1;
  bool ignore_eos = false;
  bool quality = false;                // measure the answers against the dense model
  bool quality_prompt = false;         // the prompt's positions too
  std::optional<std::string> profile;  // of a GPU: off, light (default) or detailed
  bool measure_cost = false;           // what that costs, after the run
};

// --prompt and --tokens are required by `record` and given otherwise in the window: they are added apart.
void add_run_options(CLI::App& command, RunOptions& options);

struct LoadedModel {
  std::shared_ptr<const engine::Model> model;
  std::shared_ptr<const engine::Tokenizer> tokenizer;
};

// Everything that is needed to start, checked.
struct RunSetup {
  engine::SessionOptions session;
  engine::RunRequest request;        // without on_progress and stop
  std::vector<std::string> notices;  // what the user should know before it starts
  // Of a GPU's kernels.
  profiling::ProfileMode profile = profiling::ProfileMode::off;
  bool measure_cost = false;  // of profiling
};

// What can be refused without a checkpoint.
engine::Result<engine::SessionOptions> session_options(const RunOptions& options);
engine::Result<LoadedModel> load_for_run(const std::filesystem::path& folder);
engine::Result<RunSetup> set_up_run(const LoadedModel& loaded, const PromptText& prompt,
                                    const RunOptions& options);

}  // namespace app
