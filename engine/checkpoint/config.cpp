#include "engine/checkpoint/config.hpp"

#include <array>

#include "engine/checkpoint/dms_config.hpp"
#include "engine/checkpoint/json_file.hpp"
#include "engine/checkpoint/rope_config.hpp"

namespace engine {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxConfigBytes = 16u << 20;

// Sanity bounds: several times the largest published dense models, small enough that products of two or three
// fit into 64 bits with room to spare.
constexpr std::int32_t kMaxLayers = 1024;
constexpr std::int32_t kMaxHidden = 1 << 18;
constexpr std::int32_t kMaxIntermediate = 1 << 21;
constexpr std::int32_t kMaxHeads = 4096;
constexpr std::int32_t kMaxHeadDim = 1024;
constexpr std::int32_t kMaxVocab = 1 << 22;
constexpr std::int32_t kMaxPositions = 1 << 27;

// What transformers' configuration class of an architecture assumes for absent keys.
struct Defaults {
  Architecture architecture;
  const char* class_name;  // without the "DMS" that NVIDIA's classes append
  const char* model_type;
  std::int32_t vocab;
  std::int32_t intermediate;
  std::int32_t kv_heads;  // 0: as many as query heads
  std::int32_t head_dim;  // 0: hidden / query heads
  std::int32_t max_positions;
  std::int32_t eos;  // -1: none
};

constexpr std::array<Defaults, 3> kDefaults = {{
    {Architecture::llama, "LlamaForCausalLM", "llama", 32000, 11008, 0, 0, 2048, 2},
    {Architecture::qwen2, "Qwen2ForCausalLM", "qwen2", 151936, 22016, 32, 0, 32768, -1},
    {Architecture::qwen3, "Qwen3ForCausalLM", "qwen3", 151936, 22016, 32, 128, 32768, -1},
}};

// The class named by `architectures`, e.g. "Qwen3ForCausalLM" or NVIDIA's "Qwen3ForCausalLMDMS"; empty if
// absent.
std::string class_name(KeyReader& reader) {
  const json* classes = reader.find("architectures");
  if (classes == nullptr || (classes->is_array() && classes->empty())) return {};
  if (!classes->is_array() || !classes->front().is_string()) {
    reader.fail("architectures", "expected a list of strings, found {}", shown(*classes));
    return {};
  }
  return classes->front().get<std::string>();
}

const Defaults* find_architecture(KeyReader& reader) {
  const std::string name = class_name(reader);
  const auto model_type = reader.string("model_type");
  if (reader.error()) return nullptr;
  if (name.empty() && !model_type) {
    reader.fail("architectures", "missing, and so is model_type; expected Llama, Qwen2 or Qwen3");
    return nullptr;
  }
  for (const Defaults& defaults : kDefaults) {
    const bool same_class = name == defaults.class_name || name == std::string(defaults.class_name) + "DMS";
    const bool same_type =
        model_type == defaults.model_type || model_type == std::string(defaults.model_type) + "_dms";
    if (name.empty() ? !same_type : !same_class) continue;
    if (model_type && !same_type) {
      reader.fail("model_type", "\"{}\" contradicts architectures \"{}\"", printable(*model_type),
                  printable(name));
    }
    return &defaults;
  }
  reader.fail(name.empty() ? "model_type" : "architectures",
              "\"{}\" is not supported, expected LlamaForCausalLM, Qwen2ForCausalLM or Qwen3ForCausalLM",
              printable(name.empty() ? *model_type : name));
  return nullptr;
}

void read_dimensions(KeyReader& reader, const Defaults& defaults, ModelConfig& config) {
  config.layers = reader.integer("num_hidden_layers", 32, 1, kMaxLayers);
  config.hidden = reader.integer("hidden_size", 4096, 1, kMaxHidden);
  config.intermediate = reader.integer("intermediate_size", defaults.intermediate, 1, kMaxIntermediate);
  config.query_heads = reader.integer("num_attention_heads", 32, 1, kMaxHeads);
  config.vocab = reader.integer("vocab_size", defaults.vocab, 1, kMaxVocab);
  config.max_positions = reader.integer("max_position_embeddings", defaults.max_positions, 1, kMaxPositions);

  // An explicit null means "as many as query heads" in all three classes, absence only in Llama's.
  const bool equal_heads = defaults.kv_heads == 0 || reader.is_null("num_key_value_heads");
  config.kv_heads = reader.integer("num_key_value_heads",
                                   equal_heads ? config.query_heads : defaults.kv_heads, 1, kMaxHeads);
  if (config.query_heads % config.kv_heads != 0) {
    reader.fail("num_key_value_heads", "{}{} does not divide num_attention_heads {}", config.kv_heads,
                reader.has("num_key_value_heads") ? "" : " (the default)", config.query_heads);
  }

  const bool derived = defaults.head_dim == 0 && !reader.has("head_dim");
  if (derived && config.hidden % config.query_heads != 0) {
    reader.fail("hidden_size", "{} is not a multiple of num_attention_heads {}, and head_dim is absent",
                config.hidden, config.query_heads);
  }
  config.head_dim = reader.integer(
      "head_dim", derived ? config.hidden / config.query_heads : defaults.head_dim, 1, kMaxHeadDim);
  if (config.head_dim % 2 != 0 || config.head_dim < 2 || config.head_dim > kMaxHeadDim) {
    reader.fail("head_dim", "expected an even number up to {}, found {}{}", kMaxHeadDim, config.head_dim,
                derived ? " (hidden_size / num_attention_heads)" : "");
  }
}

// Every layer must attend to the whole context: eviction is what this program adds, and nothing else may hide
// keys.
void refuse_sliding_layers(KeyReader& reader, const ModelConfig& config) {
  if (const json* types = reader.find("layer_types")) {
    if (!types->is_array() || types->size() != static_cast<std::size_t>(config.layers)) {
      reader.fail("layer_types", "expected a list of {} strings (num_hidden_layers)", config.layers);
      return;
    }
    for (const json& type : *types) {
      if (type != "full_attention") {
        reader.fail("layer_types", "{} is not supported, expected full_attention everywhere", shown(type));
      }
    }
    return;
  }
  const bool slides = reader.boolean("use_sliding_window", false) && !reader.is_null("sliding_window");
  const std::int32_t first = reader.integer("max_window_layers", 28, 0, INT32_MAX);
  if (config.architecture != Architecture::llama && slides && first < config.layers) {
    reader.fail("use_sliding_window",
                "sliding-window attention is not supported (max_window_layers {} of {} layers)", first,
                config.layers);
  }
}

void refuse_unsupported(KeyReader& reader, const ModelConfig& config) {
  const std::string activation = reader.string("hidden_act").value_or("silu");
  if (activation != "silu" && activation != "swish") {  // two names of one function
    reader.fail("hidden_act", "\"{}\" is not supported, expected silu", printable(activation));
  }
  if (reader.has("quantization_config")) {
    reader.fail("quantization_config",
                "quantized checkpoints are not supported, expected bf16, fp16 or fp32 weights");
  }
  refuse_sliding_layers(reader, config);
}

void read_eos(KeyReader& reader, std::vector<std::int32_t>& ids) {
  const json* value = reader.find("eos_token_id");
  if (value == nullptr) return;
  ids.clear();
  const json list = value->is_array() ? *value : json::array({*value});
  for (const json& id : list) {
    const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() <= std::uint64_t{INT32_MAX};
    if (!fits) {
      reader.fail("eos_token_id", "expected a token id or a list of token ids, found {}", shown(id));
      return;
    }
    ids.push_back(id.get<std::int32_t>());
  }
}

Result<ModelConfig> read_model_config(const json& root, const std::string& file) {
  KeyReader reader(root, file);
  const Defaults* defaults = find_architecture(reader);
  if (reader.error()) return *reader.error();

  ModelConfig config;
  config.architecture = defaults->architecture;
  read_dimensions(reader, *defaults, config);
  config.rms_norm_eps = reader.positive_number("rms_norm_eps", 1e-6);
  config.tied_embeddings = reader.boolean("tie_word_embeddings", false);
  config.attention_bias = reader.boolean("attention_bias", false);
  config.mlp_bias = reader.boolean("mlp_bias", false) && config.architecture == Architecture::llama;
  const RopeConfig rope = read_rope(reader);
  config.rope_theta = rope.theta;
  config.rope_scaling = rope.scaling;
  if (defaults->eos >= 0 && !reader.is_null("eos_token_id")) config.eos_ids = {defaults->eos};
  read_eos(reader, config.eos_ids);
  if (reader.error()) return *reader.error();

  refuse_unsupported(reader, config);
  if (reader.error()) return *reader.error();
  return config;
}

Status check_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return bad_input("{}: no such folder, expected a checkpoint folder", folder.string());
  }
  if (error) return bad_input("{}: cannot be examined: {}", folder.string(), error.message());
  if (!std::filesystem::is_directory(status)) {
    return bad_input("{}: expected a checkpoint folder, found a file", folder.string());
  }
  if (!has_entry(folder / "config.json")) {
    return bad_input("{}: no config.json in it, expected a Hugging Face checkpoint folder", folder.string());
  }
  return {};
}

}  // namespace

Result<ModelConfig> parse_model_config(std::string_view text, const std::string& file) {
  const auto root = parse_json_object(text, file);
  if (!root) return root.error();
  return read_model_config(*root, file);
}

Status parse_generation_config(std::string_view text, const std::string& file, ModelConfig& config) {
  const auto root = parse_json_object(text, file);
  if (!root) return root.error();
  KeyReader reader(*root, file);
  read_eos(reader, config.eos_ids);
  if (reader.error()) return *reader.error();
  return {};
}

Result<CheckpointConfig> read_config(const std::filesystem::path& folder) {
  if (auto status = check_folder(folder); !status) return status.error();
  const auto config_path = folder / "config.json";
  const auto root = read_json_object(config_path, kMaxConfigBytes);
  if (!root) return root.error();
  auto model = read_model_config(*root, config_path.string());
  if (!model) return model.error();

  const auto generation_path = folder / "generation_config.json";
  if (has_entry(generation_path)) {
    const auto text = read_text_file(generation_path, kMaxConfigBytes);
    if (!text) return text.error();
    const auto status = parse_generation_config(*text, generation_path.string(), *model);
    if (!status) return status.error();
  }

  auto dms = read_dms_config(folder, *root);
  if (!dms) return dms.error();
  return CheckpointConfig{std::move(*model), std::move(*dms)};
}

}  // namespace engine
