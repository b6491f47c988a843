// One question, or one stretch of text, under one setting: what came out and what it cost.
#pragma once

#include <compare>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "engine/quality/text_quality.hpp"

namespace app::eval {

// The task of held-out text, beside generated tasks and question files.
inline constexpr const char* kTextTask = "text";

struct SampleKey {
  std::string task;
  std::int32_t context = 0;
  std::int32_t sample = 0;
  std::string setting;
  auto operator<=>(const SampleKey&) const = default;
};

struct TextScore {
  std::int64_t predictions = 0;
  double nll = 0;  // sums, in nats
  double kl = 0;
  std::int64_t top1 = 0;
};

struct AnswerScore {
  bool correct = false;    // of several chains, what most of them state
  std::int32_t right = 0;  // chains
  std::int32_t chains = 1;
  std::int64_t tokens = 0;  // written, all chains
  std::string text;         // of the first chain
};

struct SampleResult {
  SampleKey key;
  std::uint64_t asked =
      0;  // hash of the prompt's ids: results of another question are not taken for this one's
  std::string policy;
  std::int32_t window = 0;
  double threshold = 0;
  double target_cr = 0;         // 0: none was asked for
  std::optional<double> depth;  // of what was asked for
  std::int64_t prompt_tokens = 0;
  engine::CacheCost cost;  // at the end of the answer, all chains
  double seconds = 0;
  std::optional<TextScore> text;      // either this
  std::optional<AnswerScore> answer;  // or this
};

nlohmann::ordered_json to_json(const SampleResult& result);
// Nothing where a field is missing or of another kind.
std::optional<SampleResult> sample_from_json(const nlohmann::json& json);

}  // namespace app::eval
