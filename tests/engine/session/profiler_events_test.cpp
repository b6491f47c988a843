#include "engine/session/profiler_events.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

struct Recorder final : engine::EventSink {
  void on_event(engine::Event event) override { events.push_back(std::move(event)); }
  std::vector<engine::Event> events;
};

// Hands over what the test put there.
struct FakeProfiler final : engine::GpuProfiler {
  void start_run(std::int64_t) override {}
  void take(engine::GpuRecords& out) override { std::swap(out, next); }
  void finish_run(engine::GpuRecords& out) override { std::swap(out, last); }
  void enter(const engine::GpuScope&) override {}
  void leave() override {}
  void enter_graph(engine::Step, engine::Phase, std::int64_t) override {}
  void leave_graph() override {}
  void cache_bytes(engine::Step, std::span<const std::int64_t>) override {}
  void name_stream(void*, std::string_view) override {}
  bool times_kernels() const override { return true; }
  engine::GpuRecords next, last;
};

engine::Span span(std::int16_t operation, std::int16_t kernel) {
  engine::Span made;
  made.operation = operation;
  made.kernel = kernel;
  made.device = 0;
  return made;
}

}  // namespace

TEST_CASE("ProfilerEvents, number the profiler's names and operations after the run's own") {
  FakeProfiler profiler;
  Recorder recorder;
  engine::ProfilerEvents events(profiler, recorder);
  engine::RunStarted run;
  run.operations = {"qkv", "attention", "sample"};
  run.kernels = {"qkv", "attention", "sample"};
  events.complete(run);
  CHECK(run.kernels.size() == 3);
  profiler.next.kernels = {"gemv", "graph"};
  profiler.next.spans = {span(1, 0), span(engine::kWholeGraph, 1), span(engine::kUnattributed, 0),
                         span(engine::kProfilerCost, 1)};
  events.after_step();
  REQUIRE(recorder.events.size() == 2);
  CHECK(std::get<engine::KernelsNamed>(recorder.events[0]).names.size() == 2);
  const auto& spans = std::get<engine::SpansRecorded>(recorder.events[1]).spans;
  const auto operation = [&](std::size_t i) {
    return run.operations.at(static_cast<std::size_t>(spans[i].operation));
  };
  CHECK(operation(0) == "attention");
  CHECK(operation(1) == "graph");
  CHECK(operation(2) == "unattributed");
  CHECK(operation(3) == "profiling");
  CHECK(spans[0].kernel == 3);
  CHECK(spans[1].kernel == 4);
}

TEST_CASE("ProfilerEvents, graphs are an operation of the backend's where it has one") {
  FakeProfiler profiler;
  Recorder recorder;
  engine::ProfilerEvents events(profiler, recorder);
  engine::RunStarted run;
  run.operations = {"graph", "qkv"};
  events.complete(run);
  CHECK(run.operations == std::vector<std::string>{"graph", "qkv", "unattributed", "profiling"});
  profiler.next.spans = {span(engine::kWholeGraph, 0), span(engine::kProfilerCost, 0)};
  events.after_step();
  const auto& spans = std::get<engine::SpansRecorded>(recorder.events.front()).spans;
  CHECK(spans[0].operation == 0);
  CHECK(spans[1].operation == 3);
}

TEST_CASE("ProfilerEvents, tell everything that is known, and nothing where nothing is") {
  FakeProfiler profiler;
  Recorder recorder;
  engine::ProfilerEvents events(profiler, recorder);
  engine::RunStarted run;
  events.complete(run);
  events.after_step();
  CHECK(recorder.events.empty());
  profiler.last.notices = {"kernels are timed without CUPTI"};
  profiler.last.parameters = {{4, "profile", "light"}};
  profiler.last.tracks = {{0, 7, "decode"}};
  profiler.last.counters = {{0, "power", "W", 5, 300}};
  profiler.last.losses = {{"untimed", 3, "why"}};
  events.finish();
  REQUIRE(recorder.events.size() == 5);
  CHECK(std::holds_alternative<engine::Notice>(recorder.events[0]));
  CHECK(std::get<engine::ParameterChanged>(recorder.events[1]).value == "light");
  CHECK(std::get<engine::TrackNamed>(recorder.events[2]).name == "decode");
  CHECK(std::get<engine::CountersSampled>(recorder.events[3]).samples.size() == 1);
  CHECK(std::get<engine::RecordsLost>(recorder.events[4]).count == 3);
}
