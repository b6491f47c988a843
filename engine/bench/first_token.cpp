#include "engine/bench/first_token.hpp"

#include <utility>

#include "engine/bench/speed.hpp"
#include "engine/tokenizer/tokenizer.hpp"

namespace engine {

namespace {

class Laps {
 public:
  double lap() {
    const std::int64_t now = steady_now_ns();
    return static_cast<double>(now - std::exchange(last_, now)) * 1e-9;
  }
  double total() const { return static_cast<double>(last_ - start_) * 1e-9; }

 private:
  std::int64_t start_ = steady_now_ns();
  std::int64_t last_ = start_;
};

bool has_tokenizer(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "tokenizer.json", error) ||
         std::filesystem::exists(folder / "tokenizer.model", error);
}

}  // namespace

Result<FirstTokenSample> measure_first_token(const std::filesystem::path& folder,
                                             const BackendOptions& options, std::int32_t prompt_tokens) {
  FirstTokenSample sample;
  sample.prompt_tokens = prompt_tokens;
  Laps laps;
  const auto model = load_model(folder);
  if (!model) return model.error();
  sample.model_seconds = laps.lap();
  if (has_tokenizer(folder)) {
    if (const auto tokenizer = Tokenizer::load(folder); !tokenizer) return tokenizer.error();
    sample.tokenizer_seconds = laps.lap();
  }
  const auto facts = resolve_policy({}, **model);
  if (!facts) return facts.error();
  auto backend = make_backend(*model, make_policy(*facts, **model), options);
  if (!backend) return backend.error();
  sample.backend_seconds = laps.lap();
  const auto ids = synthetic_tokens(prompt_tokens, (*model)->config.vocab);
  const StepInput input{(*backend)->start_sequence(), ids, LogitRows::none, true};
  const auto output = (*backend)->step({&input, 1});
  if (!output) return output.error();
  sample.prefill_seconds = laps.lap();
  sample.total_seconds = laps.total();
  return sample;
}

}  // namespace engine
