#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <set>

#include "profiling/gpu/buffer_pool.hpp"
#include "profiling/gpu/clock_map.hpp"
#include "profiling/gpu/graph_node_map.hpp"
#include "profiling/gpu/kernel_names.hpp"
#include "profiling/gpu/losses.hpp"
#include "profiling/gpu/profiling_cost.hpp"
#include "profiling/gpu/scope_bytes.hpp"

using namespace profiling;
using NodeType = GraphNodeMap::NodeType;

TEST_CASE("GraphNodeMap, a node created in no scope is not known, and a clone of it neither") {
  GraphNodeMap nodes;
  nodes.created(1, 11, NodeType::kernel);
  nodes.cloned(11, 2, 21);
  CHECK_FALSE(nodes.find(11));
  CHECK_FALSE(nodes.find(21));
}

TEST_CASE("GraphNodeMap, instantiating tells of a clone as created too, which changes nothing") {
  GraphNodeMap nodes;
  nodes.open_scope({-1, engine::Phase::decode, 2, 5, 64});
  nodes.created(1, 11, NodeType::kernel);
  nodes.created(1, 12, NodeType::kernel);
  nodes.created(1, 13, NodeType::copy_or_set);
  nodes.close_scope();
  nodes.cloned(11, 2, 21);
  nodes.created(2, 21, NodeType::kernel);
  const auto clone = nodes.find(21);
  REQUIRE(clone);
  CHECK(clone->layer == 2);
  CHECK(clone->operation == 5);
  CHECK(clone->graph == 2);
  CHECK(clone->bytes == 64);
  CHECK(nodes.find(12)->bytes == 0);  // the first kernel has them
  CHECK(nodes.count(1) == 3);
  CHECK(nodes.count(2) == 1);
  CHECK(nodes.count(9) == 0);
}

TEST_CASE("GraphNodeMap, a node's number that comes again is another node") {
  GraphNodeMap nodes;
  nodes.open_scope({-1, engine::Phase::decode, 0, 1, 0});
  nodes.created(1, 11, NodeType::kernel);
  nodes.open_scope({-1, engine::Phase::decode, 0, 2, 0});
  nodes.created(4, 11, NodeType::kernel);
  CHECK(nodes.find(11)->operation == 2);
  CHECK(nodes.count(1) == 0);
  CHECK(nodes.count(4) == 1);
}

TEST_CASE("GraphNodeMap, the oldest of very many nodes give way") {
  GraphNodeMap nodes;
  nodes.open_scope({-1, engine::Phase::decode, 0, 1, 0});
  for (std::uint64_t node = 1; node <= 300'000; ++node) nodes.created(1, node, NodeType::kernel);
  CHECK_FALSE(nodes.find(1));
  CHECK(nodes.find(300'000));
  CHECK(nodes.count(1) == 262'144);
}

TEST_CASE("ScopeBytes, are claimed once, and are never another scope's") {
  ScopeBytes bytes;
  bytes.put(7, 100);
  CHECK(bytes.claim(8) == 0);
  CHECK(bytes.claim(7) == 100);
  CHECK(bytes.claim(7) == 0);
  for (std::uint64_t id = 0; id < 200'000; ++id) bytes.put(id, static_cast<std::int64_t>(id) + 1);
  for (std::uint64_t id = 0; id < 200'000; ++id) {
    const std::int64_t claimed = bytes.claim(id);
    REQUIRE((claimed == 0 || claimed == static_cast<std::int64_t>(id) + 1));
  }
}

TEST_CASE("ClockMap, takes the offset from the narrowest bracket") {
  ClockMap clock;
  std::uint64_t now = 1'000'000;
  int reading = 0;
  const auto steady = [&] { return now; };
  // Theirs is 500 ahead; every reading but the third is held up on the way back.
  const auto theirs = [&] {
    const std::uint64_t value = now + 10 + 500;
    now += ++reading == 3 ? 20u : 5000u;
    return value;
  };
  clock.follow(steady, theirs, 5);
  CHECK(clock.offset_ns() == -500);
  CHECK(clock.steady(10'500) == 10'000);
  CHECK(clock.steady(0) == 0);
  const int before = reading;
  clock.follow(steady, theirs, 5);
  CHECK(reading == before);  // within the second
  now += ClockMap::kPeriodNs;
  clock.follow(steady, theirs, 5);
  CHECK(reading > before);
}

TEST_CASE("KernelNames, are demangled, plain, and numbered by content") {
  CHECK(plain_kernel_name("_Z4gemvIfEvPKT_") == "gemv<float>");
  CHECK(plain_kernel_name("void ns::(anonymous namespace)::decode<(int)4, bf16>(ns::Args<int>)") ==
        "ns::decode<(int)4, bf16>");
  CHECK(plain_kernel_name("memset") == "memset");
  CHECK(plain_kernel_name("copy host to device") == "copy host to device");
  KernelNames names;
  char first[] = "copy", second[] = "copy";
  CHECK(names.number_of(first) == 0);
  CHECK(names.number_of("set") == 1);
  CHECK(names.number_of(second) == 0);
  std::strcpy(first, "gone");  // the same pointer, another kernel
  CHECK(names.number_of(first) == 2);
  CHECK(names.take_new() == std::vector<std::string>{"copy", "set", "gone"});
  CHECK(names.take_new().empty());
  CHECK(names.number_of(nullptr) == 3);
}

TEST_CASE("KernelNames, share a name when there are too many") {
  KernelNames names;
  std::set<std::int16_t> numbers;
  for (int i = 0; i < 31'000; ++i) numbers.insert(names.number_of(("k" + std::to_string(i)).c_str()));
  CHECK(numbers.size() == 30'000);
  CHECK(*numbers.rbegin() == 29'999);
  CHECK(names.unnamed() == 1'001);
  CHECK(names.take_new().back() == "other kernels");
}

TEST_CASE("BufferPool, lends zeroed buffers up to its limit and counts what it refuses") {
  BufferPool pool(2);
  std::uint8_t* const first = pool.take();
  std::uint8_t* const second = pool.take();
  REQUIRE(first != nullptr);
  REQUIRE(second != nullptr);
  CHECK(pool.take() == nullptr);
  CHECK(pool.refused() == 1);
  std::memset(second, 0xff, kBufferBytes);
  CHECK(pool.complete(second, 100));
  CHECK_FALSE(pool.complete(second, 100));  // it was not lent
  CHECK(pool.take() == nullptr);            // filled is not free
  FilledBuffer filled = pool.next();
  CHECK(filled.bytes.get() == second);
  CHECK(filled.valid == 100);
  CHECK_FALSE(pool.next().bytes);
  pool.give_back(std::move(filled.bytes));
  const std::uint8_t* const again = pool.take();
  REQUIRE(again == second);
  CHECK(again[0] == 0);
  CHECK(again[kBufferBytes - 1] == 0);
  CHECK(pool.lent() == 2);
  CHECK(pool.complete(first, 0));
  CHECK(pool.complete(second, 2 * kBufferBytes));
  CHECK(pool.next().valid == 0);
  CHECK(pool.next().valid == kBufferBytes);
}

TEST_CASE("Losses, report what has grown, with totals") {
  Losses losses;
  std::vector<engine::RecordsLost> out;
  losses.report(out);
  CHECK(out.empty());
  losses.add(Loss::untimed, 2);
  losses.report(out);
  losses.add(Loss::untimed, 3);
  losses.add(Loss::dropped, 0);
  losses.report(out);
  losses.report(out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].what == "untimed");
  CHECK(out[0].count == 2);
  CHECK(out[1].count == 5);
  CHECK_FALSE(out[1].meaning.empty());
}

TEST_CASE("measure_profiling_cost, compares the modes' medians and ends in the mode asked for") {
  ProfileMode mode = ProfileMode::off;
  int calls = 0;
  const auto set_mode = [&](ProfileMode wanted) -> engine::Status {
    mode = wanted;
    return {};
  };
  const auto decode = [&](int tokens) -> engine::Result<double> {
    const double speed = mode == ProfileMode::off ? 100 : mode == ProfileMode::light ? 99 : 60;
    return ++calls <= 3 ? 10.0 : tokens / speed;  // the first round is slow
  };
  const auto cost = measure_profiling_cost(set_mode, decode, ProfileMode::detailed);
  REQUIRE(cost);
  CHECK(mode == ProfileMode::detailed);
  CHECK(calls == 9);
  CHECK(static_cast<int>(cost->off_tokens_per_s + 0.5) == 100);
  CHECK(static_cast<int>(cost->percent(ProfileMode::light) + 0.5) == 1);
  CHECK(static_cast<int>(cost->percent(ProfileMode::detailed) + 0.5) == 40);
  CHECK(cost_warning(*cost, ProfileMode::light).empty());
  CHECK(cost_warning(*cost, ProfileMode::detailed) ==
        "detailed profiling slows decoding down by 40 %: 60.0 instead of 100.0 tokens/s");
  CHECK(cost_parameters(*cost, ProfileMode::light, 4).front().value == "1.0");
}

TEST_CASE(
    "measure_profiling_cost, begins each round with another mode, and takes the middle of an even number") {
  ProfileMode mode = ProfileMode::off;
  std::vector<ProfileMode> order;
  const auto set_mode = [&](ProfileMode wanted) -> engine::Status {
    mode = wanted;
    return {};
  };
  const auto decode = [&](int tokens) -> engine::Result<double> {
    order.push_back(mode);
    return tokens / (order.size() <= 3 ? 100.0 : 50.0);
  };
  const auto cost = measure_profiling_cost(set_mode, decode, ProfileMode::off, 30, 2);
  REQUIRE(cost);
  CHECK(order == std::vector{ProfileMode::off, ProfileMode::light, ProfileMode::detailed, ProfileMode::light,
                             ProfileMode::detailed, ProfileMode::off});
  CHECK(std::abs(cost->off_tokens_per_s - 75) < 1e-9);
}

TEST_CASE("measure_profiling_cost, passes on why decoding or switching failed") {
  const auto ok = [](ProfileMode) -> engine::Status { return {}; };
  const auto refused = [](ProfileMode) -> engine::Status { return engine::failed("not now"); };
  const auto slow = [](int) -> engine::Result<double> { return engine::failed("out of memory"); };
  const auto no_time = [](int) -> engine::Result<double> { return 0.0; };
  CHECK(measure_profiling_cost(ok, slow, ProfileMode::off).error().message == "out of memory");
  CHECK(measure_profiling_cost(refused, slow, ProfileMode::off).error().message == "not now");
  CHECK_FALSE(measure_profiling_cost(ok, no_time, ProfileMode::off));
}
