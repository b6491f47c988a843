// The two forms in which a checkpoint describes its DMS gates, their defaults and their precedence.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "engine/checkpoint/config.hpp"
#include "tests/engine/checkpoint/refusal.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using engine::GateForm;
using nlohmann::json;
using support::Gates;

namespace {

engine::DmsConfig nvidia(const json& keys) {
  json config = {{"model_type", "qwen3"}};
  config.update(keys);
  const auto parsed = engine::parse_nvidia_dms_config(config.dump(), "config.json");
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return *parsed;
}

engine::DmsConfig fastdms(const json& root) {
  const auto parsed = engine::parse_fastdms_config(root.dump(), "dms_metadata.json", "here");
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return *parsed;
}

engine::DmsConfig read(const std::filesystem::path& folder) {
  const auto config = engine::read_config(folder);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return config->dms;
}

}  // namespace

TEST_CASE("DmsConfig, a plain checkpoint has no gates") {
  CHECK(nvidia(json::object()).form == GateForm::none);
}

TEST_CASE("DmsConfig, one dms_ key makes the NVIDIA form with its defaults") {
  const auto dms = nvidia({{"dms_tau", 0.1}});
  CHECK(dms.form == GateForm::borrowed_neuron);
  CHECK(dms.window == 512);
  CHECK(dms.alpha_scale == 100);
  CHECK(dms.alpha_offset == 5);
  CHECK(dms.lag == 1);
  CHECK(dms.zero_after_rope);
  CHECK_FALSE(dms.per_layer);
  CHECK_FALSE(dms.disable_eviction);
  CHECK_FALSE(dms.target_cr);
  CHECK(dms.source == "config.json (NVIDIA form)");
}

TEST_CASE("DmsConfig, NVIDIA's class name alone makes the NVIDIA form") {
  CHECK(nvidia({{"architectures", {"Qwen3ForCausalLMDMS"}}}).form == GateForm::borrowed_neuron);
  CHECK(nvidia({{"architectures", {"Qwen3ForCausalLM"}}}).form == GateForm::none);
}

TEST_CASE("DmsConfig, NVIDIA's keys are read") {
  const auto dms = nvidia({{"dms_window_size", 64},
                           {"dms_alpha_scale", 2.5},
                           {"dms_initial_alpha_offset", -1},
                           {"dms_separate_alpha", true},
                           {"dms_alpha_per", "layer"},
                           {"dms_disable_eviction", true},
                           {"dms_cr", 8}});
  CHECK(dms.form == GateForm::adapter);
  CHECK(dms.window == 64);
  CHECK(dms.alpha_scale == 2.5);
  CHECK(dms.alpha_offset == -1);
  CHECK(dms.per_layer);
  CHECK(dms.disable_eviction);
  CHECK(dms.target_cr == 8);
  CHECK(dms.lag == 1);
}

TEST_CASE("DmsConfig, FastDMS metadata is read flat or under config, with its own defaults") {
  const json values = {{"window_size", 128}, {"alpha_scale", 50}, {"alpha_offset", 2.5}, {"target_cr", 4}};
  for (const json& root : {values, json{{"config", values}}, json{{"config", values}, {"window_size", 1}}}) {
    const auto dms = fastdms(root);
    CHECK(dms.form == GateForm::borrowed_neuron);
    CHECK(dms.window == 128);
    CHECK(dms.alpha_scale == 50);
    CHECK(dms.alpha_offset == 2.5);
    CHECK(dms.target_cr == 4);
    CHECK(dms.lag == 0);
    CHECK_FALSE(dms.zero_after_rope);
    CHECK(dms.source == "here");
  }
  for (const json& root : {json::object(), json{{"config", json::object()}}}) {
    const auto dms = fastdms(root);
    CHECK(dms.window == 256);
    CHECK(dms.alpha_scale == 100);
    CHECK(dms.alpha_offset == 5);
    CHECK_FALSE(dms.target_cr);
  }
}

TEST_CASE("DmsConfig, FastDMS metadata wins over the training log and both over dms_ keys") {
  const support::TempFolder folder;
  const auto path = folder / "checkpoint";
  auto checkpoint = support::make_checkpoint({.gates = Gates::nvidia_borrowed, .window = 100});
  checkpoint.config["dms_separate_alpha"] = true;
  checkpoint.write(path);
  CHECK(read(path).window == 100);
  CHECK(read(path).form == GateForm::adapter);

  checkpoint.training_log = {{"config", {{"window_size", 200}}}, {"history", {{{"loss", 1}}}}};
  checkpoint.write(path);
  CHECK(read(path).window == 200);
  CHECK(read(path).form == GateForm::borrowed_neuron);
  CHECK(read(path).lag == 0);
  CHECK(read(path).source == "../training_log.json (FastDMS form)");
  CHECK(read(path.string() + "/").window == 200);

  checkpoint.dms_metadata = {{"window_size", 300}};
  checkpoint.write(path);
  CHECK(read(path).window == 300);
  CHECK(read(path).source == "dms_metadata.json (FastDMS form)");
}

TEST_CASE("DmsConfig, NVIDIA values of the wrong type or range are refused") {
  const auto refused = [](const char* key, const json& value) {
    INFO(value.dump());
    const json config = {{"model_type", "qwen3"}, {key, value}};
    check_refused(engine::parse_nvidia_dms_config(config.dump(), "config.json"), {"config.json", key});
  };
  for (const json& value :
       {json(-1), json(2.5), json("512"), json(1e12), json(18446744073709551615ull), json(true)}) {
    refused("dms_window_size", value);
  }
  for (const json& value : {json("100"), json(true), json::array()}) {
    refused("dms_alpha_scale", value);
    refused("dms_initial_alpha_offset", value);
  }
  for (const json& value : {json(1), json("true")}) {
    refused("dms_separate_alpha", value);
    refused("dms_disable_eviction", value);
  }
  for (const json& value : {json("token"), json(""), json(1)}) refused("dms_alpha_per", value);
  for (const json& value : {json(0), json(-8), json("8")}) refused("dms_cr", value);
}

TEST_CASE("DmsConfig, FastDMS values of the wrong type or range are refused") {
  for (const char* key : {"window_size", "alpha_scale", "alpha_offset", "target_cr"}) {
    for (const json& value : {json("1"), json(true), json::array(), json::object()}) {
      INFO(value.dump());
      const std::string flat = json{{key, value}}.dump();
      check_refused(engine::parse_fastdms_config(flat, "dms_metadata.json", ""), {"dms_metadata.json", key});
      const std::string nested = json{{"config", {{key, value}}}}.dump();
      check_refused(engine::parse_fastdms_config(nested, "dms_metadata.json", ""),
                    {"dms_metadata.json", key});
    }
  }
  check_refused(engine::parse_fastdms_config(R"({"config":{"window_size":-1}})", "f.json", ""),
                {"f.json", "config.window_size"});
  check_refused(engine::parse_fastdms_config(R"({"config":[1]})", "f.json", ""),
                {"f.json", "config", "object"});
  check_refused(engine::parse_fastdms_config("[]", "f.json", ""), {"f.json", "object"});
  check_refused(engine::parse_fastdms_config("{", "f.json", ""), {"f.json", "JSON"});
}

TEST_CASE("DmsConfig, metadata files that cannot be read are errors, not an absence") {
  const support::TempFolder folder;
  const auto path = folder / "checkpoint";
  support::make_checkpoint({}).write(path);
  std::filesystem::create_directory(path / "dms_metadata.json");
  check_refused(engine::read_config(path), {"dms_metadata.json", "regular file"});
  std::filesystem::remove(path / "dms_metadata.json");
  REQUIRE(::mkfifo((folder / "training_log.json").c_str(), 0600) == 0);
  check_refused(engine::read_config(path), {"training_log.json", "regular file"});
  std::filesystem::remove(folder / "training_log.json");
  std::filesystem::create_symlink("nowhere", path / "dms_metadata.json");
  check_refused(engine::read_config(path), {"dms_metadata.json", "cannot be opened"});
}
