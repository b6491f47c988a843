// From nothing to the first token: what a user waits for after pressing return.
#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/backend/backend.hpp"

namespace engine {

struct FirstTokenSample {
  std::int32_t prompt_tokens = 0;
  double model_seconds = 0;      // open and check the checkpoint
  double tokenizer_seconds = 0;  // 0: the checkpoint has none
  double backend_seconds = 0;    // threads and caches
  double prefill_seconds = 0;    // the prompt, and the first token picked
  double total_seconds = 0;
};

Result<FirstTokenSample> measure_first_token(const std::filesystem::path& folder,
                                             const BackendOptions& options, std::int32_t prompt_tokens);

}  // namespace engine
