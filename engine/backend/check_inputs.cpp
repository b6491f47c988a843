#include "engine/backend/check_inputs.hpp"

namespace engine {

Status check_inputs(const Model& model, std::span<const StepInput> inputs, const Backend& backend) {
  const ModelConfig& config = model.config;
  for (const StepInput& input : inputs) {
    const std::int64_t end =
        std::int64_t{backend.length(input.sequence)} + static_cast<std::int64_t>(input.tokens.size());
    if (end > config.max_positions) {
      return bad_input("context of {} tokens: {} has {} positions (max_position_embeddings)", end, model.name,
                       config.max_positions);
    }
    for (const TokenId token : input.tokens) {
      if (token < 0 || token >= config.vocab) {
        return bad_input("token id {}: expected 0 to {} (vocab_size of {})", token, config.vocab - 1,
                         model.name);
      }
    }
  }
  return {};
}

}  // namespace engine
