#include "tests/support/checkpoint_builder.hpp"

#include <cmath>
#include <cstring>
#include <random>

#include "tests/support/temp_folder.hpp"

namespace support {

namespace {

using engine::Architecture;
using nlohmann::json;

std::string dtype_name(kernels::DType dtype) {
  switch (dtype) {
    case kernels::DType::f32:
      return "F32";
    case kernels::DType::f16:
      return "F16";
    case kernels::DType::bf16:
      return "BF16";
  }
  return "";
}

// Truncates: random weights need no rounding. Magnitudes here are far inside the normal range of a half
// float.
std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const int exponent = static_cast<int>((bits >> 23) & 0xffu) - 112;
  if (exponent <= 0) return sign;
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(exponent) << 10) |
                                    ((bits >> 13) & 0x3ffu));
}

template <typename T>
void append(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

std::string tensor_bytes(const Tensor& tensor) {
  std::string bytes;
  for (const float value : tensor.values) {
    if (tensor.dtype == "F32") {
      append(bytes, value);
    } else if (tensor.dtype == "F16") {
      append(bytes, float_to_half(value));
    } else if (tensor.dtype == "BF16") {
      append(bytes, kernels::float_to_bf16(value));
    } else {
      append(bytes, static_cast<std::uint8_t>(value));
    }
  }
  return bytes;
}

// Fills a Checkpoint with the tensors of its options.
class WeightMaker {
 public:
  WeightMaker(const CheckpointOptions& options, Checkpoint& checkpoint)
      : options_(options), checkpoint_(checkpoint), random_(options.seed) {}

  void make_all() {
    matrix("model.embed_tokens.weight", options_.vocab, options_.hidden);
    for (std::int32_t i = 0; i < options_.layers; ++i) make_layer("model.layers." + std::to_string(i) + ".");
    norm("model.norm.weight", options_.hidden);
    if (!options_.tied) matrix("lm_head.weight", options_.vocab, options_.hidden);
  }

 private:
  void make_layer(const std::string& prefix) {
    const std::int64_t q_rows = std::int64_t{options_.query_heads} * options_.head_dim;
    const std::int64_t kv_rows = std::int64_t{options_.kv_heads} * options_.head_dim;
    const bool qwen2 = options_.architecture == Architecture::qwen2;
    norm(prefix + "input_layernorm.weight", options_.hidden);
    linear(prefix + "self_attn.q_proj", q_rows, options_.hidden, qwen2 || options_.attention_bias);
    linear(prefix + "self_attn.k_proj", kv_rows, options_.hidden, qwen2 || options_.attention_bias);
    linear(prefix + "self_attn.v_proj", kv_rows, options_.hidden, qwen2 || options_.attention_bias);
    linear(prefix + "self_attn.o_proj", options_.hidden, q_rows, !qwen2 && options_.attention_bias);
    if (options_.architecture == Architecture::qwen3) {
      norm(prefix + "self_attn.q_norm.weight", options_.head_dim);
      norm(prefix + "self_attn.k_norm.weight", options_.head_dim);
    }
    if (options_.gates == Gates::nvidia_adapter) {
      norm(prefix + "self_attn.dms_proj_alpha_norm.weight", options_.hidden);
      linear(prefix + "self_attn.dms_proj_alpha", options_.kv_heads, options_.hidden,
             options_.attention_bias);
    }
    norm(prefix + "post_attention_layernorm.weight", options_.hidden);
    linear(prefix + "mlp.gate_proj", options_.intermediate, options_.hidden, options_.mlp_bias);
    linear(prefix + "mlp.up_proj", options_.intermediate, options_.hidden, options_.mlp_bias);
    linear(prefix + "mlp.down_proj", options_.hidden, options_.intermediate, options_.mlp_bias);
  }

  void linear(const std::string& name, std::int64_t rows, std::int64_t cols, bool bias) {
    matrix(name + ".weight", rows, cols);
    if (bias) fill(name + ".bias", {rows}, 0, 0.1F);
  }

  // Variance 1 / cols keeps activations near unit variance through the layers.
  void matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
    fill(name, {rows, cols}, 0, 1 / std::sqrt(static_cast<float>(cols)));
  }

  void norm(const std::string& name, std::int64_t size) { fill(name, {size}, 1, 0.1F); }

  void fill(const std::string& name, std::vector<std::int64_t> shape, float mean, float deviation) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    Tensor& tensor = checkpoint_.tensors[name];
    tensor = {std::move(shape), dtype_name(options_.dtype), std::vector<float>(count)};
    for (float& value : tensor.values) value = mean + deviation * normal();
  }

  // Sum of twelve uniforms: the same on every standard library, unlike std::normal_distribution.
  float normal() {
    float sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(random_()) * 0x1p-32F;
    return sum;
  }

  const CheckpointOptions& options_;
  Checkpoint& checkpoint_;
  std::mt19937 random_;
};

void add_rope(const CheckpointOptions& options, json& config) {
  json scaling;
  if (options.llama3_rope) {
    scaling = {{"rope_type", "llama3"},
               {"factor", 8.0},
               {"low_freq_factor", 1.0},
               {"high_freq_factor", 4.0},
               {"original_max_position_embeddings", 64}};
  }
  if (!options.rope_parameters) {
    config["rope_theta"] = options.rope_theta;
    config["rope_scaling"] = scaling;
    return;
  }
  if (scaling.is_null()) scaling = {{"rope_type", "default"}};
  scaling["rope_theta"] = options.rope_theta;
  config["rope_parameters"] = scaling;
}

void add_gates(const CheckpointOptions& options, Checkpoint& checkpoint) {
  const json fastdms = {{"window_size", options.window},
                        {"alpha_scale", options.alpha_scale},
                        {"alpha_offset", options.alpha_offset},
                        {"target_cr", 8}};
  switch (options.gates) {
    case Gates::none:
      return;
    case Gates::fastdms_metadata:
      checkpoint.dms_metadata = fastdms;
      return;
    case Gates::fastdms_training_log:
      checkpoint.training_log = {{"config", fastdms}, {"history", {{{"step", 1}, {"loss", 0.5}}}}};
      return;
    case Gates::nvidia_borrowed:
    case Gates::nvidia_adapter:
      break;
  }
  json& config = checkpoint.config;
  config["dms_window_size"] = options.window;
  config["dms_alpha_scale"] = options.alpha_scale;
  config["dms_initial_alpha_offset"] = options.alpha_offset;
  config["dms_separate_alpha"] = options.gates == Gates::nvidia_adapter;
  config["dms_alpha_per"] = options.per_layer ? "layer" : "head";
  config["dms_disable_eviction"] = options.disable_eviction;
  config["dms_cr"] = 8;
}

json base_config(const CheckpointOptions& options) {
  static constexpr const char* kClasses[] = {"LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"};
  json config = {{"architectures", {kClasses[static_cast<int>(options.architecture)]}},
                 {"model_type", engine::name_of(options.architecture)},
                 {"num_hidden_layers", options.layers},
                 {"hidden_size", options.hidden},
                 {"intermediate_size", options.intermediate},
                 {"num_attention_heads", options.query_heads},
                 {"num_key_value_heads", options.kv_heads},
                 {"head_dim", options.head_dim},
                 {"vocab_size", options.vocab},
                 {"max_position_embeddings", options.max_positions},
                 {"rms_norm_eps", 1e-5},
                 {"hidden_act", "silu"},
                 {"tie_word_embeddings", options.tied},
                 {"bos_token_id", 1},
                 {"eos_token_id", 2}};
  if (options.architecture != Architecture::qwen2) config["attention_bias"] = options.attention_bias;
  if (options.architecture == Architecture::llama) config["mlp_bias"] = options.mlp_bias;
  return config;
}

void write_shards(const Checkpoint& checkpoint, const std::filesystem::path& folder) {
  std::vector<std::map<std::string, Tensor>> shards(static_cast<std::size_t>(checkpoint.shards));
  json map = json::object();
  std::size_t next = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::size_t shard = next++ % shards.size();
    shards[shard].emplace(name, tensor);
    map[name] = fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards.size());
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    write_file(folder / fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size()),
               safetensors_bytes(shards[i]));
  }
  write_file(folder / "model.safetensors.index.json",
             json{{"metadata", {{"total_size", 0}}}, {"weight_map", map}}.dump(2));
}

}  // namespace

Checkpoint make_checkpoint(const CheckpointOptions& options) {
  Checkpoint checkpoint;
  checkpoint.config = base_config(options);
  checkpoint.shards = options.shards;
  add_rope(options, checkpoint.config);
  add_gates(options, checkpoint);
  WeightMaker(options, checkpoint).make_all();
  return checkpoint;
}

void Checkpoint::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  const auto write_json = [](const std::filesystem::path& path, const json& value) {
    if (!value.is_null()) write_file(path, value.dump(2));
  };
  write_json(folder / "config.json", config);
  write_json(folder / "generation_config.json", generation_config);
  write_json(folder / "dms_metadata.json", dms_metadata);
  write_json(folder.parent_path() / "training_log.json", training_log);
  if (shards == 1) {
    write_file(folder / "model.safetensors", safetensors_bytes(tensors));
  } else {
    write_shards(*this, folder);
  }
}

std::string safetensors_bytes(const std::map<std::string, Tensor>& tensors) {
  json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t begin = data.size();
    data += tensor_bytes(tensor);
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return safetensors_bytes(header.dump(), data);
}

std::string safetensors_bytes(const std::string& header, const std::string& data) {
  std::string bytes;
  append(bytes, std::uint64_t{header.size()});
  return bytes + header + data;
}

}  // namespace support
