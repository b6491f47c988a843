// Arguments that are refused before any work starts: status 2, and the reason as the first line of standard
// error.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using support::run_program;

namespace {

const std::string kSample = DMSCOPE_TESTS_DIR "/../assets/sample/needle.db";

struct Refused {
  std::vector<std::string> arguments;
  std::string first_error;
};

void check_refused(const std::vector<std::string>& arguments, const std::string& first_error) {
  const auto result = run_program(arguments);
  INFO(result.err);
  CHECK(result.first_error() == first_error);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
}

// `dmscope record` with everything it needs, and `more`.
std::vector<std::string> record(const support::TalkingCheckpoint& model,
                                const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "record", "--model", model.path(), "--tokens", "5", "--trace", (model / "t.db").string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("Program, commands that are unknown or not built are refused") {
  const auto refused = GENERATE(values<Refused>({
      {{"--model", "/no/such/folder", "--prompt", "y"},
       "dmscope: /no/such/folder: no such folder, expected a checkpoint folder"},
      {{"replay", "/no/such/t.db"}, "dmscope: trace '/no/such/t.db': no such file"},
      {{"replay"}, "dmscope: TRACE is required"},
      {{"shot", "/no/such/t.db", "--out", "x.png"}, "dmscope: trace '/no/such/t.db': no such file"},
      {{"shot", "--model", "x", "--out", "x.png"}, "dmscope: --model: needs --prompt or --prompt-file"},
      {{"shot", "--prompt", "x", "--out", "x.png"}, "dmscope: --prompt: needs --model"},
      {{"shot", "t.db", "--model", "x", "--prompt", "y", "--out", "x.png"},
       "dmscope: --model: a trace is given already"},
      {{"demo", "--model", "x", "--fps", "0"},
       "dmscope: --fps: expected a whole number from 1 to 60, got '0'"},
      {{"shot"}, "dmscope: --out is required"},
      {{"shot", "--out", "x.png", "--size", "10x"},
       "dmscope: --size: expected WIDTHxHEIGHT with 64 to 16384 pixels each, got '10x'"},
      {{"shot", "--out", "x.png", "--theme", "pink"}, "dmscope: --theme: expected dark or light, got 'pink'"},
      {{"shot", "--out", "x.png", "--layout", "compare"},
       "dmscope: --layout compare: not built in this version"},
      {{"shot", "--out", "x.png", "--step", "3"}, "dmscope: --step: needs a trace or --model"},
      {{"shot", "--out", "x.png", "--pin", "3"}, "dmscope: --pin: needs a trace or --model"},
      {{"shot", "--out", "x.png", "--preview", "3"}, "dmscope: --preview: needs a trace or --model"},
      {{"shot", "t.db", "--out", "x.png", "--pin", "3,4"},
       "dmscope: --pin: expected a token, or a token, a layer and a KV head: '505,15,2', got '3,4'"},
      {{"shot", "t.db", "--out", "x.png", "--pin", "a"},
       "dmscope: --pin: expected a token, or a token, a layer and a KV head: '505,15,2', got 'a'"},
      {{"shot", kSample, "--out", "x.png", "--pin", "5,30,0"},
       "dmscope: --pin: expected a layer from 0 to 29 and a KV head from 0 to 2, got 30 and 0"},
      {{"eval", "--model", "x", "--tasks", "none"},
       "dmscope: --tasks none: expected --text or --questions then"},
      {{"recrod"}, "dmscope: unknown command 'recrod'"},
      {{"--bogus"}, "dmscope: unknown or misplaced argument '--bogus'"},
      {{"-x"}, "dmscope: unknown command '-x'"},
      {{"a\nb"}, "dmscope: unknown command 'a\\x0ab'"},
  }));
  check_refused(refused.arguments, refused.first_error);
}

TEST_CASE("Program, wrong options of every command are refused by name") {
  const auto refused = GENERATE(values<Refused>({
      {{"record", "--model", "m", "--tokens", "0", "--trace", "t"},
       "dmscope: --tokens: expected a whole number from 1 to 2147483647, got '0'"},
      {{"record", "--model", "m", "--trace", "t", "--prompt", "p"}, "dmscope: --tokens is required"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t"},
       "dmscope: --prompt: expected exactly one of --prompt and --prompt-file"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t", "--prompt", "p", "--chains", "1025"},
       "dmscope: --chains: expected a whole number from 1 to 1024, got '1025'"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t", "--prompt", "p", "--on-trace-error",
        "ignore"},
       "dmscope: --on-trace-error: expected stop or continue, got 'ignore'"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t", "--prompt", "p", "--mode", "decode"},
       "dmscope: unknown or misplaced argument '--mode' 'decode'"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t", "--prompt", "p", "--policy", "h2o"},
       "dmscope: --policy h2o: not built in this version"},
      {{"record", "--model", "m", "--tokens", "1", "--trace", "t", "--prompt", "p", "--policy", "lru"},
       "dmscope: --policy: expected dms, dense, window or knorm, got 'lru'"},
      {{"score", "--model", "m", "--ids", "i"}, "dmscope: --logits is required"},
      {{"score", "--model", "m", "--ids", "i", "--logits", "l", "--mode", "both"},
       "dmscope: --mode: expected prefill or decode, got 'both'"},
      {{"score", "--model", "m", "--ids", "i", "--logits", "l", "--temperature", "1"},
       "dmscope: unknown or misplaced argument '--temperature' '1'"},
      {{"score", "--model", "m", "--ids", "i", "--logits", "same", "--gates", "./same"},
       "dmscope: --gates: ./same is the same file as --logits"},
      {{"score", "--model", "m", "--ids", "i", "--logits", "l", "--device", "gpu"},
       "dmscope: --device: expected auto, cpu, cuda or cuda:N, got 'gpu'"},
      {{"tokenize", "--model", "m", "--decode", "--bos"}, "dmscope: --bos: has no meaning with --decode"},
      {{"tokenize"}, "dmscope: --model is required"},
      {{"sql", "t.db"}, "dmscope: QUERY is required"},
      {{"export", "t.db"}, "dmscope: --perfetto: expected exactly one of --perfetto OUT and --csv DIR"},
      {{"export", "t.db", "--perfetto", "a", "--csv", "b"},
       "dmscope: --perfetto: expected exactly one of --perfetto OUT and --csv DIR"},
      {{"bench", "--model", "m", "--depths", "1,x"},
       "dmscope: --depths: expected whole numbers from 0 to 2147483647 with commas between, got '1,x'"},
      {{"bench", "--model", "m", "--grid", "1x8,8"},
       "dmscope: --grid: expected batch x context as in 8x8192, with commas between, got '8'"},
      {{"bench", "--model", "m", "--only", "grid"},
       "dmscope: --only grid: --grid says which points, as in --grid 1x1024,8x8192"},
      {{"bench"}, "dmscope: --model is required"},
      {{"bench", "--model", "m", "--shape", "qwen3-8b"},
       "dmscope: --model: cannot be used together with --shape"},
      {{"bench", "--shape", "qwen3-8b", "--device", "cpu"},
       "dmscope: --shape: its weights are made on a GPU, cannot be used together with --device cpu"},
      {{"bench", "--shape", "qwen3-8b", "--only", "trace"},
       "dmscope: --only: trace needs a checkpoint, cannot be used together with --shape"},
      {{"bench", "--model", "m", "--only", "speed"}, "dmscope: --only: unknown section 'speed', see --help"},
  }));
  check_refused(refused.arguments, refused.first_error);
}

TEST_CASE("Program, a checkpoint that is not there is named, whatever the command") {
  const auto arguments = GENERATE(values<std::vector<std::string>>({
      {"info", "--model", "no/such/folder"},
      {"tokenize", "--model", "no/such/folder"},
      {"bench", "--model", "no/such/folder"},
      {"score", "--model", "no/such/folder", "--ids", "i", "--logits", "l"},
      {"record", "--model", "no/such/folder", "--prompt", "p", "--tokens", "1", "--trace", "t"},
  }));
  const auto result = run_program(arguments);
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.first_error().find("no/such/folder") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists("t"));
  CHECK_FALSE(std::filesystem::exists("l"));
}

TEST_CASE("Program, --help and --version work everywhere") {
  const auto* const command =
      GENERATE("", "record", "score", "tokenize", "stats", "sql", "export", "info", "bench");
  std::vector<std::string> arguments;
  if (*command != '\0') arguments.emplace_back(command);
  arguments.emplace_back("--help");
  const auto help = run_program(arguments);
  CHECK(help.status == 0);
  CHECK(help.out.find("Usage: dmscope") != std::string::npos);
  CHECK(help.err.empty());
  arguments.back() = "--version";
  const auto version = run_program(arguments);
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("dmscope "));
  CHECK(version.err.empty());
}

TEST_CASE("record, what the checkpoint cannot do is refused and leaves no trace") {
  const support::TalkingCheckpoint model;
  const auto refused = GENERATE(values<std::pair<std::vector<std::string>, std::string>>({
      {{"--prompt", "p", "--policy", "dms"}, "--policy dms"},
      {{"--prompt", "p", "--policy", "dense", "--window", "4"}, "--window"},
      {{"--prompt", "p", "--policy", "window", "--threshold", "1"}, "--threshold"},
      {{"--prompt", "p", "--policy", "knorm", "--sinks", "1"}, "--sinks"},
      {{"--prompt", "p", "--target-cr", "2", "--threshold", "1"}, "--target-cr"},
      {{"--prompt", "p", "--thinking", "on"}, "--thinking"},
      {{"--prompt", "p", "--system", "s"}, "--system"},
      {{"--prompt", "caf\xe9"}, "byte 3"},
      {{"--prompt", ""}, "--prompt"},
      {{"--prompt", "p", "--profile", "all"}, "--profile: expected off, light or detailed, got 'all'"},
      {{"--prompt", "p", "--profile", "light", "--device", "cpu"},
       "--profile light: times the kernels of a GPU"},
  }));
  const auto result = run_program(record(model, refused.first));
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.first_error().find(refused.second) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(model / "t.db"));
}

TEST_CASE("record, a context beyond the model's positions is refused with both numbers") {
  const support::TalkingCheckpoint model;
  const auto result = run_program(record(model, {"--prompt", std::string(508, 'x'), "--raw"}));
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.first_error() ==
        "dmscope: --tokens: the prompt's 508 tokens and 5 more exceed max_position_embeddings 512");
  CHECK_FALSE(std::filesystem::exists(model / "t.db"));
}

TEST_CASE("record, an existing file is kept unless it is a trace to be overwritten") {
  const support::TalkingCheckpoint model;
  SECTION("a file that is no trace, even with --overwrite") {
    support::write_file(model / "t.db", "precious");
    for (const bool overwrite : {false, true}) {
      auto arguments = record(model, {"--prompt", "p"});
      if (overwrite) arguments.emplace_back("--overwrite");
      const auto result = run_program(arguments);
      CHECK(result.status == 2);
      CHECK(result.first_error().find("t.db") != std::string::npos);
      CHECK(std::filesystem::file_size(model / "t.db") == 8);
    }
  }
  SECTION("a trace") {
    REQUIRE(run_program(record(model, {"--prompt", "p"})).status == 0);
    const auto again = run_program(record(model, {"--prompt", "p"}));
    CHECK(again.status == 2);
    CHECK(again.first_error().find("t.db") != std::string::npos);
    CHECK(run_program(record(model, {"--prompt", "p", "--overwrite"})).status == 0);
  }
}
