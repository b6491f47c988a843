// Tiny random checkpoints on disk, in every form the loader accepts.
//
//   TempFolder folder;
//   make_checkpoint({.architecture = engine::Architecture::qwen3, .gates =
//   Gates::nvidia_adapter}).write(folder.path());
//
// Between the two calls a test may change everything: keys of the JSON files, tensors, the number of shards.
// The same options give the same weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/checkpoint/config.hpp"
#include "kernels/tensor.hpp"

namespace support {

enum class Gates {
  none,
  nvidia_borrowed,       // dms_* keys, dms_separate_alpha false
  nvidia_adapter,        // dms_* keys, dms_separate_alpha true, adapter tensors
  fastdms_metadata,      // dms_metadata.json
  fastdms_training_log,  // ../training_log.json
};

struct CheckpointOptions {
  engine::Architecture architecture = engine::Architecture::llama;
  std::int32_t layers = 2;
  std::int32_t hidden = 32;
  std::int32_t intermediate = 48;
  std::int32_t query_heads = 4;
  std::int32_t kv_heads = 2;
  std::int32_t head_dim = 8;
  std::int32_t vocab = 96;
  std::int32_t max_positions = 512;
  double rope_theta = 10000;
  bool llama3_rope = false;      // frequency scaling of Llama 3.1, from 64 original positions
  bool rope_parameters = false;  // transformers 5's spelling
  kernels::DType dtype = kernels::DType::f32;
  bool tied = false;
  bool attention_bias = false;  // Llama, Qwen3; Qwen2 has its q, k and v biases anyway
  bool mlp_bias = false;        // Llama
  Gates gates = Gates::none;
  std::int32_t window = 16;
  double alpha_scale = 10;
  double alpha_offset = 1;  // with gate values of about unit variance, some 46 % of the tokens are marked
  bool per_layer = false;
  bool disable_eviction = false;
  int shards = 1;
  std::uint32_t seed = 1;
};

struct Tensor {
  std::vector<std::int64_t> shape;
  std::string dtype;  // "F32", "F16", "BF16"; another name writes `values` as one byte each
  std::vector<float> values;
};

struct Checkpoint {
  nlohmann::json config;
  nlohmann::json generation_config;  // null: not written, as for the next two
  nlohmann::json dms_metadata;
  nlohmann::json training_log;
  std::map<std::string, Tensor> tensors;
  int shards = 1;

  // Creates `folder` if need be. training_log goes into the folder above it.
  void write(const std::filesystem::path& folder) const;
};

Checkpoint make_checkpoint(const CheckpointOptions& options);

// The bytes of a safetensors file that holds `tensors`.
std::string safetensors_bytes(const std::map<std::string, Tensor>& tensors);

// A safetensors file of any header text and data, for broken ones.
std::string safetensors_bytes(const std::string& header, const std::string& data);

}  // namespace support
