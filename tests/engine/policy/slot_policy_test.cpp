// Policies without a closed form, through the hooks alone: the engine has no code that knows them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "engine/backend/backend.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

using engine::Admission;
using engine::HeadCache;
using engine::HeadRef;

constexpr std::int32_t kBudget = 12;
constexpr std::size_t kTokens = 40;

using HeadKey = std::tuple<engine::SequenceId, std::int32_t, std::int32_t>;
HeadKey key_of(const HeadRef& ref) {
  return {ref.sequence, ref.layer, ref.kv_head};
}

class SlotPolicy : public engine::Policy {
 public:
  SlotPolicy() { facts_.closed_form = false; }
  const engine::PolicyFacts& facts() const override { return facts_; }
  void judge(const engine::JudgeInput& input, const engine::Judgement& out) const override {
    std::fill_n(out.logits, input.kv_heads * input.count, std::numeric_limits<float>::quiet_NaN());
    std::fill_n(out.marked, input.kv_heads * input.count, std::uint8_t{0});
  }

 protected:
  engine::PolicyFacts facts_;
};

// TOVA: once the budget is full, the slot that the last query attended to least goes.
class SmallTova final : public SlotPolicy {
 public:
  SmallTova() { facts_.reads_attention = true; }
  Admission admit(const HeadRef& ref, const HeadCache& head, std::int32_t) override {
    if (head.live() < kBudget) return {};
    const std::vector<float>& last = attention_.at(key_of(ref));
    const auto least = std::min_element(last.begin(), last.end()) - last.begin();
    return {Admission::Kind::replace, static_cast<std::int32_t>(least), 0};
  }
  void observe(const HeadRef& ref, const HeadCache& head, std::span<const float> logits, int group) override {
    std::vector<float>& last = attention_[key_of(ref)];
    last.assign(static_cast<std::size_t>(head.live()), 0.0f);
    for (int g = 0; g < group; ++g) {
      const auto row = logits.subspan(static_cast<std::size_t>(g) * last.size(), last.size());
      const float max = *std::max_element(row.begin(), row.end());
      float sum = 0;
      for (const float logit : row) sum += std::exp(logit - max);
      for (std::size_t slot = 0; slot < last.size(); ++slot) last[slot] += std::exp(row[slot] - max) / sum;
    }
  }

 private:
  std::map<HeadKey, std::vector<float>> attention_;
};

// Reads only the newest `kBudget` slots, keeps all: what page selection does to the reads.
class RecentReads final : public SlotPolicy {
 public:
  void select(const HeadRef&, const HeadCache& head, std::span<const float>,
              std::vector<engine::SlotRange>& read) override {
    read.push_back({std::max(0, head.live() - kBudget), head.live()});
  }
};

// Folds every second token into the slot before it.
class PairMerge final : public SlotPolicy {
 public:
  Admission admit(const HeadRef&, const HeadCache& head, std::int32_t position) override {
    if (position % 2 == 0) return {};
    return {Admission::Kind::merge, head.live() - 1, 0.5f};
  }
};

struct Out {
  std::vector<float> logits;
  std::vector<std::int32_t> live;
  std::size_t evicted = 0;
  std::int64_t kv_reads = 0;
};

Out run(std::unique_ptr<engine::Policy> policy, std::size_t chunk) {
  const auto model = test::random_model({});
  const auto ids = test::random_ids(model->config.vocab, kTokens, 5);
  engine::BackendOptions options;
  options.reference = true;
  options.threads = 2;
  auto backend = engine::make_cpu_backend(model, std::move(policy), options);
  REQUIRE(backend);
  const engine::SequenceId sequence = (*backend)->start_sequence();
  Out out;
  for (std::size_t first = 0; first < kTokens; first += chunk) {
    const engine::StepInput input{sequence, std::span(ids).subspan(first, std::min(chunk, kTokens - first)),
                                  engine::LogitRows::all};
    const auto step = (*backend)->step(std::span(&input, 1));
    REQUIRE(step);
    out.logits.insert(out.logits.end(), step->logits.begin(), step->logits.end());
    out.live = step->sequences.front().live;
    out.evicted += step->sequences.front().evicted.size();
    out.kv_reads += step->kv_reads;
  }
  return out;
}

template <typename PolicyType>
Out decode_equals_prefill() {
  Out decode = run(std::make_unique<PolicyType>(), 1);
  for (const std::size_t chunk : {std::size_t{3}, kTokens}) {
    const Out prefill = run(std::make_unique<PolicyType>(), chunk);
    CHECK(prefill.live == decode.live);
    CHECK(prefill.evicted == decode.evicted);
    CHECK(prefill.kv_reads == decode.kv_reads);
    REQUIRE(prefill.logits.size() == decode.logits.size());
    for (std::size_t i = 0; i < decode.logits.size(); ++i) {
      REQUIRE(std::fabs(prefill.logits[i] - decode.logits[i]) < 1e-4f);
    }
  }
  return decode;
}

constexpr std::int64_t kHeads = 3 * 2;

}  // namespace

TEST_CASE("Policy hooks, a budget policy evicts by attention and holds its budget") {
  const Out out = decode_equals_prefill<SmallTova>();
  CHECK(std::all_of(out.live.begin(), out.live.end(), [](std::int32_t live) { return live == kBudget; }));
  CHECK(out.evicted == static_cast<std::size_t>(kHeads) * (kTokens - kBudget));
}

TEST_CASE("Policy hooks, a selecting policy reads fewer slots than it keeps") {
  const Out out = decode_equals_prefill<RecentReads>();
  CHECK(out.live.front() == static_cast<std::int32_t>(kTokens));
  std::int64_t reads = 0;
  for (std::int64_t s = 0; s < static_cast<std::int64_t>(kTokens); ++s)
    reads += std::min<std::int64_t>(s + 1, kBudget);
  CHECK(out.kv_reads == kHeads * reads);
}

TEST_CASE("Policy hooks, a merging policy keeps half of the slots and loses no token to eviction") {
  const Out out = decode_equals_prefill<PairMerge>();
  CHECK(out.live.front() == static_cast<std::int32_t>(kTokens / 2));
  CHECK(out.evicted == 0);
}
