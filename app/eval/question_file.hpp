// Question sets in the forms in which they are published, one JSON object a line:
//
//   GSM8K                {"question", "answer": "... #### 72"}
//   MATH, AIME           {"problem", "answer"}, {"question", "answer": "70"}; "solution" where there is no
//   answer MMLU, MMLU-Pro       {"question", "choices" or "options": [...], "answer": index or letter} GPQA
//   {"Question", "Correct Answer", "Incorrect Answer 1" to 3}; shuffled by the seed RULER, LongBench {"input"
//   or "question", "context", "outputs" or "answers": [...]}
//
// Names of keys count whatever their case. None of these sets is part of DMScope.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "app/eval/question.hpp"
#include "engine/events/result.hpp"

namespace app::eval {

struct QuestionFileOptions {
  std::int32_t limit = 0;  // questions to take, the first ones; 0: all
  std::int32_t max_tokens = 512;
  std::uint64_t seed = 0;
};

// The task's name is the file's, without its extension. An error names the file and the line.
engine::Result<std::vector<Question>> read_question_file(const std::filesystem::path& path,
                                                         const QuestionFileOptions& options);

// For tests and fuzzing; `name` stands in errors.
engine::Result<Question> parse_question(std::string_view line, const std::string& name, std::int32_t sample,
                                        const QuestionFileOptions& options);

}  // namespace app::eval
