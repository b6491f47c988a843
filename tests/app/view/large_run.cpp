#include "tests/app/view/large_run.hpp"

#include <algorithm>
#include <random>

namespace view_test {

namespace {

constexpr std::int32_t kWindow = 256;
constexpr std::int32_t kPageSlots = 64;
constexpr std::int32_t kPrefillChunk = 512;
constexpr std::int64_t kStepNs = 10'000'000;

engine::RunStarted run_started(const LargeRunOptions& options) {
  engine::RunStarted run;
  run.model_name = "synthetic";
  run.shape = {options.layers, options.kv_heads * 4, options.kv_heads, 128, 4096, 151936, options.tokens};
  run.policy = "dms";
  run.window = kWindow;
  run.page_slots = kPageSlots;
  run.slot_bytes = 512;
  run.operations = run.kernels = {"qkv", "attention", "attention_out", "mlp_up", "mlp_down"};
  return run;
}

class Generator {
 public:
  explicit Generator(const LargeRunOptions& options)
      : options_(options),
        heads_(static_cast<std::size_t>(options.layers * options.kv_heads)),
        kept_prefix_(heads_, std::vector<std::int32_t>{0}) {}

  std::vector<engine::Event> generate() {
    events_.emplace_back(run_started(options_));
    events_.emplace_back(engine::SequenceStarted{});
    for (std::int32_t first = 0; first < options_.tokens;) {
      const bool prefill = first < options_.prompt;
      const std::int32_t count = prefill ? std::min(kPrefillChunk, options_.prompt - first) : 1;
      add_step(first, count, prefill ? engine::Phase::prefill : engine::Phase::decode);
      first += count;
    }
    events_.emplace_back(engine::RunFinished{step_ * kStepNs, "length"});
    return std::move(events_);
  }

 private:
  void add_step(std::int32_t first, std::int32_t count, engine::Phase phase) {
    for (std::int32_t i = 0; i < count; ++i) {
      events_.emplace_back(engine::TokenAdded{0, first + i, static_cast<engine::TokenId>(random_() % 151936),
                                              " token", phase, step_});
    }
    add_gates(first, count);
    add_occupancy(first + count);
    add_spans();
    events_.emplace_back(
        engine::StepFinished{step_, phase, step_ * kStepNs, (step_ + 1) * kStepNs, count, 1000});
    ++step_;
  }

  // Heads differ as real ones do: some keep nearly everything, most evict nearly everything.
  void add_gates(std::int32_t first, std::int32_t count) {
    engine::GatesDecided gates{0, first, count, step_, {}, {}};
    for (std::size_t head = 0; head < heads_; ++head) {
      const float mean = static_cast<float>(head % 7) - 2.0f;
      for (std::int32_t i = 0; i < count; ++i) {
        const float logit = mean + static_cast<float>(random_() % 4096) * (8.0f / 4096) - 4.0f;
        gates.logits.push_back(logit);
        gates.marked.push_back(logit > 0);
        kept_prefix_[head].push_back(kept_prefix_[head].back() + (logit > 0 ? 0 : 1));
      }
    }
    events_.emplace_back(std::move(gates));
  }

  void add_occupancy(std::int32_t length) {
    engine::OccupancyChanged occupancy{0, step_, {}, {}};
    const std::int32_t left = std::max(0, length - 1 - kWindow);
    for (std::size_t head = 0; head < heads_; ++head) {
      const std::int32_t live = kept_prefix_[head][static_cast<std::size_t>(left)] + length - left;
      occupancy.live.push_back(live);
      occupancy.allocated.push_back((live + kPageSlots - 1) / kPageSlots * kPageSlots);
    }
    events_.emplace_back(std::move(occupancy));
  }

  void add_spans() {
    if (options_.spans_per_step == 0) return;
    engine::SpansRecorded recorded;
    const std::int64_t width = kStepNs / options_.spans_per_step;
    for (std::int32_t i = 0; i < options_.spans_per_step; ++i) {
      const std::int64_t start = step_ * kStepNs + i * width;
      const auto operation = static_cast<std::int16_t>(i % 5);
      recorded.spans.push_back({start, start + width / 2 + static_cast<std::int64_t>(random_() % 20'000),
                                step_, static_cast<std::int16_t>(i / 5), operation, operation, -1, 0});
    }
    events_.emplace_back(std::move(recorded));
  }

  LargeRunOptions options_;
  std::size_t heads_;
  std::vector<engine::Event> events_;
  std::minstd_rand random_{1};
  engine::Step step_ = 0;
  std::vector<std::vector<std::int32_t>> kept_prefix_;  // [heads][positions + 1]
};

}  // namespace

std::vector<engine::Event> large_run(const LargeRunOptions& options) {
  return Generator(options).generate();
}

}  // namespace view_test
