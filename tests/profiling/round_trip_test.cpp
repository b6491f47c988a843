#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "profiling/trace_reader.hpp"
#include "tests/profiling/event_text.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using profiling::TraceReader;
using profiling::TraceWriter;

namespace {

void check_same(const std::vector<engine::Event>& expected, const std::vector<engine::Event>& actual) {
  REQUIRE(expected.size() == actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(event_text(expected[i]) == event_text(actual[i]));
}

std::vector<engine::Event> replayed(const std::filesystem::path& path) {
  const auto reader = TraceReader::open(path);
  if (!reader) FAIL(reader.error().message);
  Recording recording;
  const auto status = (*reader)->replay(recording);
  if (!status) FAIL(status.error().message);
  return std::move(recording.events);
}

// Records `events`, `pause` of them at a time with a commit in between, and compares the replay.
void check_events(const std::vector<engine::Event>& events, std::size_t pause) {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  for (std::size_t i = 0; i < events.size(); ++i) {
    (*writer)->on_event(events[i]);
    if (pause > 0 && i % pause == 0) std::this_thread::sleep_for(std::chrono::milliseconds(90));
  }
  const auto status = (*writer)->finish();
  if (!status) FAIL(status.error().message);
  check_same(events, replayed(folder / "t.db"));
}

std::vector<engine::Event> run_events(const SyntheticOptions& options, int decode_steps) {
  Recording recording;
  emit_run(recording, options, decode_steps);
  return std::move(recording.events);
}

// Events in no sensible order with random fields; only sizes keep to the contract.
std::vector<engine::Event> random_events(unsigned seed) {
  std::mt19937_64 random(seed);
  const auto number = [&](std::int64_t bound) {
    return static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(bound));
  };
  const auto large = [&] { return static_cast<std::int64_t>(random() >> 2); };
  std::vector<engine::Event> events = {run_events({}, 0)[0]};
  std::int32_t next_gate[3] = {0, 0, 0};
  for (int i = 0; i < 400; ++i) {
    const std::int32_t sequence = number(3);
    switch (number(14)) {
      case 0:
        events.push_back(engine::SequenceStarted{number(9), number(4) - 1, number(99)});
        break;
      case 1:
        events.push_back(engine::TokenAdded{sequence, number(INT32_MAX), number(151'936),
                                            std::string("\xc3\xa9\0'\n", 5) + std::to_string(number(20)),
                                            number(2) == 0 ? engine::Phase::prefill : engine::Phase::decode,
                                            large() - 1});
        break;
      case 2: {
        std::int32_t& next = next_gate[sequence];
        if (number(8) == 0) next += number(5);                     // jumps over positions
        if (number(8) == 0) next = std::max(0, next - number(5));  // judges some again
        engine::GatesDecided gates{sequence, next, 1 + number(600), large(), {}, {}};
        next += gates.count;
        for (std::int32_t cell = 0; cell < 6 * gates.count; ++cell) {
          const float logit = static_cast<float>(number(4000)) / 64.0f - 30.0f;
          gates.logits.push_back(number(50) == 0 ? std::numeric_limits<float>::quiet_NaN() : logit);
          gates.marked.push_back(static_cast<std::uint8_t>(number(2)));
        }
        events.push_back(std::move(gates));
        break;
      }
      case 3: {
        engine::TokensEvicted evicted{sequence, large(), {}};
        for (int n = number(5); n > 0; --n)
          evicted.tokens.push_back({number(65'536), number(65'536), number(INT32_MAX)});
        events.push_back(std::move(evicted));
        break;
      }
      case 4: {
        engine::OccupancyChanged occupancy{sequence, number(3) + i, {}, {}};
        for (int head = 0; head < 6; ++head) {
          occupancy.live.push_back(100 + number(2));
          occupancy.allocated.push_back(100 + 4 * number(2));
        }
        events.push_back(std::move(occupancy));
        break;
      }
      case 5:
        events.push_back(
            engine::StepFinished{large(), engine::Phase::decode, large(), large(), number(999), large()});
        break;
      case 6: {
        engine::SpansRecorded recorded;
        for (int n = number(40); n > 0; --n) {
          recorded.spans.push_back({large(), large(), large(), static_cast<std::int16_t>(number(40) - 1),
                                    static_cast<std::int16_t>(number(9)),
                                    static_cast<std::int16_t>(number(9)),
                                    static_cast<std::int16_t>(number(3) - 1), number(4), number(3) - 1,
                                    number(3) == 0 ? large() : 0});
        }
        events.push_back(std::move(recorded));
        break;
      }
      case 7:
        events.push_back(engine::ParameterChanged{large(), "window", std::to_string(number(999))});
        break;
      case 8:
        events.push_back(engine::QualityMeasured{sequence, number(999), "kl", number(99) / 7.0});
        break;
      case 9: {
        engine::KernelsNamed named;
        for (int n = number(4); n > 0; --n) named.names.push_back("kernel " + std::to_string(number(99)));
        events.push_back(std::move(named));
        break;
      }
      case 10:
        events.push_back(engine::TrackNamed{static_cast<std::int16_t>(number(3) - 1), number(5) - 1,
                                            "track " + std::to_string(number(9))});
        break;
      case 11: {
        engine::CountersSampled sampled;
        for (int n = number(6); n > 0; --n) {
          sampled.samples.push_back({static_cast<std::int16_t>(number(2)),
                                     number(2) == 0 ? "power" : "memory used", "W", large(),
                                     number(99) / 8.0});
        }
        events.push_back(std::move(sampled));
        break;
      }
      case 12:
        events.push_back(engine::RecordsLost{number(2) == 0 ? "untimed" : "dropped", large(), "why"});
        break;
      default:
        events.push_back(engine::Notice{"notice " + std::to_string(number(5))});
        break;
    }
  }
  events.push_back(engine::RunFinished{large(), "eos"});
  return events;
}

}  // namespace

TEST_CASE("A trace, replays a run as it was recorded") {
  check_events(run_events({}, 60), 0);
}

TEST_CASE("A trace, replays forked sequences in their order") {
  check_events(run_events({.chains = 4}, 40), 0);
}

TEST_CASE("A trace, replays evictions of a policy without a closed form") {
  check_events(run_events({.closed_form = false}, 40), 0);
}

TEST_CASE("A trace, replays a run that was committed in pieces") {
  check_events(run_events({.chains = 2}, 30), 60);
}

TEST_CASE("A trace, replays gates that fill several chunks") {
  check_events(run_events({.prompt_tokens = 1000, .prefill_chunk = 300, .spans_per_step = 0}, 1500), 900);
}

TEST_CASE("A trace, replays random event streams") {
  for (unsigned seed = 1; seed <= 6; ++seed) check_events(random_events(seed), seed % 2 == 0 ? 80 : 0);
}

TEST_CASE("A trace, can be replayed while it is being recorded") {
  const TemporaryFolder folder;
  auto writer = TraceWriter::create(folder / "t.db", {});
  REQUIRE(writer);
  Recording expected;
  Tee tee(**writer, expected);
  SyntheticRun run({.chains = 2});
  run.start(tee);
  for (int step = 0; step < 30; ++step) run.decode(tee);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::vector<engine::Event> so_far = expected.events;
  check_same(so_far, replayed(folder / "t.db"));

  const auto reader = TraceReader::open(folder / "t.db");  // stays open while the recording goes on
  REQUIRE(reader);
  for (int step = 0; step < 30; ++step) run.decode(tee);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  Recording later;
  REQUIRE((*reader)->replay(later));
  check_same(expected.events, later.events);

  run.finish(tee);
  REQUIRE((*writer)->finish());
  check_same(expected.events, replayed(folder / "t.db"));
}
