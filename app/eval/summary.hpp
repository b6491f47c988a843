// Results put together: one row per task, context and setting.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/eval/sample_result.hpp"

namespace app::eval {

// A share of `samples`, with the Wilson interval that holds the true one in 95 of 100 cases.
struct Share {
  double value = 0;
  double low = 0;
  double high = 0;
};
Share share_of(std::int64_t right, std::int64_t samples);

struct DepthShare {
  double from = 0;  // of the prompt, [from, to)
  double to = 0;
  std::int64_t samples = 0;
  double accuracy = 0;
};

struct AnswerSummary {
  Share accuracy;             // of several chains, what most of them state
  double chain_accuracy = 0;  // of single chains
  double any_chain = 0;       // share of questions that at least one chain answers
  // Questions that both this setting and the dense one were asked: answered by this one alone, by dense
  // alone.
  std::int64_t paired = 0;
  std::int64_t better = 0;
  std::int64_t worse = 0;
  double answer_tokens = 0;  // mean, all chains
  std::vector<DepthShare> by_depth;
};

struct TextSummary {
  double perplexity = 0;
  std::optional<double> dense_perplexity;  // on the same stretches, where dense was measured
  double kl = 0;                           // mean per prediction, nats
  double top1 = 0;                         // share
};

struct SummaryRow {
  std::string task;
  std::int32_t context = 0;
  std::string setting;
  std::string policy;
  std::int32_t window = 0;  // of the first sample
  double threshold = 0;     // mean of the samples': a target ratio is calibrated for each
  double target_cr = 0;
  std::int64_t samples = 0;
  double prompt_tokens = 0;  // means from here on
  double ratio = 0;          // all dense slots over all live slots
  double allocated_ratio = 0;
  double kv_reads = 0;
  double peak_slots = 0;
  double seconds = 0;
  std::optional<AnswerSummary> answers;
  std::optional<TextSummary> text;
};

// In the order in which task, context and setting first appear.
std::vector<SummaryRow> summarise(const std::vector<SampleResult>& results);

std::string to_csv(const std::vector<SummaryRow>& rows);
nlohmann::ordered_json to_json(const std::vector<SummaryRow>& rows);
// For people: aligned columns, a block per task and context.
std::string to_table(const std::vector<SummaryRow>& rows);

}  // namespace app::eval
