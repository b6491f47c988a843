// Folders, shards and tensors that do not make a checkpoint are refused, naming file and tensor.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>

#include "engine/checkpoint/model.hpp"
#include "tests/engine/checkpoint/refusal.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using engine::Architecture;
using nlohmann::json;
using support::Gates;

namespace {

void check_load_refused(const std::filesystem::path& folder, std::initializer_list<std::string> named) {
  check_refused(engine::load_model(folder), named);
}

// Writes the checkpoint into a folder of its own and expects a refusal.
void check_written_refused(const support::Checkpoint& checkpoint, std::initializer_list<std::string> named) {
  const support::TempFolder folder;
  checkpoint.write(folder.path());
  check_load_refused(folder.path(), named);
}

json index_of(const std::filesystem::path& folder) {
  return json::parse(std::ifstream(folder / "model.safetensors.index.json"));
}

void write_index(const std::filesystem::path& folder, const json& index) {
  support::write_file(folder / "model.safetensors.index.json", index.dump());
}

}  // namespace

TEST_CASE("Checkpoint folder, a missing one, a file and an empty one are refused") {
  const support::TempFolder folder;
  check_load_refused(folder / "absent", {"absent", "no such folder"});
  support::write_file(folder / "file", "x");
  check_load_refused(folder / "file", {"file", "expected a checkpoint folder"});
  check_load_refused(folder / "file" / "below", {"below"});
  check_load_refused(folder.path(), {folder.path().string(), "config.json"});
  std::filesystem::create_symlink("loop", folder / "loop");
  check_load_refused(folder / "loop", {"loop"});
}

TEST_CASE("Checkpoint folder, a config.json that is no readable file is refused") {
  const support::TempFolder folder;
  const auto config = folder / "config.json";
  support::write_file(config, "");
  check_load_refused(folder.path(), {"config.json", "JSON"});
  support::write_file(config, std::string((16u << 20) + 1, ' '));
  check_load_refused(folder.path(), {"config.json", "at most 16777216 bytes"});
  std::filesystem::remove(config);
  std::filesystem::create_directory(config);
  check_load_refused(folder.path(), {"config.json", "regular file"});
  std::filesystem::remove(config);
  REQUIRE(::mkfifo(config.c_str(), 0600) == 0);
  check_load_refused(folder.path(), {"config.json", "regular file"});
  std::filesystem::remove(config);
  std::filesystem::create_symlink("nowhere", config);
  check_load_refused(folder.path(), {"config.json", "cannot be opened"});
}

TEST_CASE("Checkpoint folder, without weights the message says what was looked for") {
  const support::TempFolder folder;
  support::make_checkpoint({}).write(folder.path());
  std::filesystem::remove(folder / "model.safetensors");
  check_load_refused(folder.path(), {"model.safetensors", "model.safetensors.index.json"});
  support::write_file(folder / "pytorch_model.bin", "x");
  check_load_refused(folder.path(), {"pytorch_model.bin", "safetensors"});
}

TEST_CASE("Checkpoint, a broken weight file is refused by its name") {
  const support::TempFolder folder;
  support::make_checkpoint({}).write(folder.path());
  const auto weights = folder / "model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 1);
  check_load_refused(folder.path(), {"model.safetensors"});
  std::filesystem::resize_file(weights, 0);
  check_load_refused(folder.path(), {"model.safetensors", "empty"});
  std::filesystem::remove(weights);
  std::filesystem::create_directory(weights);
  check_load_refused(folder.path(), {"model.safetensors", "regular file"});
}

TEST_CASE("Checkpoint, every tensor that is missing is named with the shape expected") {
  const auto architecture = GENERATE(Architecture::llama, Architecture::qwen2, Architecture::qwen3);
  const int shards = GENERATE(1, 2);
  const auto whole = support::make_checkpoint({.architecture = architecture,
                                               .layers = 1,
                                               .attention_bias = architecture != Architecture::qwen2,
                                               .mlp_bias = architecture == Architecture::llama,
                                               .gates = Gates::nvidia_adapter,
                                               .shards = shards});
  for (const auto& [name, tensor] : whole.tensors) {
    auto checkpoint = whole;
    checkpoint.tensors.erase(name);
    std::string shape = std::to_string(tensor.shape[0]);
    if (tensor.shape.size() == 2) shape += ", " + std::to_string(tensor.shape[1]);
    const std::string file = shards == 1 ? "model.safetensors" : "model.safetensors.index.json";
    check_written_refused(checkpoint, {file + ": tensor " + name + ": missing", "[" + shape + "]"});
  }
}

TEST_CASE("Checkpoint, every tensor of another shape is named with both shapes") {
  const auto architecture = GENERATE(Architecture::llama, Architecture::qwen2, Architecture::qwen3);
  const auto whole = support::make_checkpoint(
      {.architecture = architecture, .layers = 1, .kv_heads = 1, .gates = Gates::nvidia_adapter});
  for (const auto& [name, tensor] : whole.tensors) {
    auto checkpoint = whole;
    support::Tensor& changed = checkpoint.tensors.at(name);
    changed.shape.push_back(1);  // the same elements, one dimension more
    check_written_refused(checkpoint,
                          {"model.safetensors: tensor " + name + ": expected shape", "found", ", 1]"});
    changed = tensor;
    changed.shape[0] += 1;
    changed.values.resize(changed.values.size() / static_cast<std::size_t>(tensor.shape[0]) *
                          static_cast<std::size_t>(changed.shape[0]));
    check_written_refused(
        checkpoint, {"tensor " + name + ": expected shape", "found [" + std::to_string(changed.shape[0])});
  }
}

TEST_CASE("Checkpoint, every tensor of another dtype is named with it") {
  const auto whole = support::make_checkpoint({.layers = 1, .gates = Gates::nvidia_adapter});
  const std::string dtype = GENERATE("U8", "F8_E4M3");
  for (const auto& [name, tensor] : whole.tensors) {
    auto checkpoint = whole;
    checkpoint.tensors.at(name).dtype = dtype;
    check_written_refused(checkpoint,
                          {"tensor " + name + ": expected dtype BF16, F16 or F32, found " + dtype});
  }
}

TEST_CASE("Checkpoint, dtypes may differ between tensors but not between gate and up") {
  const support::TempFolder folder;
  auto checkpoint = support::make_checkpoint({.dtype = kernels::DType::bf16});
  checkpoint.tensors.at("model.embed_tokens.weight").dtype = "F32";
  checkpoint.tensors.at("model.layers.1.self_attn.k_proj.weight").dtype = "F16";
  checkpoint.tensors.at("model.norm.weight").dtype = "F32";
  checkpoint.write(folder.path());
  const auto model = engine::load_model(folder.path());
  REQUIRE(model);
  CHECK((*model)->weight_dtype == kernels::DType::bf16);
  CHECK((*model)->embedding.dtype == kernels::DType::f32);
  CHECK((*model)->layers[1].k.dtype == kernels::DType::f16);
  checkpoint.tensors.at("model.layers.1.mlp.up_proj.weight").dtype = "F32";
  check_written_refused(checkpoint, {"tensor model.layers.1.mlp.up_proj.weight", "bf16", "f32"});
}

TEST_CASE("Checkpoint, an absent adapter or its bias says which key asks for it") {
  auto checkpoint = support::make_checkpoint({.gates = Gates::nvidia_borrowed});
  checkpoint.config["dms_separate_alpha"] = true;
  check_written_refused(checkpoint,
                        {"model.layers.0.self_attn.dms_proj_alpha_norm.weight", "dms_separate_alpha"});
  checkpoint = support::make_checkpoint({.attention_bias = true, .gates = Gates::nvidia_adapter});
  checkpoint.tensors.erase("model.layers.1.self_attn.dms_proj_alpha.bias");
  check_written_refused(checkpoint, {"model.layers.1.self_attn.dms_proj_alpha.bias", "attention_bias"});
}

TEST_CASE("Checkpoint, untied without a head is refused") {
  auto checkpoint = support::make_checkpoint({});
  checkpoint.tensors.erase("lm_head.weight");
  check_written_refused(checkpoint, {"tensor lm_head.weight: missing", "[96, 32]"});
}

TEST_CASE("Checkpoint, tensors that the architecture does not have are ignored") {
  const support::TempFolder folder;
  auto checkpoint = support::make_checkpoint({.gates = Gates::nvidia_adapter, .shards = GENERATE(1, 2)});
  for (const char* key : {"dms_separate_alpha", "dms_window_size", "dms_alpha_scale",
                          "dms_initial_alpha_offset", "dms_alpha_per", "dms_disable_eviction", "dms_cr"}) {
    checkpoint.config.erase(key);  // a plain model now, with adapter tensors that nothing asks for
  }
  checkpoint.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {{4}, "F32", {1, 2, 3, 4}};
  checkpoint.tensors["extra"] = {{2}, "I64", std::vector<float>(16)};
  checkpoint.tensors["extra"].shape = {2};
  checkpoint.write(folder.path());
  const auto model = engine::load_model(folder.path());
  REQUIRE(model);
  CHECK((*model)->dms.form == engine::GateForm::none);
  CHECK((*model)->layers[0].alpha.empty());
}

TEST_CASE("Shards, names that are no plain file in the folder are refused") {
  const support::TempFolder folder;
  support::make_checkpoint({.shards = 2}).write(folder.path());
  for (const json& shard : {json("../model-00001-of-00002.safetensors"), json("/etc/passwd"),
                            json("sub/a.safetensors"), json(".."), json("."), json(""), json("a\\b"),
                            json(std::string("a\0b", 3)), json(1), json(nullptr), json::array()}) {
    INFO(shard.dump());
    json index = index_of(folder.path());
    index["weight_map"]["lm_head.weight"] = shard;
    write_index(folder.path(), index);
    check_load_refused(folder.path(), {"model.safetensors.index.json", "lm_head.weight", "same folder"});
  }
}

TEST_CASE("Shards, a missing or broken one is named") {
  const support::TempFolder folder;
  support::make_checkpoint({.shards = 3}).write(folder.path());
  const auto shard = folder / "model-00002-of-00003.safetensors";
  std::filesystem::resize_file(shard, 100);
  check_load_refused(folder.path(), {"model-00002-of-00003.safetensors", "cut short", "index.json"});
  std::filesystem::remove(shard);
  check_load_refused(folder.path(), {"model-00002-of-00003.safetensors", "No such file", "index.json"});
}

TEST_CASE("Shards, an index that lies about a tensor is refused") {
  const support::TempFolder folder;
  support::make_checkpoint({.shards = 2}).write(folder.path());
  json index = index_of(folder.path());
  index["weight_map"]["lm_head.weight"] =
      index["weight_map"]["lm_head.weight"] == "model-00001-of-00002.safetensors"
          ? "model-00002-of-00002.safetensors"
          : "model-00001-of-00002.safetensors";
  write_index(folder.path(), index);
  check_load_refused(folder.path(), {"model-0000", "tensor lm_head.weight: missing", "index.json"});
}

TEST_CASE("Shards, a malformed index is refused") {
  const support::TempFolder folder;
  support::make_checkpoint({.shards = 2}).write(folder.path());
  for (const char* text : {"", "[]", "{", "{}", R"({"weight_map":[]})", R"({"weight_map":null})",
                           R"({"weight_map":{"a":"b","a":"c"}})"}) {
    INFO(text);
    support::write_file(folder / "model.safetensors.index.json", text);
    check_load_refused(folder.path(), {"model.safetensors.index.json"});
  }
  support::write_file(folder / "model.safetensors.index.json", R"({"weight_map":{}})");
  check_load_refused(folder.path(), {"model.safetensors.index.json", "model.embed_tokens.weight"});
}
