// What a run becomes when its GPU cannot begin, or cannot go on: a reason in one line, and a trace that holds
// everything up to then.
#include <algorithm>
#include <catch2/generators/catch_generators.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "profiling/trace_tools.hpp"
#include "tests/app/gpu/emulated_run.hpp"

namespace {

using nlohmann::json;
using test::Collected;
using test::EmulatedRun;
using test::SmallDevice;

bool has(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

// Loses the device after this many steps.
class LosesDevice : public Collected {
 public:
  explicit LosesDevice(engine::Step after, cudaError_t error) : after_(after) {
    cuda_emulation::control().failure = error;
  }
  void on_event(engine::Event event) override {
    const auto* step = std::get_if<engine::StepFinished>(&event);
    if (step != nullptr && step->step == after_) cuda_emulation::control().launches_until_failure = 0;
    Collected::on_event(std::move(event));
  }

 private:
  engine::Step after_;
};

void check_trace_holds(const std::filesystem::path& trace, const Collected& events,
                       const engine::Error& error) {
  const auto steps = std::count_if(
      events.events.begin(), events.events.end(),
      [](const engine::Event& event) { return std::holds_alternative<engine::StepFinished>(event); });
  const auto* finished = std::get_if<engine::RunFinished>(&events.events.back());
  REQUIRE(finished != nullptr);
  CHECK(finished->reason == error.message);
  std::ostringstream rows;
  REQUIRE(profiling::run_sql(trace, "SELECT count(*) AS steps FROM steps", true, rows));
  CHECK(json::parse(rows.str())[0]["steps"] == steps);
  const auto stats = profiling::stats_json(trace);
  if (!stats) FAIL(stats.error().message);
  CHECK(json::parse(*stats)["run"]["end_reason"] == error.message);
}

}  // namespace

TEST_CASE(
    "A GPU that is lost in the middle of a run leaves the trace whole up to then, and the reason in it") {
  const SmallDevice device;
  const support::TempFolder folder;
  const auto [error, words] =
      GENERATE(table<cudaError_t, const char*>({{cudaErrorUnknown, "the GPU was lost"},
                                                {cudaErrorDevicesUnavailable, "held by another process"},
                                                {cudaErrorIllegalAddress, "a kernel failed on the GPU"}}));
  CAPTURE(words);
  EmulatedRun run;
  run.options.profile = "off";
  run.options.tokens = 20;
  LosesDevice events(6, error);
  const auto done = run(events, app::TraceTarget{folder / "t.db"});
  REQUIRE(done.session_error);
  CAPTURE(done.session_error->message);
  CHECK(done.session_error->code == engine::ErrorCode::failed);
  CHECK(has(done.session_error->message, words));
  CHECK(has(done.session_error->message, "during a step of 1 token"));
  CHECK_FALSE(has(done.session_error->message, "\n"));
  CHECK_FALSE(done.trace_error);
  REQUIRE(done.run);
  CHECK(done.run->backend == "cuda");
  check_trace_holds(folder / "t.db", events, *done.session_error);
}

TEST_CASE("A GPU that runs out of memory in the middle of a run says how much more was needed") {
  const SmallDevice device;
  const support::TempFolder folder;
  EmulatedRun run;
  run.options.profile = "off";
  run.options.tokens = 80;
  run.cache_bytes = std::int64_t{13} * (2 * 16 * 8 * 2 + 17 * 4);  // 48 tokens' pages
  Collected events;
  const auto done = run(events, app::TraceTarget{folder / "t.db"});
  REQUIRE(done.session_error);
  CAPTURE(done.session_error->message);
  CHECK(has(done.session_error->message, "the GPU is out of memory for caches during a step of 1 token"));
  CHECK(has(done.session_error->message, "more are needed"));
  check_trace_holds(folder / "t.db", events, *done.session_error);
}

TEST_CASE("A GPU that cannot begin is refused with the reason, and automatic takes the CPU with a notice") {
  const SmallDevice device;
  cuda_emulation::Control& control = cuda_emulation::control();
  const char* words = nullptr;
  SECTION("another process holds it") {
    control.compute_mode = cudaComputeModeExclusiveProcess;
    control.held = true;
    words = "the GPU is held by another process";
  }
  SECTION("its memory is too small for the weights") {
    control.memory_bytes = std::size_t{64} << 10;
    words = "missing";
  }
  SECTION("its memory is too small to work in") {
    control.memory_bytes = std::size_t{1200} << 10;
    words = "missing";
  }
  EmulatedRun run;
  run.options.profile = "off";
  Collected events;
  const auto refused = run(events);
  REQUIRE(refused.session_error);
  CAPTURE(refused.session_error->message);
  CHECK(refused.session_error->message.starts_with("--device cuda: "));
  CHECK(has(refused.session_error->message, words));
  CHECK(events.events.empty());
  run.options.device.device = "auto";
  Collected on_cpu;
  const auto done = run(on_cpu);
  REQUIRE(done.summary);
  CHECK(done.run->backend == "cpu");
  CHECK(on_cpu.noticed(words));
  CHECK(on_cpu.noticed("ran on the CPU: "));
}
