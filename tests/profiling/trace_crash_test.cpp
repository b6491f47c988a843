#include <signal.h>
#include <sys/wait.h>
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <random>
#include <set>
#include <thread>

#include "profiling/trace_reader.hpp"
#include "tests/profiling/temporary_folder.hpp"

using namespace profiling_test;
using profiling::TraceReader;
using profiling::TraceWriter;

namespace {

constexpr std::int64_t kPromisedMs = 150;

struct FinishedStep {
  std::int64_t step = 0;
  std::int64_t at_ns = 0;  // steady clock
};

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Records at about 100 steps per second until it is killed; tells each finished step through the pipe.
[[noreturn]] void record_forever(const std::filesystem::path& path, int pipe) {
  auto writer = TraceWriter::create(path, {});
  if (!writer) ::_exit(1);
  SyntheticRun run({.layers = 8, .kv_heads = 4, .chains = 2, .spans_per_step = 60});
  run.start(**writer);
  while (true) {
    const FinishedStep finished{run.decode(**writer), now_ns()};
    if (::write(pipe, &finished, sizeof(finished)) != sizeof(finished)) ::_exit(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

struct Killed {
  std::vector<FinishedStep> finished;
  std::int64_t killed_ns = 0;
};

Killed record_and_kill(const std::filesystem::path& path, std::chrono::milliseconds after) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) record_forever(path, ends[1]);
  ::close(ends[1]);
  std::this_thread::sleep_for(after);
  Killed result;
  result.killed_ns = now_ns();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  FinishedStep step;
  while (::read(ends[0], &step, sizeof(step)) == sizeof(step)) result.finished.push_back(step);
  ::close(ends[0]);
  return result;
}

struct Steps : engine::EventSink {
  std::set<std::int64_t> finished;
  void on_event(engine::Event event) override {
    if (const auto* step = std::get_if<engine::StepFinished>(&event)) finished.insert(step->step);
  }
};

void check_recovered(const std::filesystem::path& path, const Killed& killed) {
  const auto reader = TraceReader::open(path);
  if (!reader) FAIL(reader.error().message);
  Steps steps;
  const auto status = (*reader)->replay(steps);
  if (!status) FAIL(status.error().message);
  for (const FinishedStep& step : killed.finished) {
    if (killed.killed_ns - step.at_ns < kPromisedMs * 1'000'000) continue;
    INFO("step " << step.step << " finished " << (killed.killed_ns - step.at_ns) / 1'000'000
                 << " ms before the kill");
    REQUIRE(steps.finished.count(step.step) == 1);
  }
  const auto live = (*reader)->live_slots(1, 0, static_cast<std::int32_t>(*steps.finished.rbegin()));
  CHECK(live);
}

}  // namespace

TEST_CASE("A trace, after kill -9 has every step that finished 150 ms before") {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 3; ++round) {
    const TemporaryFolder folder;
    const std::chrono::milliseconds after(500 + random() % 2500);
    INFO("killed after " << after.count() << " ms");
    const Killed killed = record_and_kill(folder / "t.db", after);
    REQUIRE(killed.finished.size() > 10);
    check_recovered(folder / "t.db", killed);
  }
}

TEST_CASE("A trace that a crash left behind, is read without changing a file") {
  const TemporaryFolder folder;
  const Killed killed = record_and_kill(folder / "t.db", std::chrono::milliseconds(700));
  const auto contents = [&] {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      files.emplace_back(entry.path().string(), read_bytes(entry.path()));
    }
    std::sort(files.begin(), files.end());
    return files;
  };
  SECTION("with the log's index beside it") {}
  SECTION("without the log's index") {
    std::filesystem::remove(folder / "t.db-shm");
  }
  const auto before = contents();
  REQUIRE(before.size() >= 2);
  check_recovered(folder / "t.db", killed);
  CHECK(contents() == before);
}

TEST_CASE("A trace that a crash left behind, without its log is what was folded in before") {
  const TemporaryFolder folder;
  static_cast<void>(record_and_kill(folder / "t.db", std::chrono::milliseconds(3000)));
  std::filesystem::remove(folder / "t.db-wal");
  std::filesystem::remove(folder / "t.db-shm");
  const std::string before = read_bytes(folder / "t.db");
  const auto reader = TraceReader::open(folder / "t.db");
  if (reader) {
    Steps steps;
    CHECK((*reader)->replay(steps));
  } else {
    CHECK(reader.error().code == engine::ErrorCode::bad_input);
  }
  CHECK(read_bytes(folder / "t.db") == before);
  CHECK_FALSE(std::filesystem::exists(folder / "t.db-wal"));
  CHECK_FALSE(std::filesystem::exists(folder / "t.db-shm"));
}
