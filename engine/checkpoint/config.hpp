// What config.json (and dms_metadata.json / training_log.json beside or above it) says about a checkpoint.
//
// Reading is strict: a key of the wrong type, an absurd or inconsistent dimension, an architecture or a
// feature we do not run is an error that names the file and the key. Absent keys take Hugging Face's defaults
// (DESIGN §3). Never throws, never allocates in proportion to a number in the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/result.hpp"
#include "kernels/tensor.hpp"

namespace engine {

enum class Architecture : std::uint8_t { llama, qwen2, qwen3 };
const char* name_of(Architecture architecture);

// `rope_scaling` / `rope_parameters`: none ("default", absent) or llama3, Llama 3.1's scaling by frequency.
struct Llama3RopeScaling {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_positions = 8192;
};

struct ModelConfig {
  Architecture architecture = Architecture::llama;
  std::int32_t layers = 0;
  std::int32_t hidden = 0;
  std::int32_t intermediate = 0;
  std::int32_t query_heads = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;  // even
  std::int32_t vocab = 0;
  std::int32_t max_positions = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  std::optional<Llama3RopeScaling> rope_scaling;
  bool tied_embeddings = false;
  // The key. Llama, Qwen3: q, k, v and o have biases; Qwen2: q, k and v always have them. A DMS adapter too.
  bool attention_bias = false;
  bool mlp_bias = false;
  std::vector<std::int32_t> eos_ids;  // config.json's, overridden by generation_config.json's

  int group() const { return query_heads / kv_heads; }
};

enum class GateForm : std::uint8_t { none, borrowed_neuron, adapter };
const char* name_of(GateForm form);  // "none", "borrowed neuron", "adapter"

// DESIGN §1: lag, zeroing, window, scale and offset are properties of a checkpoint.
struct DmsConfig {
  GateForm form = GateForm::none;
  std::string source;  // "config.json (NVIDIA form)", "dms_metadata.json (FastDMS form)", ...
  std::int32_t window = 512;
  double alpha_scale = 100;
  double alpha_offset = 5;
  std::optional<double> target_cr;  // as the file states it; nominal
  int lag = 1;                      // the logit computed at token t + lag judges token t
  bool zero_after_rope = true;      // borrowed neuron: zeroed again after RoPE
  bool per_layer = false;           // every head uses head 0's decision
  bool disable_eviction = false;
};

struct CheckpointConfig {
  ModelConfig model;
  DmsConfig dms;
};

// Reads and checks the JSON files of a checkpoint folder. `dms.form` is decided by config and metadata alone
// (separate_alpha or borrowed neuron); whether the tensors exist is checked when the weights are bound.
Result<CheckpointConfig> read_config(const std::filesystem::path& folder);

// The parts of read_config that take file contents, for tests and fuzzing. `file` is the name used in errors.
Result<ModelConfig> parse_model_config(std::string_view json, const std::string& file);
Status parse_generation_config(std::string_view json, const std::string& file,
                               ModelConfig& config);  // its eos ids
Result<DmsConfig> parse_nvidia_dms_config(std::string_view json,
                                          const std::string& file);  // of a config.json
Result<DmsConfig> parse_fastdms_config(std::string_view json, const std::string& file,
                                       const std::string& source);

}  // namespace engine
