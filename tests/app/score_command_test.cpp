#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using support::run_program;

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename T>
std::vector<T> npy_data(const fs::path& path, const std::string& shape) {
  const std::string content = content_of(path);
  const std::string descr = std::is_same_v<T, float> ? "'<f4'" : "'<i4'";
  REQUIRE(content.size() > 128);
  INFO(content.substr(10, 100));
  REQUIRE(content.substr(0, 128).find(descr) != std::string::npos);
  REQUIRE(content.substr(0, 128).find(shape) != std::string::npos);
  std::vector<T> data((content.size() - 128) / sizeof(T));
  std::memcpy(data.data(), content.data() + 128, data.size() * sizeof(T));
  return data;
}

class Scoring {
 public:
  explicit Scoring(const support::CheckpointOptions& options = {}) {
    support::make_checkpoint(options).write(folder_ / "model");
    std::string ids;
    for (int i = 0; i < 50; ++i) ids += std::to_string(i * 37 % 96) + "\n";
    support::write_file(folder_ / "ids", ids);
  }

  support::ProgramResult run(const std::vector<std::string>& more,
                             const support::ProgramOptions& options = {}) const {
    std::vector<std::string> arguments{"score",    "--model",          path("model"), "--ids", path("ids"),
                                       "--logits", path("logits.npy"), "--threads",   "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, options);
  }

  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  support::TempFolder folder_;
};

support::CheckpointOptions dms_options() {
  support::CheckpointOptions options;
  options.gates = support::Gates::nvidia_borrowed;
  options.window = 6;
  return options;
}

}  // namespace

TEST_CASE("score, logits, gates and live slots have the documented shapes and meaning") {
  const Scoring scoring(dms_options());
  const auto result = scoring.run({"--gates", scoring.path("gates.npy"), "--live", scoring.path("live.npy")});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(npy_data<float>(scoring.path("logits.npy"), "(50, 96)").size() == 50 * 96);
  const auto gates = npy_data<float>(scoring.path("gates.npy"), "(2, 2, 50)");
  const auto live = npy_data<std::int32_t>(scoring.path("live.npy"), "(2, 2, 50)");
  REQUIRE(gates.size() == 200);
  REQUIRE(live.size() == 200);
  for (std::size_t head = 0; head < 4; ++head) {
    CHECK(std::isnan(gates[head * 50 + 49]));  // lag 1: nothing has judged the last token
    for (std::size_t s = 0; s < 50; ++s) {
      // The closed form: t <= s and (s - t <= window or the logit is not above 0).
      std::int32_t expected = 0;
      for (std::size_t t = 0; t <= s; ++t) expected += s - t <= 6 || !(gates[head * 50 + t] > 0);
      REQUIRE(live[head * 50 + s] == expected);
    }
  }
}

TEST_CASE("score, token by token gives what one masked pass gives") {
  const Scoring scoring(dms_options());
  REQUIRE(scoring.run({"--reference"}).status == 0);
  const auto prefill = npy_data<float>(scoring.path("logits.npy"), "(50, 96)");
  REQUIRE(scoring.run({"--reference", "--mode", "decode"}).status == 0);
  const auto decode = npy_data<float>(scoring.path("logits.npy"), "(50, 96)");
  for (std::size_t i = 0; i < prefill.size(); ++i) REQUIRE(std::abs(prefill[i] - decode[i]) < 1e-4f);
}

TEST_CASE("score, policy options change the run") {
  const Scoring scoring(dms_options());
  const auto ratio = [&](const std::vector<std::string>& more) {
    auto arguments = more;
    arguments.emplace_back("--json");
    const auto result = scoring.run(arguments);
    INFO(result.err);
    REQUIRE(result.status == 0);
    return nlohmann::json::parse(result.out)["compression_ratio"].get<double>();
  };
  CHECK(ratio({"--policy", "dense"}) == 1.0);
  CHECK(ratio({"--threshold", "1e9"}) == 1.0);
  CHECK(ratio({"--window", "0"}) > ratio({}));
  CHECK(ratio({"--policy", "window", "--window", "5", "--sinks", "2"}) == 50.0 / 8.0);
}

TEST_CASE("score, needs no tokenizer and is silent on standard output") {
  const Scoring scoring;
  const auto result = scoring.run({});
  CHECK(result.status == 0);
  CHECK(result.out.empty());
  CHECK(scoring.run({"--quiet"}).err.empty());
}

TEST_CASE("score, ids that are no ids of the model are refused and nothing is written") {
  const Scoring scoring;
  const auto refused = GENERATE(values<std::pair<std::string, std::string>>({
      {"", "expected at least one token id"},
      {"1 2 three", "item 3"},
      {"1 -1", "item 2"},
      {"1 96", "item 2: id 96"},
  }));
  support::write_file(scoring.path("ids"), refused.first);
  const auto result = scoring.run({});
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.first_error().find(scoring.path("ids")) != std::string::npos);
  CHECK(result.first_error().find(refused.second) != std::string::npos);
  CHECK(scoring.files() == std::vector<std::string>{"ids", "model"});
}

TEST_CASE("score, more ids than positions are refused with the number") {
  const Scoring scoring;
  std::string ids;
  for (int i = 0; i < 513; ++i) ids += "1 ";
  support::write_file(scoring.path("ids"), ids);
  const auto result = scoring.run({});
  CHECK(result.status == 2);
  CHECK(result.first_error().find("item 513: expected at most 512 ids (max_position_embeddings)") !=
        std::string::npos);
}

TEST_CASE("score, a full disk leaves nothing half named") {
  const Scoring scoring;
  const auto result = scoring.run({"--live", scoring.path("live.npy")}, {.max_file_bytes = 10'000});
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: " + scoring.path("logits.npy") + ": cannot write: File too large");
  CHECK(scoring.files() == std::vector<std::string>{"ids", "model"});
}

TEST_CASE("score, an output over the ids or over another output is refused") {
  const Scoring scoring;
  const auto over_ids = scoring.run({"--live", scoring.path("ids")});
  CHECK(over_ids.status == 2);
  CHECK(over_ids.first_error().find("--live") != std::string::npos);
  CHECK(content_of(scoring.path("ids")).starts_with("0\n37\n"));
}

TEST_CASE("score, a signal ends the pass and leaves nothing half named") {
  support::CheckpointOptions model;
  model.max_positions = 200'000;
  const Scoring scoring(model);
  std::string ids;
  for (int i = 0; i < 150'000; ++i) ids += "7 ";
  support::write_file(scoring.path("ids"), ids);
  support::ProgramOptions options;
  options.while_running = [&](pid_t program) {
    if (scoring.files().size() < 3) return false;  // the output has not been opened yet
    kill(program, SIGINT);
    return true;
  };
  const auto result = scoring.run({"--mode", "decode"}, options);
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: interrupted");
  CHECK(scoring.files() == std::vector<std::string>{"ids", "model"});
}
