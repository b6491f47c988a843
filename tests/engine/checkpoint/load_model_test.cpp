// Well-formed checkpoints of every form load, and every weight is the one that was written.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstring>

#include "engine/checkpoint/model.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using engine::Architecture;
using engine::GateForm;
using support::Gates;

namespace {

std::shared_ptr<const engine::Model> load(const std::filesystem::path& folder) {
  auto model = engine::load_model(folder);
  INFO((model ? "" : model.error().message));
  REQUIRE(model);
  return *model;
}

float element(const kernels::Matrix& matrix, std::size_t i) {
  const auto* bytes = static_cast<const char*>(matrix.data) + i * kernels::size_of(matrix.dtype);
  if (matrix.dtype == kernels::DType::f32) {
    float value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return matrix.dtype == kernels::DType::bf16 ? kernels::bf16_to_float(bits) : kernels::half_to_float(bits);
}

// What a value becomes when it is stored: bf16 keeps 8 bits of precision, f16 11 (cut by the builder).
bool stored_as(float written, float read, kernels::DType dtype) {
  const float relative = dtype == kernels::DType::f32 ? 0 : dtype == kernels::DType::f16 ? 0x1p-10F : 0x1p-8F;
  return std::abs(written - read) <=
         std::abs(written) * relative + (dtype == kernels::DType::f16 ? 0x1p-14F : 0);
}

void check_matrix(const support::Checkpoint& written, const std::string& name, const kernels::Matrix& read) {
  INFO(name);
  const auto& tensor = written.tensors.at(name);
  REQUIRE(read);
  REQUIRE(tensor.shape == std::vector<std::int64_t>{read.rows, read.cols});
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    if (!stored_as(tensor.values[i], element(read, i), read.dtype)) FAIL("element " << i);
  }
}

void check_floats(const support::Checkpoint& written, const std::string& name, const std::vector<float>& read,
                  kernels::DType dtype) {
  INFO(name);
  const auto tensor = written.tensors.find(name);
  REQUIRE((tensor == written.tensors.end()) == read.empty());
  if (read.empty()) return;
  REQUIRE(tensor->second.values.size() == read.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (!stored_as(tensor->second.values[i], read[i], dtype)) FAIL("element " << i);
  }
}

void check_all_weights(const support::Checkpoint& written, const engine::Model& model, kernels::DType dtype) {
  check_matrix(written, "model.embed_tokens.weight", model.embedding);
  check_floats(written, "model.norm.weight", model.final_norm, dtype);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const engine::LayerWeights& layer = model.layers[i];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    const std::string attention = prefix + "self_attn.";
    check_floats(written, prefix + "input_layernorm.weight", layer.attention_norm, dtype);
    check_matrix(written, attention + "q_proj.weight", layer.q);
    check_matrix(written, attention + "k_proj.weight", layer.k);
    check_matrix(written, attention + "v_proj.weight", layer.v);
    check_matrix(written, attention + "o_proj.weight", layer.o);
    check_floats(written, attention + "q_proj.bias", layer.q_bias, dtype);
    check_floats(written, attention + "k_proj.bias", layer.k_bias, dtype);
    check_floats(written, attention + "v_proj.bias", layer.v_bias, dtype);
    check_floats(written, attention + "o_proj.bias", layer.o_bias, dtype);
    check_floats(written, attention + "q_norm.weight", layer.q_norm, dtype);
    check_floats(written, attention + "k_norm.weight", layer.k_norm, dtype);
    check_floats(written, attention + "dms_proj_alpha_norm.weight", layer.alpha_norm, dtype);
    check_floats(written, attention + "dms_proj_alpha.weight", layer.alpha, dtype);
    check_floats(written, attention + "dms_proj_alpha.bias", layer.alpha_bias, dtype);
    check_floats(written, prefix + "post_attention_layernorm.weight", layer.mlp_norm, dtype);
    check_matrix(written, prefix + "mlp.gate_proj.weight", layer.gate);
    check_matrix(written, prefix + "mlp.up_proj.weight", layer.up);
    check_matrix(written, prefix + "mlp.down_proj.weight", layer.down);
    check_floats(written, prefix + "mlp.gate_proj.bias", layer.gate_bias, dtype);
    check_floats(written, prefix + "mlp.up_proj.bias", layer.up_bias, dtype);
    check_floats(written, prefix + "mlp.down_proj.bias", layer.down_bias, dtype);
  }
}

}  // namespace

TEST_CASE("Checkpoint, every architecture in every dtype loads with the weights that were written") {
  const auto architecture = GENERATE(Architecture::llama, Architecture::qwen2, Architecture::qwen3);
  const auto dtype = GENERATE(kernels::DType::f32, kernels::DType::f16, kernels::DType::bf16);
  const bool bias = GENERATE(false, true);
  const int shards = GENERATE(1, 3);
  const auto gates = GENERATE(Gates::none, Gates::nvidia_adapter);
  const support::TempFolder folder;
  const auto written =
      support::make_checkpoint({.architecture = architecture,
                                .dtype = dtype,
                                .attention_bias = bias && architecture != Architecture::qwen2,
                                .mlp_bias = bias && architecture == Architecture::llama,
                                .gates = gates,
                                .shards = shards});
  written.write(folder / "tiny");

  const auto model = load(folder / "tiny");
  CHECK(model->name == "tiny");
  CHECK(model->config.architecture == architecture);
  CHECK(model->weight_dtype == dtype);
  CHECK(model->layers.size() == 2);
  CHECK(model->dms.form == (gates == Gates::none ? GateForm::none : GateForm::adapter));
  check_all_weights(written, *model, dtype);
  check_matrix(written, "lm_head.weight", model->head);
}

TEST_CASE("Checkpoint, tied embeddings are the head and count once") {
  const bool head_saved = GENERATE(false, true);
  const support::TempFolder folder;
  auto written = support::make_checkpoint({.tied = true});
  if (head_saved) written.tensors["lm_head.weight"] = written.tensors["model.embed_tokens.weight"];
  written.write(folder.path());

  const auto model = load(folder.path());
  CHECK(model->head.data == model->embedding.data);
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : written.tensors) {
    if (name != "lm_head.weight") elements += static_cast<std::int64_t>(tensor.values.size());
  }
  CHECK(model->parameter_count == elements);
  CHECK(model->weight_bytes == elements * 4);
}

TEST_CASE("Checkpoint, both spellings of the RoPE parameters mean the same") {
  const bool parameters = GENERATE(false, true);
  const bool llama3 = GENERATE(false, true);
  const support::TempFolder folder;
  support::make_checkpoint({.rope_theta = 500000, .llama3_rope = llama3, .rope_parameters = parameters})
      .write(folder.path());
  const auto model = load(folder.path());
  CHECK(model->config.rope_theta == 500000);
  REQUIRE(model->config.rope_scaling.has_value() == llama3);
  if (!llama3) return;
  CHECK(model->config.rope_scaling->factor == 8);
  CHECK(model->config.rope_scaling->low_freq_factor == 1);
  CHECK(model->config.rope_scaling->high_freq_factor == 4);
  CHECK(model->config.rope_scaling->original_max_positions == 64);
}
