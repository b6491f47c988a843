#include "app/gui/workbench/run_problems.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace app::gui;
using Catch::Matchers::ContainsSubstring;

namespace {

app::live::TraceStatus failed(const std::string& reason) {
  app::live::TraceStatus status;
  status.state = app::live::TraceState::failed;
  status.reason = reason;
  return status;
}

}  // namespace

TEST_CASE("Problems, a trace's line says what happened and what to do") {
  CHECK_THAT(
      trace_problem("trace 'a.db': schema version 9 is newer than 1, the newest this program knows", false),
      ContainsSubstring("schema version 9") && ContainsSubstring("Update DMScope"));
  CHECK_THAT(trace_problem("trace 'a.db': cut off after 10 of 20 bytes", false),
             ContainsSubstring("Copy the file"));
  CHECK_THAT(trace_problem("trace 'a.db': not an SQLite file, expected a trace recorded by DMScope", false),
             ContainsSubstring("Choose a file"));
  CHECK_THAT(trace_problem("trace 'a.db': was deleted while it was open", false),
             ContainsSubstring("stays on the screen"));
  CHECK_THAT(trace_problem("trace 'a.db': empty file", true), ContainsSubstring("shown before stays"));
  CHECK(trace_problem("trace 'a.db': odd", false) == "trace 'a.db': odd.");
}

TEST_CASE("Problems, each is told once, and again for another trace") {
  RunProblems problems;
  problems.watch_trace({}, false);
  CHECK(problems.take().empty());
  problems.watch_trace(failed("trace 'a.db': empty file"), false);
  problems.watch_trace(failed("trace 'a.db': empty file"), false);
  auto told = problems.take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].is_error);
  CHECK(problems.take().empty());
  problems.watch_trace(failed("trace 'b.db': empty file"), true);
  CHECK(problems.take().size() == 1);
  problems.watch_trace(failed("trace 'a.db': empty file"), false);
  CHECK(problems.take().empty());  // of the trace shown, known already
  problems.forget_trace();
  problems.watch_trace(failed("trace 'a.db': empty file"), false);
  CHECK(problems.take().size() == 1);
}

TEST_CASE("Problems, a recording that was cut short is a warning") {
  app::live::TraceStatus status;
  status.state = app::live::TraceState::silent;
  status.reason = "the run has no end here: its recording was cut short";
  RunProblems problems;
  problems.watch_trace(status, false);
  const auto told = problems.take();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].is_error);
  CHECK_THAT(told[0].text, ContainsSubstring("cut short"));
}

TEST_CASE("Problems, a model that cannot be loaded and a recording that breaks off are told once per run") {
  RunProblems problems;
  app::live::LiveStatus live;
  problems.watch_live(live);
  CHECK(problems.take().empty());
  live.error = engine::bad_input("/m/model.safetensors: no such file");
  problems.watch_live(live);
  problems.watch_live(live);
  const auto told = problems.take();
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0].text, ContainsSubstring("/m/model.safetensors") && ContainsSubstring("config.json"));

  live.error.reset();
  live.trace_error = engine::failed("trace 't.db': database or disk is full");
  live.run = 1;
  problems.watch_live(live);
  live.run = 2;
  problems.watch_live(live);
  CHECK(problems.take().size() == 2);
}

TEST_CASE("Problems, a run that a GPU could not do offers the CPU, where there is a model to run") {
  app::live::LiveStatus status;
  status.run = 1;
  status.error = engine::failed("the GPU is out of memory for caches during a step of 1 token");
  status.gpu_failed = true;
  status.model = std::make_shared<const engine::Model>();
  RunProblems problems;
  problems.watch_live(status);
  auto told = problems.take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].cpu_helps);
  CHECK_THAT(told[0].text, ContainsSubstring("out of memory"));
  status.run = 2;
  status.gpu_failed = false;
  problems.watch_live(status);
  told = problems.take();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].cpu_helps);
}
