#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <random>

#include "profiling/gpu/attributor.hpp"
#include "tests/profiling/gpu/activities.hpp"

using namespace profiling_test;
using profiling::Attributor;
using profiling::GraphNodeMap;
using profiling::Loss;
using profiling::ScopeBytes;
using NodeType = GraphNodeMap::NodeType;

namespace {

struct Fixture {
  GraphNodeMap nodes;
  ScopeBytes bytes;
  Attributor attributor{nodes, bytes};
  std::vector<engine::Span> spans;

  Fixture() { attributor.start_run(1000, 1000); }
  void add(const Activity& activity) { attributor.add(activity, spans); }
  std::vector<engine::Span> on_device() const {
    std::vector<engine::Span> found;
    std::copy_if(spans.begin(), spans.end(), std::back_inserter(found),
                 [](const engine::Span& span) { return span.device >= 0; });
    return found;
  }
  std::int64_t lost(Loss loss) { return attributor.losses().count(loss); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Attributor, a kernel belongs to the scope its call was made in") {
  add(scope(5, id_of(12, 3, 4)));
  add(kernel(5, "gemv", 1500, 20));
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].start_ns == 500);
  CHECK(spans[0].end_ns == 520);
  CHECK(spans[0].step == 12);
  CHECK(spans[0].layer == 3);
  CHECK(spans[0].operation == 4);
  CHECK(spans[0].device == 0);
  CHECK(spans[0].stream == 7);
  CHECK(spans[0].graph == -1);
  CHECK(attributor.names().take_new() == std::vector<std::string>{"gemv"});
  CHECK(attributor.attributed() == 1);
}

TEST_CASE_METHOD(Fixture, "Attributor, a kernel known before its call waits for it") {
  add(kernel(5, "gemv", 1500));
  CHECK(spans.empty());
  CHECK(attributor.waiting() == 1);
  add(scope(5, id_of(12, -1, 4)));
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].step == 12);
  CHECK(spans[0].layer == -1);
  CHECK(attributor.waiting() == 0);
}

TEST_CASE_METHOD(Fixture, "Attributor, any order of the records gives the same spans") {
  std::vector<Activity> records;
  for (std::uint32_t call = 1; call <= 500; ++call) {
    const auto layer = static_cast<std::int16_t>(call % 30);
    records.push_back(scope(call, id_of(call / 100, layer, static_cast<std::int16_t>(call % 7))));
    records.push_back(launch(call, 1000 + call * 10));
    records.push_back(kernel(call, "k", 1000 + call * 10 + 5));
  }
  const auto spans_of = [](const std::vector<Activity>& order) {
    Fixture fresh;
    for (const Activity& record : order) fresh.add(record);
    fresh.attributor.close(fresh.spans);
    CHECK(fresh.lost(Loss::unattributed) == 0);
    std::vector<std::tuple<std::int64_t, std::int64_t, int, int, int>> keys;
    for (const engine::Span& span : fresh.spans) {
      keys.emplace_back(span.start_ns, span.step, span.layer, span.operation, span.device);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  };
  const auto expected = spans_of(records);
  CHECK(expected.size() == 1000);
  std::mt19937 random(1);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(records.begin(), records.end(), random);
    CHECK(spans_of(records) == expected);
  }
}

TEST_CASE_METHOD(Fixture, "Attributor, what has no scope is counted and belongs to nothing") {
  add(kernel(5, "stray", 1500));
  add(launch(6, 1500));  // a call of nobody's: nothing ran
  attributor.close(spans);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].operation == engine::kUnattributed);
  CHECK(spans[0].step == -1);
  CHECK(lost(Loss::unattributed) == 1);
}

TEST_CASE_METHOD(Fixture, "Attributor, a kernel without time stamps is counted and no span") {
  add(scope(5, id_of(0, 0, 0)));
  Activity untimed = kernel(5, "k", 0, 0);
  add(untimed);
  CHECK(spans.empty());
  CHECK(lost(Loss::untimed) == 1);
  untimed.start_ns = 1500;  // it was not over when it was told
  add(untimed);
  CHECK(spans.empty());
  CHECK(lost(Loss::untimed) == 2);
}

TEST_CASE_METHOD(Fixture, "Attributor, what began before the run belongs to none") {
  add(scope(5, id_of(0, 0, 0)));
  add(kernel(5, "k", 999));
  attributor.close(spans);
  CHECK(spans.empty());
  CHECK(lost(Loss::unattributed) == 0);
}

TEST_CASE_METHOD(Fixture, "Attributor, a runtime call and the driver call inside it are one launch") {
  add(scope(5, id_of(0, 0, 0)));
  add(launch(5, 1100));
  add(scope(5, id_of(0, 0, 0)));
  add(launch(5, 1101));
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].device == -1);
  CHECK(spans[0].stream == engine::kLaunchLane);
}

TEST_CASE_METHOD(Fixture, "Attributor, the first kernel of a scope has its bytes, a copy its own") {
  const auto id = id_of(0, 0, 0);
  bytes.put(id, 4096);
  add(scope(5, id));
  add(scope(6, id));
  add(kernel(5, "main", 1100));
  add(kernel(6, "reduce", 1200));
  Activity copy = kernel(5, "copy on device", 1300);
  copy.kind = ActivityKind::copy;
  copy.value = 77;
  add(copy);
  REQUIRE(spans.size() == 3);
  CHECK(spans[0].bytes == 4096);
  CHECK(spans[1].bytes == 0);
  CHECK(spans[2].bytes == 77);
}

TEST_CASE_METHOD(
    Fixture, "Attributor, a graph's kernel has its step from the launch and its operation from the node") {
  nodes.open_scope({-1, engine::Phase::decode, 4, 9, 100});
  nodes.created(1, 11, NodeType::kernel);
  nodes.close_scope();
  nodes.cloned(11, 3, 21);
  add(scope(5, id_of(8, -1, engine::kWholeGraph)));
  add(graph_launch(5, 1090));
  add(node_kernel(5, 21, 1100));  // as the clone
  CHECK(on_device().empty());     // another launch may have been made in between
  add(scope(6, id_of(9, -1, engine::kWholeGraph)));
  add(graph_launch(6, 1190));
  REQUIRE(on_device().size() == 1);
  CHECK(on_device()[0].step == 8);
  CHECK(on_device()[0].layer == 4);
  CHECK(on_device()[0].operation == 9);
  CHECK(on_device()[0].graph == 3);
  CHECK(on_device()[0].bytes == 100);
  add(node_kernel(6, 11, 1200));  // as the original
  attributor.settle(spans);
  REQUIRE(on_device().size() == 2);
  CHECK(on_device()[1].step == 9);
  CHECK(on_device()[1].operation == 9);
  attributor.close(spans);
  CHECK(lost(Loss::missing_nodes) == 0);
}

TEST_CASE_METHOD(Fixture, "Attributor, a node that is not known is counted, its step still told") {
  add(scope(5, id_of(8, -1, engine::kWholeGraph)));
  add(graph_launch(5, 1090));
  add(node_kernel(5, 99, 1100));
  attributor.settle(spans);
  REQUIRE(on_device().size() == 1);
  CHECK(on_device()[0].step == 8);
  CHECK(on_device()[0].operation == engine::kUnattributed);
  CHECK(lost(Loss::unattributed) == 1);
}

TEST_CASE_METHOD(Fixture, "Attributor, nodes of a launched graph that left no record are counted") {
  nodes.open_scope({-1, engine::Phase::decode, 0, 1, 0});
  for (std::uint64_t node = 1; node <= 3; ++node) nodes.created(1, node, NodeType::kernel);
  nodes.created(1, 4, NodeType::other);  // an event node leaves none
  nodes.close_scope();
  add(scope(5, id_of(0, -1, engine::kWholeGraph)));
  add(graph_launch(5, 1090));
  add(node_kernel(5, 1, 1100));
  add(node_kernel(5, 3, 1200));
  attributor.close(spans);
  CHECK(lost(Loss::missing_nodes) == 1);
}

TEST_CASE_METHOD(Fixture, "Attributor, a graph as a whole is one span with the launch's bytes") {
  const auto id = id_of(2, -1, engine::kWholeGraph);
  bytes.put(id, 1 << 20);
  add(whole_graph(5, 1100, 900));
  add(graph_launch(5, 1090));
  add(scope(5, id));
  attributor.settle(spans);
  REQUIRE(on_device().size() == 1);
  CHECK(on_device()[0].step == 2);
  CHECK(on_device()[0].operation == engine::kWholeGraph);
  CHECK(on_device()[0].bytes == 1 << 20);
  CHECK(on_device()[0].graph == 3);
  CHECK(attributor.names().take_new() == std::vector<std::string>{"graph", "launch graph"});
}

TEST_CASE_METHOD(Fixture, "Attributor, the profiler's own time is a span of the profiler") {
  Activity overhead = kernel(0, "CUPTI: flush buffers", 1100);
  overhead.kind = ActivityKind::overhead;
  add(overhead);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].operation == engine::kProfilerCost);
  CHECK(spans[0].device == -1);
  CHECK(spans[0].stream == engine::kProfilerLane);
}

TEST_CASE_METHOD(Fixture, "Attributor, what waits too long gives way and is counted") {
  const auto kMany = static_cast<std::uint32_t>(Attributor::kMaxWaiting + 10);
  for (std::uint32_t call = 1; call <= kMany; ++call) add(kernel(call, "k", 2000 + call));
  CHECK(attributor.waiting() == Attributor::kMaxWaiting);
  CHECK(spans.size() == 10);
  CHECK(lost(Loss::unattributed) == 10);
  add(scope(1, id_of(0, 0, 0)));  // its kernel was given up
  CHECK(spans.size() == 10);
  add(scope(kMany, id_of(0, 0, 0)));
  CHECK(spans.size() == 11);
}

TEST_CASE_METHOD(Fixture, "Attributor, a call whose place was taken is forgotten, not confused") {
  const auto kLater = static_cast<std::uint32_t>(5 + Attributor::kCalls);
  add(scope(5, id_of(1, 0, 0)));
  add(scope(kLater, id_of(2, 0, 0)));
  add(kernel(kLater, "k", 1100));
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].step == 2);
  add(kernel(5, "k", 1200));
  CHECK(spans.size() == 1);
  attributor.close(spans);
  CHECK(spans.back().operation == engine::kUnattributed);
}

TEST_CASE("scope_id, says what went into it") {
  for (const std::int16_t operation : {std::int16_t{0}, std::int16_t{77}, engine::kWholeGraph}) {
    for (const std::int16_t layer : {std::int16_t{-1}, std::int16_t{0}, std::int16_t{79}}) {
      const profiling::LaunchScope given{123'456'789, engine::Phase::decode, layer, operation};
      const auto read = profiling::scope_of(profiling::scope_id(given, 300));
      CHECK(read.step == given.step);
      CHECK(read.phase == given.phase);
      CHECK(read.layer == layer);
      CHECK(read.operation == operation);
    }
  }
  CHECK(id_of(1, 1, 1, 1) != id_of(1, 1, 1, 2));
}
