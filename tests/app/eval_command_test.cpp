#include <signal.h>

#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"
#include "tests/support/temp_folder.hpp"

using support::run_program;

namespace {

namespace fs = std::filesystem;

support::CheckpointOptions gated() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.window = 16;
  options.max_positions = 2048;
  return options;
}

class Evaluating {
 public:
  Evaluating() {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "Line " + std::to_string(i * 7919) + " of a text.\n";
    support::write_file(folder_ / "text.txt", text);
    support::write_file(folder_ / "set.jsonl",
                        "{\"question\": \"How many?\", \"answer\": \"#### 4\"}\n"
                        "{\"question\": \"And now?\", \"answer\": \"#### 5\"}\n");
  }
  support::ProgramResult run(std::vector<std::string> more,
                             const support::ProgramOptions& options = {}) const {
    std::vector<std::string> arguments{"eval", "--model", model_.path(), "--raw", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, options);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  support::TalkingCheckpoint model_{gated()};
  support::TempFolder folder_;
};

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("eval, goes through tasks, text and questions under every setting") {
  const Evaluating evaluating;
  const auto done = evaluating.run({"--tasks", "needle,arithmetic", "--contexts", "1024", "--samples", "2",
                                    "--text", evaluating.path("text.txt"), "--questions",
                                    evaluating.path("set.jsonl"), "--tokens", "4", "--policies", "dense,dms",
                                    "--ratios", "2", "--out", evaluating.path("out"), "--json"});
  INFO(done.err);
  REQUIRE(done.status == 0);
  const auto json = nlohmann::json::parse(done.out);
  REQUIRE(json["rows"].size() == 8);  // four tasks, two settings
  for (const auto& row : json["rows"]) {
    CAPTURE(row.dump());
    CHECK(row["samples"] == 2);
    CHECK(row["kv_reads"] > 0);
    CHECK((row["policy"] == "dense" ? row["ratio"] == 1.0 : row["ratio"] > 1.2));
  }
  const auto& text = json["rows"][1];
  CHECK(text["task"] == "text");
  CHECK(text["perplexity"] > 1);
  CHECK(text["kl"] > 0);
  CHECK(text.contains("perplexity_over_dense"));
  CHECK(lines_of(content_of(evaluating.path("out/summary.csv"))) == 9);
  CHECK(lines_of(content_of(evaluating.path("out/samples.jsonl"))) == 1 + 16);
  CHECK(nlohmann::json::parse(content_of(evaluating.path("out/summary.json"))) == json);
}

TEST_CASE("eval, an interrupted evaluation goes on where it stopped, and ends as if it had not been") {
  const Evaluating evaluating;
  const auto with = [&](const std::string& out) {
    return std::vector<std::string>{"--tasks",   "needle", "--contexts", "1024",
                                    "--samples", "6",      "--out",      evaluating.path(out)};
  };
  support::ProgramOptions interrupt;
  bool sent = false;
  interrupt.while_running = [&](pid_t program) {
    if (!sent && lines_of(content_of(evaluating.path("out/samples.jsonl"))) >= 3) {
      kill(program, SIGINT);
      sent = true;
    }
    return sent;
  };
  const auto stopped = evaluating.run(with("out"), interrupt);
  REQUIRE(stopped.status == 1);
  CHECK(stopped.first_error().find("interrupted; the same command goes on") != std::string::npos);
  const auto resumed = evaluating.run(with("out"));
  REQUIRE(resumed.status == 0);
  CHECK(resumed.err.find("results were there already") != std::string::npos);
  const auto whole = evaluating.run(with("other"));
  const auto without_times = [&](const std::string& out) {
    auto json = nlohmann::json::parse(content_of(evaluating.path(out + "/summary.json")));
    for (auto& row : json["rows"]) row.erase("seconds");
    return json;
  };
  CHECK(without_times("out") == without_times("other"));
}

TEST_CASE("eval, several chains vote") {
  const Evaluating evaluating;
  const auto done = evaluating.run({"--tasks", "none", "--questions", evaluating.path("set.jsonl"),
                                    "--tokens", "3", "--chains", "3", "--temperature", "1", "--json"});
  INFO(done.err);
  REQUIRE(done.status == 0);
  CHECK(nlohmann::json::parse(done.out)["rows"][0]["answer_tokens"] <= 9);
}

TEST_CASE("eval, draws its plot") {
  // Mesa's drivers leak when they are unloaded, where no suppression can name them.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  const Evaluating evaluating;
  const auto done = evaluating.run({"--tasks", "needle", "--contexts", "512,1024", "--samples", "1", "--plot",
                                    evaluating.path("plot.png")});
  INFO(done.err);
  REQUIRE(done.status == 0);
  CHECK(content_of(evaluating.path("plot.png")).starts_with("\x89PNG"));
  CHECK(done.out.starts_with("task,context,"));
}

TEST_CASE("eval, refuses what it cannot do before it starts") {
  const Evaluating evaluating;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& reason) {
    const auto done = evaluating.run(arguments);
    CAPTURE(done.err);
    CHECK(done.status == 2);
    CHECK(done.first_error().find(reason) != std::string::npos);
  };
  refused({"--tasks", "juggling"},
          "--tasks: expected passkey, needle, recall, arithmetic or none, got 'juggling'");
  refused({"--tasks", "none"}, "expected --text or --questions");
  refused({"--contexts", "4096"}, "2048 positions");
  refused({"--contexts", "64"}, "question alone takes");
  refused({"--policies", "tova"}, "got 'tova'");
  refused({"--ratios", "0.5"},
          "--ratios: expected with commas between: finite numbers of at least 1; got '0.5'");
  refused({"--ratios", "2,,8"}, "got '2,,8'");
  refused({"--thresholds", "1,nan"},
          "--thresholds: expected with commas between: finite numbers; got '1,nan'");
  refused({"--thresholds", ""}, "got ''");
  refused({"--policies", "dense,"}, "--policies: expected names with commas between, got 'dense,'");
  refused({"--text", evaluating.path("none.txt")}, "cannot open");
  refused({"--tasks", "none", "--text", evaluating.path("set.jsonl"), "--contexts", "1024"}, "--text: ");
  refused({"--questions", evaluating.path("text.txt")}, "text.txt: line 1: expected a JSON object");
  refused({"--questions", evaluating.path("set.jsonl"), "--tokens", "5000"}, "question 1");
  refused({"--plot", evaluating.path("none/x.png")}, "there is no folder");
}
