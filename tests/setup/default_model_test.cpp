// The program on the real default model, as set-up left it. Skipped where set-up has not been run.

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/support/temp_folder.hpp"

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

fs::path models_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "dmscope" / "models";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : "/") / ".cache" / "dmscope" / "models";
}

fs::path model(const std::string& name) {
  const fs::path folder = models_folder() / name;
  if (!fs::exists(folder / "model.safetensors"))
    SKIP(folder.string() + " does not exist; scripts/test makes it");
  return folder;
}

json record(const fs::path& model, const std::vector<std::string>& more) {
  const support::TempFolder scratch;
  std::vector<std::string> arguments{
      "record", "--model", model.string(), "--trace", (scratch / "t.db").string(), "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto result = support::run_program(arguments);
  INFO(result.err);
  REQUIRE(result.status == 0);
  return json::parse(result.out);
}

std::string answer(const json& summary) {
  const std::string text = summary["texts"][0];
  return text.substr(0, text.find("<|"));
}

// About 1,000 tokens of English prose that is in every checkout.
std::string prose() {
  std::ifstream file(DMSCOPE_TESTS_DIR "/../LICENSE", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(text.size() > 5000);
  return text.substr(0, 5000);
}

// "The grass is green..." repeated, with a number hidden in the middle.
std::string haystack() {
  const std::string filler =
      "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. ";
  std::string text;
  for (int i = 0; i < 78; ++i) {
    text += filler;
    if (i == 38) text += "The secret number is 48213. Remember it. ";
  }
  return text + "What is the secret number?";
}

}  // namespace

TEST_CASE("the plain default model names the capital of France") {
  const json summary = record(model("smollm2-135m-instruct"), {"--prompt", "What is the capital of France?",
                                                               "--tokens", "12", "--policy", "dense"});
  CHECK(answer(summary) == "The capital of France is Paris.");
  CHECK(summary["finish_reasons"] == json{"eos"});
  CHECK(summary["compression_ratio"] == 1.0);
}

TEST_CASE("the DMS default model names it under learned eviction") {
  const json summary = record(model("smollm2-135m-instruct-dms"),
                              {"--prompt", "What is the capital of France?", "--tokens", "12"});
  CHECK(summary["policy"] == "dms");
  CHECK(summary["window"] == 64);
  CHECK(answer(summary) == "The capital of France is Paris.");
}

TEST_CASE("the plain default model repeats a number hidden in two thousand tokens", "[long]") {
  const json summary =
      record(model("smollm2-135m-instruct"), {"--prompt", haystack(), "--tokens", "24", "--policy", "dense"});
  CHECK(summary["prompt_tokens"] > 1900);
  CHECK(answer(summary).find("48213") != std::string::npos);
}

// 6.097 in a float32 implementation on PyTorch that masks instead of evicting; bf16 flips decisions near the
// threshold.
TEST_CASE("learned eviction keeps about a sixth of a thousand tokens", "[long]") {
  const json summary = record(model("smollm2-135m-instruct-dms"),
                              {"--prompt", prose(), "--raw", "--tokens", "1", "--ignore-eos"});
  CHECK(summary["prompt_tokens"] == 983);
  CHECK(summary["compression_ratio"] > 6.0);
  CHECK(summary["compression_ratio"] < 6.16);
}

// The card's numbers are measured on texts and questions that are not all in a checkout; these, which are,
// stand beside them.
TEST_CASE("the DMS default model has the quality that its card states", "[long]") {
  const fs::path folder = model("smollm2-135m-instruct-dms");
  std::ifstream file(DMSCOPE_TESTS_DIR "/../assets/smollm2-135m-instruct-dms.quality.json");
  const json card = json::parse(file);
  std::vector<std::string> arguments{"eval", "--model", folder.string(), "--json"};
  for (const json& argument : card["arguments"]) arguments.push_back(argument);
  arguments.insert(arguments.end(), {"--text", DMSCOPE_TESTS_DIR "/../LICENSE"});
  const auto result = support::run_program(arguments);
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json rows = json::parse(result.out)["rows"];
  REQUIRE(rows.size() == card["rows"].size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& found = rows[i];
    const json& stated = card["rows"][i];
    INFO(found.dump());
    for (const char* key : {"task", "context", "setting", "samples"}) CHECK(found[key] == stated[key]);
    // Kernels of other instruction sets round otherwise, which moves decisions that are near the threshold.
    CHECK_THAT(found["ratio"].get<double>(), WithinRel(stated["ratio"].get<double>(), 0.01));
    if (stated.contains("perplexity")) {
      CHECK_THAT(found["perplexity"].get<double>(), WithinRel(stated["perplexity"].get<double>(), 0.01));
      CHECK_THAT(found["kl"].get<double>(), WithinAbs(stated["kl"].get<double>(), 0.01));
    } else {
      CHECK(found["accuracy"] == stated["accuracy"]);
    }
  }
}
