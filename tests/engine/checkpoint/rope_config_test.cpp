// RoPE parameters: old and new spelling, and what is refused.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "engine/checkpoint/config.hpp"
#include "tests/engine/checkpoint/refusal.hpp"

using nlohmann::json;

namespace {

const json kLlama3 = {{"rope_type", "llama3"},
                      {"factor", 32.0},
                      {"low_freq_factor", 1.0},
                      {"high_freq_factor", 4.0},
                      {"original_max_position_embeddings", 8192}};

json merged(json a, const json& b) {
  a.update(b);
  return a;
}

engine::Result<engine::ModelConfig> parse(const json& keys) {
  return engine::parse_model_config(merged({{"model_type", "llama"}}, keys).dump(), "config.json");
}

engine::ModelConfig accepted(const json& keys) {
  INFO(keys.dump());
  const auto parsed = parse(keys);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return *parsed;
}

void refused(const json& keys, std::initializer_list<std::string> named) {
  INFO(keys.dump());
  check_refused(parse(keys), named);
}

}  // namespace

TEST_CASE("Rope, no scaling is absent, null, empty or default in either spelling") {
  for (const json& none : {json(nullptr), json::object(), json({{"rope_type", "default"}}),
                           json({{"type", "default"}}), json({{"rope_type", nullptr}})}) {
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      const auto config = accepted({{"rope_theta", 1000000}, {key, none}});
      CHECK(config.rope_theta == 1000000);
      CHECK_FALSE(config.rope_scaling);
    }
  }
}

TEST_CASE("Rope, llama3 scaling is read in every spelling") {
  json old_type = merged(kLlama3, {{"type", "llama3"}});
  CHECK(accepted({{"rope_scaling", old_type}}).rope_scaling->factor == 32);  // type and rope_type agree
  old_type.erase("rope_type");
  const json with_theta = merged(kLlama3, {{"rope_theta", 5e5}});
  for (const json& keys :
       {json{{"rope_theta", 5e5}, {"rope_scaling", kLlama3}},
        json{{"rope_theta", 5e5}, {"rope_scaling", old_type}}, json{{"rope_parameters", with_theta}},
        json{{"rope_scaling", with_theta}}, json{{"rope_theta", 5e5}, {"rope_parameters", kLlama3}},
        json{{"rope_theta", 5e5}, {"rope_scaling", kLlama3}, {"rope_parameters", with_theta}},
        json{{"rope_parameters", {{"full_attention", with_theta}}}},
        json{{"rope_parameters", {{"full_attention", with_theta}, {"sliding_attention", with_theta}}}}}) {
    const auto config = accepted(keys);
    CHECK(config.rope_theta == 5e5);
    REQUIRE(config.rope_scaling);
    CHECK(config.rope_scaling->factor == 32);
    CHECK(config.rope_scaling->low_freq_factor == 1);
    CHECK(config.rope_scaling->high_freq_factor == 4);
    CHECK(config.rope_scaling->original_max_positions == 8192);
  }
}

TEST_CASE("Rope, other types are refused by name") {
  for (const char* type : {"yarn", "dynamic", "linear", "longrope", "su", "mrope", "proportional", ""}) {
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      for (const char* spelled : {"type", "rope_type"}) {
        refused({{key, {{spelled, type}, {"factor", 4.0}}}},
                {"config.json", std::string(key) + "." + spelled, type});
      }
    }
  }
}

TEST_CASE("Rope, llama3 without one of its parameters, or with a senseless one, is refused") {
  for (const char* key :
       {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    json scaling = kLlama3;
    scaling.erase(key);
    refused({{"rope_scaling", scaling}}, {"rope_scaling." + std::string(key), "missing"});
    for (const json& value : {json(0), json(-1), json("8"), json::array()}) {
      refused({{"rope_scaling", merged(kLlama3, {{key, value}})}}, {"rope_scaling." + std::string(key)});
    }
  }
  refused({{"rope_scaling", merged(kLlama3, {{"original_max_position_embeddings", 8192.5}})}},
          {"original_max_position_embeddings"});
  refused({{"rope_scaling", merged(kLlama3, {{"high_freq_factor", 1.0}})}},
          {"rope_scaling.high_freq_factor"});
}

TEST_CASE("Rope, spellings that contradict each other are refused") {
  refused({{"rope_scaling", {{"type", "llama3"}, {"rope_type", "default"}}}},
          {"rope_scaling.type", "contradicts"});
  refused({{"rope_theta", 10000}, {"rope_parameters", {{"rope_theta", 500000}}}},
          {"rope_theta", "contradicts"});
  refused({{"rope_scaling", kLlama3}, {"rope_parameters", {{"rope_theta", 10000}}}},
          {"rope_parameters", "contradicts rope_scaling"});
  refused({{"rope_scaling", kLlama3}, {"rope_parameters", merged(kLlama3, {{"factor", 8.0}})}},
          {"rope_parameters", "contradicts rope_scaling"});
  refused({{"rope_scaling", kLlama3}, {"original_max_position_embeddings", 4096}},
          {"original_max_position_embeddings", "contradicts"});
}

TEST_CASE("Rope, parameters that differ between layer types are refused") {
  refused({{"rope_parameters",
            {{"full_attention", {{"rope_theta", 10000}}}, {"sliding_attention", {{"rope_theta", 20000}}}}}},
          {"rope_parameters", "differs between layer types"});
  refused({{"rope_parameters", {{"full_attention", {{"rope_type", "yarn"}}}}}},
          {"rope_parameters.full_attention.rope_type", "yarn"});
  refused({{"rope_parameters", {{"full_attention", {{"rope_theta", 10000}}}, {"rope_theta", 10000}}}},
          {"rope_parameters", "mixes"});
}

TEST_CASE("Rope, partial rotation and values of the wrong type are refused") {
  refused({{"partial_rotary_factor", 0.5}}, {"partial_rotary_factor"});
  refused({{"rope_parameters", {{"rope_theta", 10000}, {"partial_rotary_factor", 0.25}}}},
          {"rope_parameters.partial_rotary_factor"});
  refused({{"rope_scaling", "llama3"}}, {"rope_scaling", "object"});
  refused({{"rope_scaling", {{"rope_type", 3}}}}, {"rope_scaling.rope_type"});
  refused({{"rope_parameters", {{"rope_theta", 0}}}}, {"rope_parameters.rope_theta"});
}
