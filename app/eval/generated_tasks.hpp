// Questions made by a program, whose answers are known: they fill a context of a given length, and what is
// asked for stands at a known depth.
//
//   passkey     a number between repeated plain sentences (Mohtashami, Jaggi 2023)
//   needle      one fact about a place in running prose
//   recall      one of eight such facts (multi-key retrieval, as in RULER, Hsieh et al. 2024)
//   arithmetic  a sum of two numbers after a context full of solved ones
//
// Deterministic for (task, context, sample, seed) on every machine. Pure but for the tokenizer, which is
// constant.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/eval/question.hpp"
#include "engine/events/result.hpp"

namespace app::eval {

const std::vector<std::string>& generated_tasks();
bool is_generated_task(std::string_view name);

// How many tokens the model would read for this user's turn, template included.
using CountTokens = std::function<engine::Result<std::int32_t>(const std::string& prompt)>;

struct GeneratedRequest {
  std::string task;          // one of generated_tasks()
  std::int32_t context = 0;  // tokens of the whole prompt and its answer, at most
  std::int32_t sample = 0;   // from 0; any number of first samples is spread evenly over the depths
  std::uint64_t seed = 0;
};

// Fails where the context is too short for the question alone.
engine::Result<Question> generate(const GeneratedRequest& request, const CountTokens& count);

}  // namespace app::eval
