// Whatever ends a recording, the trace up to then is valid and the reason is the first line.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using nlohmann::json;
using support::run_program;

namespace {

// A run of minutes, so that what ends it is what the test does.
support::CheckpointOptions endless_options() {
  support::CheckpointOptions options = support::talking_options();
  options.max_positions = 1'000'000;
  options.gates = support::Gates::nvidia_adapter;
  return options;
}

std::vector<std::string> record(const support::TalkingCheckpoint& model, int tokens,
                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"record",
                                     "--model",
                                     model.path(),
                                     "--trace",
                                     (model / "t.db").string(),
                                     "--ignore-eos",
                                     "--threads",
                                     "1",
                                     "--prompt",
                                     "Hello",
                                     "--raw",
                                     "--tokens",
                                     std::to_string(tokens)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The trace opens, and holds at least one token.
void check_trace_valid(const support::TalkingCheckpoint& model) {
  const auto stats = run_program({"stats", (model / "t.db").string(), "--json"});
  INFO(stats.err);
  REQUIRE(stats.status == 0);
  CHECK(json::parse(stats.out).is_object());
  const auto tokens =
      run_program({"sql", (model / "t.db").string(), "SELECT count(*) AS n FROM tokens", "--json"});
  REQUIRE(tokens.status == 0);
  CHECK(json::parse(tokens.out)[0]["n"] > 0);
}

}  // namespace

TEST_CASE("record, a signal ends the run cleanly") {
  const int signal_number = GENERATE_COPY(SIGINT, SIGTERM);
  const support::TalkingCheckpoint model(endless_options());
  support::ProgramOptions options;
  options.on_first_output = [&](pid_t program) { kill(program, signal_number); };
  const auto result = run_program(record(model, 900'000), options);
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error() ==
        "dmscope: interrupted; " + (model / "t.db").string() + " holds everything up to then");
  check_trace_valid(model);
}

TEST_CASE("record, a reader that goes away ends the run with the reason") {
  const support::TalkingCheckpoint model(endless_options());
  const auto result = run_program(record(model, 900'000), {.out_unread = true});
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: standard output: Broken pipe");
  check_trace_valid(model);
}

TEST_CASE("record, a full disk ends the run and the trace up to then stays valid") {
  const support::TalkingCheckpoint model(endless_options());
  const auto result = run_program(record(model, 900'000), {.max_file_bytes = 1'000'000});
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error().find("t.db") != std::string::npos);
  check_trace_valid(model);
}

TEST_CASE("record, a run that is to continue without its trace ends as asked") {
  const support::TalkingCheckpoint model(endless_options());
  // Many chains make a large trace in few steps, and a run that takes several transactions on a fast machine.
  const std::vector<std::string> chains{"--overwrite", "--chains", "128", "--temperature", "1"};
  const auto complete = run_program(record(model, 300, chains));
  REQUIRE(complete.status == 0);
  const auto limit = std::filesystem::file_size(model / "t.db") / 2;
  auto continued = chains;
  continued.insert(continued.end(), {"--on-trace-error", "continue"});
  const auto result = run_program(record(model, 300, continued), {.max_file_bytes = limit});
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error().find("t.db") != std::string::npos);
  CHECK(result.out == complete.out);
  check_trace_valid(model);
}

TEST_CASE("record, a trace that cannot be created costs no run") {
  const support::TalkingCheckpoint model;
  auto arguments = record(model, 100);
  arguments[4] = (model / "config.json/t.db").string();
  const auto result = run_program(arguments);
  INFO(result.err);
  CHECK(result.status != 0);
  CHECK(result.first_error().find("config.json/t.db") != std::string::npos);
  CHECK(result.out.empty());
}
