// Records of graphs with wrong correlation ids: told by the order of launches, or not at all.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>

#include "profiling/gpu/attributor.hpp"
#include "tests/profiling/gpu/activities.hpp"

using namespace profiling_test;
using profiling::Attributor;
using profiling::GraphNodeMap;
using profiling::Loss;
using profiling::ScopeBytes;

namespace {

constexpr std::uint64_t kNodes = 4;

// Two graphs of four kernels, 1 (nodes 1 to 4) and 2 (nodes 11 to 14), each launch 1,000 ns after the last.
struct Decoding {
  GraphNodeMap nodes;
  ScopeBytes bytes;
  Attributor attributor{nodes, bytes};
  std::vector<engine::Span> spans;

  Decoding() {
    attributor.start_run(0, 1);
    for (const std::uint64_t graph : {1UL, 2UL}) {
      for (std::uint64_t node = 1; node <= kNodes; ++node) {
        nodes.open_scope({-1, engine::Phase::decode, static_cast<std::int16_t>(node),
                          static_cast<std::int16_t>(10 * graph), 0});
        nodes.created(static_cast<std::uint32_t>(graph), 10 * (graph - 1) + node,
                      GraphNodeMap::NodeType::kernel);
        nodes.close_scope();
      }
    }
  }

  void add(const std::vector<Activity>& records) {
    for (const Activity& record : records) attributor.add(record, spans);
  }
  std::int64_t lost(Loss loss) { return attributor.losses().count(loss); }

  // The steps of the kernels, in time; -1: not attributed.
  std::vector<engine::Step> kernel_steps() {
    std::vector<engine::Span> kernels;
    for (const engine::Span& span : spans) {
      if (span.device >= 0) kernels.push_back(span);
    }
    std::sort(kernels.begin(), kernels.end(),
              [](const engine::Span& a, const engine::Span& b) { return a.start_ns < b.start_ns; });
    std::vector<engine::Step> steps;
    for (const engine::Span& span : kernels) {
      steps.push_back(span.operation == engine::kUnattributed ? -1 : span.step);
    }
    return steps;
  }
};

std::uint64_t time_of(engine::Step step) {
  return static_cast<std::uint64_t>(1000 * (step + 1));
}

// The call of a step, under the id that it really has.
std::vector<Activity> call(engine::Step step) {
  const auto id = static_cast<std::uint32_t>(100 + step);
  return {scope(id, id_of(step, -1, engine::kWholeGraph)), graph_launch(id, time_of(step))};
}

// What it ran, under the id that the records say.
std::vector<Activity> work(engine::Step step, std::uint32_t correlation, std::uint64_t first_node = 1,
                           std::uint64_t count = kNodes) {
  std::vector<Activity> records;
  for (std::uint64_t i = 0; i < count; ++i) {
    records.push_back(node_kernel(correlation, first_node + i, time_of(step) + 100 * (i + 1)));
  }
  return records;
}

std::vector<Activity> joined(const std::vector<std::vector<Activity>>& parts) {
  std::vector<Activity> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

using Steps = std::vector<engine::Step>;

}  // namespace

TEST_CASE_METHOD(Decoding,
                 "Attributor, graphs whose records have wrong ids are told by the launches' order") {
  // Never a call's; none at all; another call's of every step, as after an offset.
  const std::uint32_t wrong = GENERATE(5000u, 0u, 7u);
  CAPTURE(wrong);
  auto records = joined({{scope(7, id_of(0, 0, 3))},
                         call(0),
                         call(1),
                         call(2),
                         work(0, wrong),
                         work(1, wrong),
                         work(2, wrong)});
  if (GENERATE(false, true)) std::shuffle(records.begin(), records.end(), std::mt19937(3));
  add(records);
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  CHECK(lost(Loss::unattributed) == 0);
  CHECK(lost(Loss::missing_nodes) == 0);
  for (const engine::Span& span : spans) {
    if (span.device < 0) continue;
    CHECK(span.operation == 10);
    CHECK(span.layer == (span.start_ns % 1000) / 100);
  }
}

TEST_CASE_METHOD(Decoding,
                 "Attributor, an id that another launch has taken up already is not believed again") {
  // Every launch's records say that they are the first one's.
  add(joined({call(0), work(0, 100), call(1), work(1, 100), call(2), work(2, 100)}));
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  CHECK(lost(Loss::unattributed) == 0);
}

TEST_CASE_METHOD(Decoding, "Attributor, different graphs in turn are told apart by their nodes") {
  add(joined({call(0), call(1), call(2), work(0, 9, 1), work(1, 9, 11), work(2, 9, 1)}));
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
}

TEST_CASE_METHOD(Decoding, "Attributor, right ids beside wrong ones keep their launches to themselves") {
  add(joined({call(0), work(0, 100), call(1), work(1, 9), call(2), work(2, 102)}));
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
}

TEST_CASE_METHOD(Decoding, "Attributor, order is no help where anything is missing or does not fit") {
  SECTION("a record of the launch is missing") {
    add(joined({call(0), call(1), work(0, 9), work(1, 9, 1, kNodes - 1)}));
    attributor.close(spans);
    CHECK(kernel_steps() == Steps{0, 0, 0, 0, -1, -1, -1});
    CHECK(lost(Loss::unattributed) == 3);
  }
  SECTION("the launch itself is not known") {
    add(work(0, 9));
    attributor.close(spans);
    CHECK(kernel_steps() == Steps{-1, -1, -1, -1});
  }
  SECTION("another launch begins in the middle") {
    auto late = work(0, 9);
    late.back().start_ns += 1000;
    late.back().end_ns += 1000;
    add(joined({call(0), call(1), late}));
    attributor.close(spans);
    CHECK(kernel_steps() == Steps{-1, -1, -1, -1});
  }
  SECTION("the launch has records of its own") {
    add(joined({call(0), work(0, 100), work(0, 9, 11)}));
    attributor.close(spans);
    CHECK(lost(Loss::unattributed) == 4);
  }
  SECTION("nodes that nobody knows") {
    add(joined({call(0), work(0, 9, 71)}));
    attributor.close(spans);
    CHECK(kernel_steps() == Steps{-1, -1, -1, -1});
  }
}

TEST_CASE_METHOD(Decoding,
                 "Attributor, a long run of wrong ids is attributed as it goes, in bounded memory") {
  constexpr engine::Step kSteps = 40'000;
  for (engine::Step step = 0; step < kSteps; ++step) {
    add(call(step));
    add(work(step, 0));
    REQUIRE(attributor.waiting() < 4096);
  }
  attributor.close(spans);
  CHECK(lost(Loss::unattributed) == 0);
  const Steps steps = kernel_steps();
  REQUIRE(steps.size() == kSteps * kNodes);
  for (std::size_t i = 0; i < steps.size(); i += 997)
    CHECK(steps[i] == static_cast<engine::Step>(i / kNodes));
}

namespace {

constexpr engine::Step kLaunches = 100;

std::uint64_t scope_id_of(engine::Step step) {
  return id_of(step, -1, engine::kWholeGraph, static_cast<unsigned>(step) % 128);
}

// A step's call and its work under ids that the case says; whole: recorded as one.
struct Ids {
  const char* what;
  std::uint32_t (*call)(engine::Step);
  std::uint32_t (*work)(engine::Step);
};
const Ids kWrongIds[] = {
    {"right", [](engine::Step step) { return 100U + static_cast<std::uint32_t>(step); },
     [](engine::Step step) { return 100U + static_cast<std::uint32_t>(step); }},
    {"call and nodes on one id", [](engine::Step) { return 7U; }, [](engine::Step) { return 7U; }},
    {"call on one id, nodes on none", [](engine::Step) { return 7U; }, [](engine::Step) { return 0U; }},
    {"nodes under the next call's id",
     [](engine::Step step) { return 99U + static_cast<std::uint32_t>(step); },
     [](engine::Step step) { return 100U + static_cast<std::uint32_t>(step); }},
    {"nodes under the previous call's id",
     [](engine::Step step) { return 100U + static_cast<std::uint32_t>(step); },
     [](engine::Step step) { return 99U + static_cast<std::uint32_t>(step); }},
};

}  // namespace

TEST_CASE_METHOD(Decoding, "Attributor, no wrong id puts a graph's records into a step that is not theirs") {
  const Ids& ids = kWrongIds[static_cast<std::size_t>(GENERATE(0, 1, 2, 3, 4))];
  const bool whole = GENERATE(false, true);
  const bool calls_first = GENERATE(false, true);
  CAPTURE(ids.what, whole, calls_first);
  std::vector<Activity> calls, works, in_turn;
  for (engine::Step step = 0; step < kLaunches; ++step) {
    const std::vector<Activity> made{scope(ids.call(step), scope_id_of(step)),
                                     graph_launch(ids.call(step), time_of(step))};
    const std::vector<Activity> done =
        whole ? std::vector{whole_graph(ids.work(step), time_of(step) + 100)} : work(step, ids.work(step));
    calls = joined({calls, made});
    works = joined({works, done});
    in_turn = joined({in_turn, made, done});
  }
  SECTION("in turn, or apart") {
    add(calls_first ? joined({calls, works}) : in_turn);
    attributor.close(spans);
    const Steps steps = kernel_steps();
    REQUIRE(steps.size() == static_cast<std::size_t>(kLaunches) * (whole ? 1 : kNodes));
    for (std::size_t i = 0; i < steps.size(); ++i)
      CHECK(steps[i] == static_cast<engine::Step>(i / (whole ? 1 : kNodes)));
    CHECK(lost(Loss::unattributed) == 0);
    CHECK(lost(Loss::missing_nodes) == 0);
  }
  SECTION("the device's records in any order among the calls, which come as they were made") {
    std::mt19937 random(5);
    std::shuffle(works.begin(), works.end(), random);
    std::vector<Activity> all;
    for (std::size_t call = 0, done = 0; call < calls.size() || done < works.size();) {
      const bool takes_call = done == works.size() || (call < calls.size() && random() % 3 == 0);
      all.push_back(takes_call ? calls[call++] : works[done++]);
    }
    add(all);
    attributor.close(spans);
    const Steps steps = kernel_steps();
    REQUIRE(steps.size() == static_cast<std::size_t>(kLaunches) * (whole ? 1 : kNodes));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CHECK((steps[i] == -1 || steps[i] == static_cast<engine::Step>(i / (whole ? 1 : kNodes))));
    }
  }
}

TEST_CASE_METHOD(Decoding, "Attributor, work is not given to a launch before one whose call has not come") {
  add(joined({call(0), work(1, 100)}));  // of the launch after it, under this one's id
  CHECK(kernel_steps().empty());
  add(joined({call(1)}));
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{1, 1, 1, 1});
}

TEST_CASE_METHOD(Decoding, "Attributor, a launch whose scope never came keeps its work from another's") {
  add(call(0));
  add({graph_launch(101, time_of(1))});
  add(work(1, 9));
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{-1, -1, -1, -1});
}

TEST_CASE_METHOD(Decoding, "Attributor, two graphs in the time of one launch belong to nobody") {
  add(call(0));
  add({whole_graph(9, time_of(0) + 100), whole_graph(9, time_of(0) + 200)});
  attributor.close(spans);
  CHECK(kernel_steps() == Steps{-1, -1});
}

TEST_CASE_METHOD(Decoding,
                 "Attributor, a graph's call under the id of an operation is not that operation's") {
  add({scope(100, id_of(0, 2, 3)), graph_launch(100, time_of(0))});
  attributor.close(spans);
  CHECK(spans.empty());
}
