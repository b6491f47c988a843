// config.json: Hugging Face's defaults, both spellings, and a refusal by name for what we do not run.
#include "engine/checkpoint/config.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <nlohmann/json.hpp>

#include "tests/engine/checkpoint/refusal.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using engine::Architecture;
using nlohmann::json;

namespace {

const std::string kFile = "dir/config.json";

engine::ModelConfig parse(const json& config) {
  auto parsed = engine::parse_model_config(config.dump(), kFile);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return *parsed;
}

json tiny(Architecture architecture = Architecture::llama) {
  return support::make_checkpoint({.architecture = architecture}).config;
}

json with(json config, const char* key, const json& value) {
  config[key] = value;
  return config;
}

json without(json config, const char* key) {
  config.erase(key);
  return config;
}

void check_config_refused(const json& config, std::initializer_list<std::string> named) {
  INFO(config.dump());
  const auto parsed = engine::parse_model_config(config.dump(), kFile);
  check_refused(parsed, named);
  check_refused(parsed, {kFile});
}

// The value is refused, and the message names the key.
void check_key_refused(const char* key, const json& value, Architecture architecture = Architecture::llama) {
  check_config_refused(with(tiny(architecture), key, value), {std::string(key) + ": "});
}

}  // namespace

TEST_CASE("Config, absent keys take the defaults of Hugging Face's Llama class") {
  const auto config = parse({{"model_type", "llama"}});
  CHECK(config.architecture == Architecture::llama);
  CHECK(config.layers == 32);
  CHECK(config.hidden == 4096);
  CHECK(config.intermediate == 11008);
  CHECK(config.query_heads == 32);
  CHECK(config.kv_heads == 32);
  CHECK(config.head_dim == 128);
  CHECK(config.vocab == 32000);
  CHECK(config.max_positions == 2048);
  CHECK(config.rms_norm_eps == 1e-6);
  CHECK(config.rope_theta == 10000);
  CHECK_FALSE(config.rope_scaling);
  CHECK_FALSE(config.tied_embeddings);
  CHECK_FALSE(config.attention_bias);
  CHECK_FALSE(config.mlp_bias);
  CHECK(config.eos_ids == std::vector<std::int32_t>{2});
}

TEST_CASE("Config, absent keys take the defaults of Hugging Face's Qwen classes") {
  const auto qwen2 = parse({{"model_type", "qwen2"}, {"num_attention_heads", 64}});
  CHECK(qwen2.intermediate == 22016);
  CHECK(qwen2.kv_heads == 32);
  CHECK(qwen2.head_dim == 64);  // hidden 4096 / 64 heads
  CHECK(qwen2.vocab == 151936);
  CHECK(qwen2.max_positions == 32768);
  CHECK(qwen2.eos_ids.empty());
  const auto qwen3 = parse({{"model_type", "qwen3"}, {"num_attention_heads", 64}});
  CHECK(qwen3.kv_heads == 32);
  CHECK(qwen3.head_dim == 128);  // apart from hidden / heads
  CHECK(qwen3.max_positions == 32768);
}

TEST_CASE("Config, num_key_value_heads defaults to the query heads in Llama, and wherever it is null") {
  CHECK(parse(without(tiny(), "num_key_value_heads")).kv_heads == 4);
  for (const auto architecture : {Architecture::llama, Architecture::qwen2, Architecture::qwen3}) {
    CHECK(parse(with(tiny(architecture), "num_key_value_heads", nullptr)).kv_heads == 4);
  }
  check_config_refused(without(tiny(Architecture::qwen2), "num_key_value_heads"),
                       {"num_key_value_heads", "32 (the default)", "num_attention_heads 4"});
}

TEST_CASE("Config, an absent or null head_dim is hidden_size by heads") {
  CHECK(parse(without(tiny(), "head_dim")).head_dim == 8);
  CHECK(parse(with(tiny(), "head_dim", nullptr)).head_dim == 8);
  CHECK(parse(with(tiny(), "head_dim", 16)).head_dim == 16);
  CHECK(parse(with(with(tiny(), "head_dim", 16), "hidden_size", 33)).hidden == 33);
  check_config_refused(with(without(tiny(), "head_dim"), "hidden_size", 33),
                       {"hidden_size", "33", "head_dim"});
  check_config_refused(with(without(tiny(), "head_dim"), "hidden_size", 36), {"head_dim", "9", "even"});
}

TEST_CASE("Config, the architecture is the named class, or the model type without one") {
  for (const auto& [name, architecture] :
       {std::pair{"Llama", Architecture::llama}, std::pair{"Qwen2", Architecture::qwen2},
        std::pair{"Qwen3", Architecture::qwen3}}) {
    const json config = tiny(architecture);
    for (const char* suffix : {"ForCausalLM", "ForCausalLMDMS"}) {
      CHECK(parse(with(config, "architectures", {std::string(name) + suffix})).architecture == architecture);
    }
    CHECK(parse(without(config, "architectures")).architecture == architecture);
    CHECK(parse(with(config, "architectures", nullptr)).architecture == architecture);
    CHECK(parse(with(config, "architectures", json::array())).architecture == architecture);
    CHECK(parse(without(config, "model_type")).architecture == architecture);
  }
}

TEST_CASE("Config, other architectures are refused by name") {
  for (const char* name : {"MistralForCausalLM", "Qwen2MoeForCausalLM", "Qwen3MoeForCausalLM", "LlamaModel",
                           "LlamaForSequenceClassification", "Gemma2ForCausalLM", ""}) {
    if (*name == '\0') continue;
    check_config_refused(without(with(tiny(), "architectures", {name}), "model_type"),
                         {"architectures", name});
  }
  for (const char* type : {"mistral", "qwen3_moe", "gpt2", "llama4", ""}) {
    check_config_refused(without(with(tiny(), "model_type", type), "architectures"), {"model_type", type});
  }
  check_config_refused(with(tiny(), "model_type", "mistral"), {"model_type", "mistral", "LlamaForCausalLM"});
  check_config_refused(without(without(tiny(), "model_type"), "architectures"),
                       {"architectures", "model_type"});
  check_key_refused("architectures", "LlamaForCausalLM");
  check_key_refused("architectures", {1});
  check_key_refused("model_type", 1);
}

TEST_CASE("Config, dimensions of the wrong type or absurd size are refused") {
  const char* key = GENERATE("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
                             "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings");
  for (const json& value : {json(0), json(-1), json(4.0), json("4"), json(true), json::array(),
                            json::object(), json(2147483647), json(2147483648), json(1e30),
                            json(-9223372036854775807), json(18446744073709551615ull), json(4294967300ll)}) {
    check_key_refused(key, value);
  }
}

TEST_CASE("Config, heads that do not fit together are refused") {
  check_config_refused(with(tiny(), "num_key_value_heads", 3),
                       {"num_key_value_heads", "3", "num_attention_heads 4"});
  check_config_refused(with(tiny(), "num_key_value_heads", 8),
                       {"num_key_value_heads", "8", "num_attention_heads 4"});
  check_config_refused(with(tiny(), "head_dim", 7), {"head_dim", "7", "even"});
}

TEST_CASE("Config, numbers and switches of the wrong type are refused") {
  for (const json& value : {json(0), json(-1e-6), json("1e-6"), json(true), json::array()}) {
    check_key_refused("rms_norm_eps", value);
  }
  for (const json& value : {json(0), json(-10000), json("10000"), json::object()}) {
    check_key_refused("rope_theta", value);
  }
  for (const char* key : {"tie_word_embeddings", "attention_bias", "mlp_bias"}) {
    for (const json& value : {json(0), json(1), json("true")}) check_key_refused(key, value);
  }
}

TEST_CASE("Config, attention and MLP biases follow the keys") {
  CHECK(parse(with(tiny(), "attention_bias", true)).attention_bias);
  CHECK(parse(with(tiny(), "mlp_bias", true)).mlp_bias);
  CHECK_FALSE(
      parse(with(tiny(Architecture::qwen3), "mlp_bias", true)).mlp_bias);  // only Llama's class has it
}

TEST_CASE("Config, what would change the computation is refused by name") {
  check_key_refused("hidden_act", "gelu");
  check_key_refused("hidden_act", 1);
  check_key_refused("quantization_config", {{"quant_method", "gptq"}});
  check_key_refused("partial_rotary_factor", 0.5);
  CHECK(parse(with(tiny(), "partial_rotary_factor", 1.0)).head_dim == 8);
  CHECK(parse(with(tiny(), "hidden_act", "swish")).head_dim == 8);
  CHECK(parse(with(tiny(), "quantization_config", nullptr)).head_dim == 8);
  // Slices of the same products: no effect on the result.
  CHECK(parse(with(tiny(), "pretraining_tp", 2)).head_dim == 8);
}

TEST_CASE("Config, sliding-window layers are refused where the class has them") {
  json qwen = tiny(GENERATE(Architecture::qwen2, Architecture::qwen3));
  qwen["sliding_window"] = 4096;
  qwen["max_window_layers"] = 1;
  CHECK(parse(qwen).layers == 2);  // switched off by default
  CHECK(parse(with(qwen, "use_sliding_window", false)).layers == 2);
  check_config_refused(with(qwen, "use_sliding_window", true), {"use_sliding_window"});
  CHECK(parse(with(with(qwen, "use_sliding_window", true), "max_window_layers", 2)).layers == 2);
  CHECK(parse(with(with(qwen, "use_sliding_window", true), "sliding_window", nullptr)).layers == 2);
  check_config_refused(with(qwen, "use_sliding_window", "yes"), {"use_sliding_window"});
  json llama = tiny();
  llama["use_sliding_window"] = true;
  llama["max_window_layers"] = 0;
  CHECK(parse(llama).layers == 2);  // Llama's class does not know these keys
}

TEST_CASE("Config, layer types other than full attention are refused") {
  const json qwen = tiny(Architecture::qwen3);
  CHECK(parse(with(qwen, "layer_types", {"full_attention", "full_attention"})).layers == 2);
  check_config_refused(with(qwen, "layer_types", {"full_attention", "sliding_attention"}),
                       {"layer_types", "sliding_attention"});
  check_config_refused(with(qwen, "layer_types", {"full_attention", 1}), {"layer_types"});
  check_config_refused(with(qwen, "layer_types", {"full_attention"}), {"layer_types", "2"});
  check_config_refused(with(qwen, "layer_types", "full_attention"), {"layer_types"});
}

TEST_CASE("Config, end-of-sequence ids are one id, a list, or none") {
  CHECK(parse(with(tiny(), "eos_token_id", 7)).eos_ids == std::vector<std::int32_t>{7});
  CHECK(parse(with(tiny(), "eos_token_id", {7, 8})).eos_ids == std::vector<std::int32_t>{7, 8});
  CHECK(parse(with(tiny(), "eos_token_id", nullptr)).eos_ids.empty());
  for (const json& value :
       {json(-1), json(1.5), json("2"), json({2, "3"}), json({{2}}), json::object(), json(4294967296)}) {
    check_key_refused("eos_token_id", value);
  }
}

TEST_CASE("Config, generation_config.json overrides the end-of-sequence ids") {
  const support::TempFolder folder;
  auto checkpoint = support::make_checkpoint({});
  checkpoint.generation_config = {{"eos_token_id", {5, 6}}, {"temperature", 0.6}};
  checkpoint.write(folder.path());
  const auto config = engine::read_config(folder.path());
  REQUIRE(config);
  CHECK(config->model.eos_ids == std::vector<std::int32_t>{5, 6});

  checkpoint.generation_config = {{"eos_token_id", nullptr}};
  checkpoint.write(folder.path());
  CHECK(engine::read_config(folder.path())->model.eos_ids == std::vector<std::int32_t>{2});

  checkpoint.generation_config = {{"eos_token_id", "5"}};
  checkpoint.write(folder.path());
  check_refused(engine::read_config(folder.path()), {"generation_config.json", "eos_token_id"});
  support::write_file(folder / "generation_config.json", "{");
  check_refused(engine::read_config(folder.path()), {"generation_config.json", "JSON"});
}

TEST_CASE("Config, text that is not one JSON object is refused") {
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"), std::string("null"),
                                  std::string("{}{}"), std::string("{\"a\":NaN}"), std::string("\xff\xfe{}"),
                                  std::string("{\"a\":\"\xff\"}"), std::string("{}\0", 3)}) {
    INFO(text);
    check_refused(engine::parse_model_config(text, kFile), {kFile, "JSON"});
  }
  check_refused(engine::parse_model_config(R"({"a":1e999})", kFile), {kFile, "out of range"});
  check_refused(engine::parse_model_config(R"({"hidden_size":32,"hidden_size":64})", kFile),
                {kFile, "'hidden_size' appears twice"});
  check_refused(engine::parse_model_config(R"({"a":{"b":1,"b":2}})", kFile), {kFile, "'b' appears twice"});
}

TEST_CASE("Config, deep nesting is refused without using the stack") {
  check_refused(engine::parse_model_config(std::string(10'000'000, '['), kFile), {kFile, "nested deeper"});
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  check_refused(engine::parse_model_config(objects, kFile), {kFile, "nested deeper"});
}
