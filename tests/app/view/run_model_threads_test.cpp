// One writer and several readers at full speed. What is checked is that readers see consistent numbers; that
// there is no data race is for the thread sanitizer to say (-DDMSCOPE_SANITIZE=thread).
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using app::view::RunModel;
using app::view::RunSnapshot;
using app::view::SequenceView;

namespace {

// Touches everything a snapshot shows; false when something does not add up.
bool reads_well(const RunSnapshot& s) {
  bool good = true;
  std::int64_t seen = 0;
  for (const SequenceView& sequence : s.sequences()) {
    good = good && sequence.processed() <= sequence.tokens() && sequence.judged() <= sequence.tokens();
    for (std::int32_t position = 0; position < sequence.tokens(); position += 7) {
      good = good && sequence.token(position).text.substr(0, 2) == " t";
      seen += sequence.evicted_at(0, position) <= sequence.processed() ? 1 : 0;
    }
    for (std::int32_t position = 0; position < sequence.judged(); position += 5) {
      for (std::int32_t head = 0; head < s.heads(); ++head) {
        good = good && sequence.marked(head, position) == (sequence.logit(head, position) > 0);
      }
    }
    for (std::int32_t i = 0; i < sequence.occupancy_count(); i += 3) {
      std::int64_t live = 0;
      for (std::int32_t head = 0; head < s.heads(); ++head) live += sequence.occupancy(i).live(head);
      good = good && live == sequence.occupancy(i).live_slots;
    }
  }
  for (std::size_t i = 0; i < s.spans().size(); i += 11)
    good = good && s.spans()[i].end_ns > s.spans()[i].start_ns;
  for (std::int32_t i = 0; i < s.step_count(); ++i) good = good && s.step(i).step == i;
  for (std::int32_t i = 0; i < s.notice_count(); ++i) good = good && !s.notice(i).empty();
  return good && seen >= 0;
}

void race(const profiling_test::SyntheticOptions& options, int decode_steps) {
  RunModel model({.max_spans = 1});
  std::atomic<bool> done{false};
  std::atomic<int> bad{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::uint64_t version = 0;
      while (!done) {
        const auto s = model.snapshot();
        if (s->version() < version || !reads_well(*s)) ++bad;
        version = s->version();
      }
    });
  }
  for (int run = 0; run < 2; ++run) {
    profiling_test::SyntheticRun synthetic(options);
    synthetic.start(model);
    for (int i = 0; i < decode_steps; ++i) synthetic.decode(model);
  }
  done = true;
  readers.clear();
  CHECK(bad == 0);
  CHECK(reads_well(*model.snapshot()));
}

}  // namespace

TEST_CASE("RunModel, readers see consistent snapshots while one thread writes") {
  race({.prompt_tokens = 1200, .prefill_chunk = 100, .chains = 3, .spans_per_step = 40}, 400);
}

TEST_CASE("RunModel, readers see consistent snapshots of a run without closed form") {
  race({.prompt_tokens = 300, .prefill_chunk = 50, .chains = 2, .closed_form = false}, 400);
}
