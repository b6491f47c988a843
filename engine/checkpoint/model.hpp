// A checkpoint bound to its architecture: every weight found, its dtype and shape checked.
//
// Weights stay memory-mapped and are not touched by loading; only the small ones (norms, biases, the adapter)
// are converted to float32. A Model is immutable and shared by backends; the mapping lives as long as it
// does.
//
// As in transformers, tensors that nothing asks for are ignored, adapter tensors without dms_separate_alpha
// included; with tie_word_embeddings the embedding is the head even where an lm_head.weight was saved.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/checkpoint/config.hpp"
#include "engine/checkpoint/safetensors.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"
#include "kernels/tensor.hpp"

namespace engine {

struct LayerWeights {
  std::vector<float> attention_norm;                  // [hidden]
  kernels::Matrix q, k, v;                            // [heads * head_dim, hidden]
  kernels::Matrix o;                                  // [hidden, query_heads * head_dim]
  std::vector<float> q_bias, k_bias, v_bias, o_bias;  // empty where absent
  std::vector<float> q_norm, k_norm;                  // [head_dim], Qwen3; empty elsewhere
  std::vector<float> mlp_norm;                        // [hidden]
  kernels::Matrix gate, up;                           // [intermediate, hidden], of one dtype
  kernels::Matrix down;                               // [hidden, intermediate]
  std::vector<float> gate_bias, up_bias, down_bias;   // mlp_bias; empty elsewhere
  // DMS adapter (GateForm::adapter)
  std::vector<float> alpha_norm;  // [hidden]
  std::vector<float> alpha;       // [kv_heads, hidden]
  std::vector<float> alpha_bias;  // [kv_heads] where attention_bias, else empty
};

// What backends keep beside a model: copies of its weights on devices, made by the first backend that needs
// one and shared by all others. Gone with the model.
struct DeviceCopies {
  std::mutex mutex;  // held while a copy is looked up or made
  std::map<int, std::shared_ptr<const void>> by_gpu;
};

struct Model {
  std::string name;  // the folder's name
  std::filesystem::path folder;
  ModelConfig config;
  DmsConfig dms;
  kernels::DType weight_dtype = kernels::DType::bf16;  // of the layer matrices
  kernels::Matrix embedding;                           // [vocab, hidden]
  kernels::Matrix head;                                // [vocab, hidden]; the embedding where tied
  std::vector<float> final_norm;                       // [hidden]
  std::vector<LayerWeights> layers;
  std::int64_t weight_bytes = 0;     // of the tensors bound
  std::int64_t parameter_count = 0;  // of the tensors bound, tied ones once

  std::vector<std::shared_ptr<const SafetensorsFile>> files;  // keep the mappings alive
  std::shared_ptr<DeviceCopies> device_copies = std::make_shared<DeviceCopies>();

  ModelShape shape() const;
};

Result<std::shared_ptr<const Model>> load_model(const std::filesystem::path& folder);

}  // namespace engine
