#include "app/view/mark_index.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "app/view/run_model.hpp"
#include "tests/profiling/synthetic_run.hpp"

using app::view::MarkIndex;
using app::view::Marking;
using app::view::RunModel;
using app::view::RunSnapshot;
using app::view::SequenceView;

namespace {

bool is_marked(const SequenceView& sequence, const Marking& marking, std::int32_t head, std::int32_t t) {
  switch (marking.source) {
    case Marking::Source::executed:
      return sequence.marked(head, t);
    case Marking::Source::threshold:
      return static_cast<double>(sequence.logit(head, t)) > marking.threshold;
    case Marking::Source::evicted:
      return sequence.evicted_at(head, t) <= marking.position;
  }
  return false;
}

void check(const MarkIndex& index, const SequenceView& sequence, const Marking& marking) {
  std::vector<std::int32_t> heads(static_cast<std::size_t>(index.judged()), 0);
  for (std::int32_t head = 0; head < index.heads(); ++head) {
    std::int32_t rank = 0;
    for (std::int32_t t = 0; t < index.judged(); ++t) {
      REQUIRE(index.rank(head, t) == rank);
      const bool marked = is_marked(sequence, marking, head, t);
      REQUIRE(index.test(head, t) == marked);
      rank += marked ? 1 : 0;
      heads[static_cast<std::size_t>(t)] += marked ? 1 : 0;
    }
    REQUIRE(index.rank(head, index.judged()) == rank);
  }
  for (std::int32_t t = 0; t < index.judged(); ++t) {
    REQUIRE(index.marked_heads(t) == heads[static_cast<std::size_t>(t)]);
  }
}

engine::GatesDecided one_head(std::int32_t first, std::vector<float> logits) {
  engine::GatesDecided gates{0, first, static_cast<std::int32_t>(logits.size()), 0, std::move(logits), {}};
  gates.marked.assign(gates.logits.size(), 0);
  return gates;
}

}  // namespace

TEST_CASE("MarkIndex, counts what was executed while the run grows") {
  RunModel model;
  profiling_test::SyntheticRun run({.prompt_tokens = 1000, .prefill_chunk = 130});
  run.start(model);
  MarkIndex index;
  for (int i = 0; i < 150; ++i) {
    const auto s = model.snapshot();
    index.update(*s, s->sequences()[0], {});
    REQUIRE(index.judged() == s->sequences()[0].judged());
    if (i % 30 == 0) check(index, s->sequences()[0], {});
    run.decode(model);
  }
}

TEST_CASE("MarkIndex, counts what another threshold would mark, and forgets the one before") {
  RunModel model;
  profiling_test::emit_run(model, {.prompt_tokens = 700}, 30);
  const auto s = model.snapshot();
  MarkIndex index;
  for (const double threshold : {0.0, 2.5, -3.0, 1e9, -1e300, 0.1}) {
    const Marking marking{Marking::Source::threshold, threshold, 0};
    index.update(*s, s->sequences()[0], marking);
    check(index, s->sequences()[0], marking);
  }
}

TEST_CASE("MarkIndex, a threshold between two floats divides them, and NaN is never marked") {
  RunModel model;
  engine::RunStarted run;
  run.shape.layers = run.shape.kv_heads = 1;
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float above = std::nextafter(1.0f, 2.0f);
  std::vector<float> logits;
  for (int i = 0; i < 35; ++i) logits.insert(logits.end(), {1.0f, nan, above});
  for (std::int32_t i = 0; i < 105; ++i) model.on_event(engine::TokenAdded{0, i, 0, "", {}, 0});
  model.on_event(one_head(0, logits));
  const auto s = model.snapshot();
  MarkIndex index;
  for (const double threshold : {1.0, 1.0 + 1e-9, static_cast<double>(above) - 1e-12, 0.5}) {
    const Marking marking{Marking::Source::threshold, threshold, 0};
    index.update(*s, s->sequences()[0], marking);
    check(index, s->sequences()[0], marking);
  }
  CHECK(index.rank(0, 105) == 70);
}

TEST_CASE("MarkIndex, without a closed form it holds what was evicted by a position") {
  RunModel model;
  profiling_test::emit_run(model, {.closed_form = false}, 60);
  const auto s = model.snapshot();
  MarkIndex index;
  for (const std::int32_t position : {99, 0, 50, 20, 51, 1000}) {
    const Marking marking{Marking::Source::evicted, 0, position};
    index.update(*s, s->sequences()[0], marking);
    CHECK(index.judged() == std::min(position + 1, 100));
    check(index, s->sequences()[0], marking);
  }
}

TEST_CASE("MarkIndex, another run or sequence starts over") {
  RunModel model;
  profiling_test::emit_run(model, {.chains = 2, .seed = 3}, 60);
  const auto first = model.snapshot();
  profiling_test::emit_run(model, {.layers = 3, .kv_heads = 5, .prompt_tokens = 20, .seed = 4}, 3);
  const auto second = model.snapshot();
  MarkIndex index;
  for (int round = 0; round < 2; ++round) {
    for (const SequenceView* sequence : {first->sequence(0), first->sequence(1)}) {
      index.update(*first, *sequence, {});
      check(index, *sequence, {});
    }
    const std::uint64_t version = index.version();
    index.update(*second, *second->sequence(0), {});
    CHECK(index.version() > version);
    check(index, *second->sequence(0), {});
  }
}

TEST_CASE("MarkIndex, of a sequence without decisions counts nothing") {
  RunModel model;
  engine::RunStarted run;
  run.shape.layers = run.shape.kv_heads = 2;
  model.on_event(run);
  model.on_event(engine::SequenceStarted{});
  const auto s = model.snapshot();
  MarkIndex index;
  index.update(*s, s->sequences()[0], {});
  CHECK(index.heads() == 4);
  CHECK(index.judged() == 0);
  CHECK(index.rank(3, 0) == 0);
}
