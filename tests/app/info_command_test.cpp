#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using nlohmann::json;
using support::run_program;

TEST_CASE("info, the program and the machine") {
  const auto result = run_program({"info", "--json"});
  REQUIRE(result.status == 0);
  const json info = json::parse(result.out);
  CHECK_FALSE(info["program"]["version"].get<std::string>().empty());
  CHECK_FALSE(info["program"]["compiler"].get<std::string>().empty());
  CHECK(info["program"]["sqlite"].get<std::string>().starts_with("3."));
  CHECK_FALSE(info["device"]["processor"].get<std::string>().empty());
  CHECK_FALSE(info["device"]["instruction_set"].get<std::string>().empty());
  const json& cuda = info["device"]["cuda"];  // null: built without a toolkit
  if (!cuda.is_null()) CHECK(cuda["usable"].get<bool>() == cuda["reason"].get<std::string>().empty());
  for (const char* tool : {"cupti", "nvml"}) {
    const json& found = info["device"][tool];
    CHECK(found["usable"].get<bool>() == found["reason"].get<std::string>().empty());
    CHECK((found["usable"].get<bool>() || found["path"] == ""));
  }
  const std::string text = run_program({"info"}).out;
  CHECK(text.find("\nCUPTI      ") != std::string::npos);
  CHECK(text.find("\nNVML       ") != std::string::npos);
  CHECK(text.find(info["device"]["processor"].get<std::string>()) != std::string::npos);
}

TEST_CASE("info, a checkpoint's shape and what its gates are") {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::fastdms_metadata;
  options.window = 24;
  const support::TalkingCheckpoint model(options);
  const auto result = run_program({"info", "--model", model.path(), "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const json info = json::parse(result.out)["model"];
  CHECK(info["architecture"] == "llama");
  CHECK(info["layers"] == 2);
  CHECK(info["kv_heads"] == 2);
  CHECK(info["dms"]["gates"] == "borrowed neuron");
  CHECK(info["dms"]["window"] == 24);
  CHECK(info["dms"]["lag"] == 0);
  const auto text = run_program({"info", "--model", model.path()});
  CHECK(text.out.find("borrowed neuron, window 24, lag 0") != std::string::npos);
}

TEST_CASE("info, a checkpoint without gates has none") {
  const support::TalkingCheckpoint model;
  const auto result = run_program({"info", "--model", model.path(), "--json"});
  REQUIRE(result.status == 0);
  CHECK(json::parse(result.out)["model"]["dms"].is_null());
}
