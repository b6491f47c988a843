#include "profiling/closed_form.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "profiling/trace_reader.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using profiling::PositionBits;
using profiling::TraceReader;

namespace {

PositionBits to_bits(const std::vector<bool>& marked, std::int64_t chunk) {
  PositionBits bits;
  for (std::size_t first = 0; first < marked.size(); first += static_cast<std::size_t>(chunk)) {
    const std::size_t count = std::min(marked.size() - first, static_cast<std::size_t>(chunk));
    std::vector<std::uint8_t> bytes((count + 7) / 8, 0);
    for (std::size_t i = 0; i < count; ++i) {
      if (marked[first + i]) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | (1u << (i % 8)));
    }
    if (count % 8 != 0)
      bytes.back() = static_cast<std::uint8_t>(bytes.back() | (0xffu << (count % 8)));  // padding
    bits.assign(static_cast<std::int64_t>(first), bytes, static_cast<std::int64_t>(count));
  }
  return bits;
}

// The definition, word for word.
std::int32_t brute_force(const std::vector<bool>& marked, std::int32_t window, std::int32_t s) {
  std::int32_t live = 0;
  for (std::int32_t t = 0; t <= s; ++t) {
    const bool is_marked = static_cast<std::size_t>(t) < marked.size() && marked[static_cast<std::size_t>(t)];
    live += s - t <= window || !is_marked ? 1 : 0;
  }
  return live;
}

std::vector<bool> random_marks(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<bool> marked;
  for (std::size_t i = 0; i < count; ++i) marked.push_back(random() % 3 != 0);
  return marked;
}

// Marks of every head of every sequence, as its events tell them; forks start as copies.
struct Oracle : engine::EventSink {
  std::vector<std::vector<std::vector<bool>>> marked;  // [sequence][head]
  std::vector<std::int32_t> processed;
  void on_event(engine::Event event) override {
    if (const auto* e = std::get_if<engine::SequenceStarted>(&event)) {
      if (e->parent < 0) {
        marked.push_back(std::vector<std::vector<bool>>(6));
        processed.push_back(0);
      } else {
        marked.push_back(marked[static_cast<std::size_t>(e->parent)]);
        processed.push_back(e->fork_position);
      }
    } else if (const auto* t = std::get_if<engine::TokenAdded>(&event)) {
      if (t->step >= 0) ++processed[static_cast<std::size_t>(t->sequence)];
    } else if (const auto* g = std::get_if<engine::GatesDecided>(&event)) {
      auto& heads = marked[static_cast<std::size_t>(g->sequence)];
      for (std::size_t head = 0; head < heads.size(); ++head) {
        heads[head].resize(static_cast<std::size_t>(g->first_position));
        for (std::int32_t i = 0; i < g->count; ++i) {
          heads[head].push_back(
              g->marked[head * static_cast<std::size_t>(g->count) + static_cast<std::size_t>(i)]);
        }
      }
    }
  }
};

void check_trace(const SyntheticOptions& options, int decode_steps) {
  const TemporaryFolder folder;
  auto writer = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Oracle oracle;
  Tee tee(**writer, oracle);
  emit_run(tee, options, decode_steps);
  REQUIRE((*writer)->finish());
  const auto reader = TraceReader::open(folder / "t.db");
  REQUIRE(reader);
  for (std::int32_t sequence = 0; sequence < options.chains; ++sequence) {
    const auto index = static_cast<std::size_t>(sequence);
    const auto count = static_cast<std::size_t>(oracle.processed[index]);
    const auto live = (*reader)->live_slots(sequence, 0, oracle.processed[index]);
    REQUIRE(live);
    REQUIRE(live->size() == 6 * count);
    for (std::size_t head = 0; head < 6; ++head) {
      for (std::size_t s = 0; s < count; ++s) {
        REQUIRE((*live)[head * count + s] ==
                brute_force(oracle.marked[index][head], options.window, static_cast<std::int32_t>(s)));
      }
    }
  }
}

}  // namespace

TEST_CASE("live_slots, equals the definition for every window and range") {
  for (const std::size_t count : {0u, 1u, 7u, 64u, 65u, 300u}) {
    const auto marked = random_marks(count, static_cast<unsigned>(count));
    for (const std::int64_t chunk : {1, 5, 64, 1000}) {
      const PositionBits bits = to_bits(marked, chunk);
      for (const std::int32_t window : {0, 1, 16, 400}) {
        for (const std::int32_t first : {0, 3, 100}) {
          std::vector<std::int32_t> live(330);
          profiling::live_slots(bits, window, first, live);
          for (std::size_t i = 0; i < live.size(); ++i) {
            REQUIRE(live[i] == brute_force(marked, window, first + static_cast<std::int32_t>(i)));
          }
        }
      }
    }
  }
}

TEST_CASE("live_slots, a hand-computed head") {
  // Token 0 is marked, 1 is kept, 2 is marked; window 1.
  const PositionBits bits = to_bits({true, false, true}, 8);
  std::vector<std::int32_t> live(5);
  profiling::live_slots(bits, 1, 0, live);
  CHECK(live == std::vector<std::int32_t>{1, 2, 2, 3, 3});
}

TEST_CASE("PositionBits, later decisions replace earlier ones") {
  PositionBits bits = to_bits(std::vector<bool>(130, true), 130);
  bits.assign(60, std::vector<std::uint8_t>{0, 0}, 10);
  CHECK(bits.size() == 130);
  CHECK(bits.count_before(1000) == 120);
  CHECK(bits.count_before(65) == 60);
}

TEST_CASE("TraceReader, live slots of a recorded run equal the definition") {
  check_trace({}, 60);
}

TEST_CASE("TraceReader, live slots of forked sequences continue their parent's") {
  check_trace({.chains = 3}, 50);
}

TEST_CASE("TraceReader, live slots of a run across several chunks equal the definition") {
  check_trace({.prompt_tokens = 1500, .prefill_chunk = 512, .window = 100, .lag = 0, .spans_per_step = 0},
              700);
}

TEST_CASE("TraceReader, live slots without a closed form come from the recorded evictions") {
  SyntheticOptions options{.chains = 2, .closed_form = false};
  options.prefill_chunk = 1;  // evictions are known per step, so each position needs its own
  check_trace(options, 40);
}

TEST_CASE("TraceReader, live slots outside of what was processed are refused") {
  const TemporaryFolder folder;
  record(folder / "t.db", {}, 10);
  const auto reader = TraceReader::open(folder / "t.db");
  REQUIRE(reader);
  for (const auto& [sequence, first, count] :
       {std::tuple{0, 0, 51}, {0, -1, 2}, {0, 5, -1}, {0, INT32_MAX, INT32_MAX}, {7, 0, 1}}) {
    const auto live = (*reader)->live_slots(sequence, first, count);
    REQUIRE_FALSE(live);
    CHECK(live.error().code == engine::ErrorCode::bad_input);
  }
  CHECK((*reader)->live_slots(0, 0, 50));
}
