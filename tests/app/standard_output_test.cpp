// Text that does not arrive is a failure with a reason, never silence.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using support::run_program;

TEST_CASE("Program, a full disk behind standard output is reported") {
  const support::TalkingCheckpoint model;
  const std::vector<std::vector<std::string>> commands{
      {"--help"}, {"--version"}, {"info"}, {"info", "--json"}, {"tokenize", "--model", model.path()}};
  for (const auto& arguments : commands) {
    const auto result = run_program(arguments, {.input = "text", .out_file = "/dev/full"});
    CHECK(result.status == 1);
    CHECK(result.first_error() == "dmscope: standard output: No space left on device");
  }
}

TEST_CASE("Program, a closed pipe is reported") {
  const support::TalkingCheckpoint model;
  const auto result = run_program({"tokenize", "--model", model.path()},
                                  {.input = std::string(100'000, 'x'), .out_unread = true});
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: standard output: Broken pipe");
}

TEST_CASE("Program, without a standard output nothing is written elsewhere") {
  const support::TalkingCheckpoint model;
  const auto result = run_program({"record", "--model", model.path(), "--prompt", "Hi", "--raw", "--tokens",
                                   "5", "--trace", (model / "t.db").string()},
                                  {.out_closed = true});
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: standard output: Bad file descriptor");
  CHECK(run_program({"stats", (model / "t.db").string(), "--json"}).status == 0);
}
