#include "engine/checkpoint/model.hpp"

#include "engine/checkpoint/tensor_binder.hpp"

namespace engine {

namespace {

void bind_attention(TensorBinder& binder, const ModelConfig& config, const std::string& prefix,
                    LayerWeights& layer) {
  const std::int64_t hidden = config.hidden;
  const std::int64_t q_rows = std::int64_t{config.query_heads} * config.head_dim;
  const std::int64_t kv_rows = std::int64_t{config.kv_heads} * config.head_dim;
  layer.q = binder.matrix(prefix + "q_proj.weight", q_rows, hidden);
  layer.k = binder.matrix(prefix + "k_proj.weight", kv_rows, hidden);
  layer.v = binder.matrix(prefix + "v_proj.weight", kv_rows, hidden);
  layer.o = binder.matrix(prefix + "o_proj.weight", hidden, q_rows);

  const bool qwen2 = config.architecture == Architecture::qwen2;
  if (qwen2 || config.attention_bias) {
    layer.q_bias = binder.floats(prefix + "q_proj.bias", {q_rows});
    layer.k_bias = binder.floats(prefix + "k_proj.bias", {kv_rows});
    layer.v_bias = binder.floats(prefix + "v_proj.bias", {kv_rows});
  }
  if (!qwen2 && config.attention_bias) layer.o_bias = binder.floats(prefix + "o_proj.bias", {hidden});
  if (config.architecture == Architecture::qwen3) {
    layer.q_norm = binder.floats(prefix + "q_norm.weight", {config.head_dim});
    layer.k_norm = binder.floats(prefix + "k_norm.weight", {config.head_dim});
  }
}

void bind_adapter(TensorBinder& binder, const ModelConfig& config, const std::string& prefix,
                  LayerWeights& layer) {
  const std::string reason = ", because dms_separate_alpha is true in config.json";
  const std::int64_t hidden = config.hidden;
  layer.alpha_norm = binder.floats(prefix + "dms_proj_alpha_norm.weight", {hidden}, reason);
  // [kv_heads, hidden] with dms_alpha_per = "layer" as well: the other heads' rows are there, and unused.
  layer.alpha = binder.floats(prefix + "dms_proj_alpha.weight", {config.kv_heads, hidden}, reason);
  if (config.attention_bias) {
    layer.alpha_bias =
        binder.floats(prefix + "dms_proj_alpha.bias", {config.kv_heads},
                      ", because dms_separate_alpha and attention_bias are true in config.json");
  }
}

void bind_mlp(TensorBinder& binder, const ModelConfig& config, const std::string& prefix,
              LayerWeights& layer) {
  layer.gate = binder.matrix(prefix + "gate_proj.weight", config.intermediate, config.hidden);
  layer.up = binder.matrix(prefix + "up_proj.weight", config.intermediate, config.hidden);
  layer.down = binder.matrix(prefix + "down_proj.weight", config.hidden, config.intermediate);
  binder.expect_dtype(prefix + "up_proj.weight", layer.up,
                      layer.gate.dtype);  // the kernels read both together
  if (!config.mlp_bias) return;
  layer.gate_bias = binder.floats(prefix + "gate_proj.bias", {config.intermediate});
  layer.up_bias = binder.floats(prefix + "up_proj.bias", {config.intermediate});
  layer.down_bias = binder.floats(prefix + "down_proj.bias", {config.hidden});
}

LayerWeights bind_layer(TensorBinder& binder, const Model& model, std::int32_t index) {
  const std::string prefix = fmt::format("model.layers.{}.", index);
  LayerWeights layer;
  layer.attention_norm = binder.floats(prefix + "input_layernorm.weight", {model.config.hidden});
  bind_attention(binder, model.config, prefix + "self_attn.", layer);
  if (model.dms.form == GateForm::adapter) bind_adapter(binder, model.config, prefix + "self_attn.", layer);
  layer.mlp_norm = binder.floats(prefix + "post_attention_layernorm.weight", {model.config.hidden});
  bind_mlp(binder, model.config, prefix + "mlp.", layer);
  return layer;
}

// "x" for ".../x", ".../x/" and, through the absolute path, ".".
std::string folder_name(const std::filesystem::path& folder) {
  std::error_code error;
  auto path = std::filesystem::absolute(folder, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

}  // namespace

Result<std::shared_ptr<const Model>> load_model(const std::filesystem::path& folder) {
  auto config = read_config(folder);
  if (!config) return config.error();
  auto files = WeightFiles::open(folder);
  if (!files) return files.error();

  auto model = std::make_shared<Model>();
  model->name = folder_name(folder);
  model->folder = folder;
  model->config = std::move(config->model);
  model->dms = std::move(config->dms);
  model->files = files->files();

  TensorBinder binder(*files);
  model->embedding = binder.matrix("model.embed_tokens.weight", model->config.vocab, model->config.hidden);
  for (std::int32_t i = 0; i < model->config.layers && !binder.error(); ++i) {
    model->layers.push_back(bind_layer(binder, *model, i));
  }
  model->final_norm = binder.floats("model.norm.weight", {model->config.hidden});
  // Tied: the embedding is the head, also where an lm_head.weight was saved beside it.
  model->head = model->config.tied_embeddings
                    ? model->embedding
                    : binder.matrix("lm_head.weight", model->config.vocab, model->config.hidden);
  if (binder.error()) return *binder.error();

  for (const auto& file : model->files) file->allow_read_ahead();
  model->weight_dtype = model->layers.front().q.dtype;
  model->weight_bytes = binder.bound_bytes();
  model->parameter_count = binder.bound_elements();
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace engine
