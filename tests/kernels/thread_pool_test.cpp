#include "kernels/cpu/thread_pool.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

namespace kernels {
namespace {

TEST_CASE("every thread of the pool runs each region once", "[pool]") {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    REQUIRE(pool.size() == threads);
    for (int region = 0; region < 500; ++region) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(threads));
      pool.run([&](const Part& part) {
        calls[static_cast<std::size_t>(part.index)] += part.count == threads ? 1 : 100;
      });
      for (const std::atomic<int>& count : calls) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("functions are called where they are, named, constant or temporary", "[pool]") {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  auto named = [&](const Part&) { ++calls; };
  const auto constant = named;
  pool.run(named);
  pool.run(constant);
  pool.run([&](const Part&) mutable { ++calls; });
  REQUIRE(calls == 6);
}

TEST_CASE("the shared counter starts each region at zero and hands out every piece once", "[pool]") {
  ThreadPool pool(3);
  for (int region = 0; region < 300; ++region) {
    std::vector<std::atomic<int>> taken(50);
    pool.run([&](const Part& part) {
      for (auto piece = part.next->fetch_add(1); piece < 50; piece = part.next->fetch_add(1)) {
        ++taken[static_cast<std::size_t>(piece)];
      }
    });
    for (const std::atomic<int>& count : taken) REQUIRE(count == 1);
  }
}

TEST_CASE("what one region writes the next one sees", "[pool]") {
  ThreadPool pool(4);
  std::vector<long> values(4, 0);
  for (int region = 0; region < 2000; ++region) {
    pool.run([&](const Part& part) {
      // Each thread reads what its neighbour wrote in the region before: only the barrier makes that safe.
      if (region % 2 == 0) {
        values[static_cast<std::size_t>(part.index)] = region;
      } else {
        const long neighbour = values[static_cast<std::size_t>((part.index + 1) % 4)];
        if (neighbour != region - 1) std::abort();
      }
    });
  }
  SUCCEED();
}

TEST_CASE("a pool wakes after its threads went to sleep", "[pool]") {
  ThreadPool pool(2);
  for (int region = 0; region < 5; ++region) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<int> calls{0};
    pool.run([&](const Part&) { ++calls; });
    REQUIRE(calls == 2);
  }
}

TEST_CASE("a thread that finishes late is waited for", "[pool]") {
  ThreadPool pool(2);
  std::atomic<bool> finished{false};
  pool.run([&](const Part& part) {
    if (part.index == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    finished = true;
  });
  REQUIRE(finished);
}

TEST_CASE("pools come and go, used or not", "[pool]") {
  for (int i = 0; i < 100; ++i) {
    ThreadPool pool(1 + i % 5);
    if (i % 2 == 0) pool.run([](const Part&) {});
  }
  SUCCEED();
}

TEST_CASE("an idle pool uses no processor time", "[pool]") {
  ThreadPool pool(4);
  pool.run([](const Part&) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double busy_seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  REQUIRE(busy_seconds < 0.05);
}

}  // namespace
}  // namespace kernels
