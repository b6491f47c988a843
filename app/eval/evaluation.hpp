// An evaluation: every sample of every task under every setting, results as they come.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/eval/journal.hpp"
#include "app/eval/question.hpp"
#include "app/eval/sample_result.hpp"
#include "app/eval/settings_grid.hpp"
#include "app/prompt.hpp"
#include "app/run_setup.hpp"
#include "engine/events/result.hpp"

namespace app::eval {

struct EvaluationRequest {
  LoadedModel loaded;
  std::vector<Setting> settings;
  std::vector<std::string> generated;        // names of generated tasks
  std::vector<std::vector<Question>> files;  // question sets
  std::string text;                          // held-out text; empty: none
  std::vector<std::int32_t> contexts;        // tokens, for generated tasks and text
  std::int32_t samples = 20;                 // per generated task, and stretches of text, per context
  std::uint64_t seed = 0;                    // of the generated questions
  PromptOptions prompt;                      // raw, system, thinking
  engine::SessionOptions session;            // backend, sampling, chains
};

struct EvaluationProgress {
  std::string task;  // "needle 2048"
  std::int64_t done = 0;
  std::int64_t total = 0;  // samples times settings
};

// The results in the order of tasks, contexts, samples and settings. What the journal already has is not run
// again. Interrupted: an error, with everything up to then in the journal.
engine::Result<std::vector<SampleResult>> run_evaluation(
    const EvaluationRequest& request, Journal& journal,
    const std::function<void(const EvaluationProgress&)>& on_progress, std::stop_token stop);

}  // namespace app::eval
