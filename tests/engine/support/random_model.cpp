#include "tests/engine/support/random_model.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <random>

namespace test {

namespace {

// A model that owns the memory its matrices point to.
struct OwningModel : engine::Model {
  std::vector<std::unique_ptr<std::byte[]>> storage;
  std::mt19937 random;

  std::vector<float> values(std::int64_t count, float scale, float center = 0) {
    std::normal_distribution<float> normal(center, scale);
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& value : out) value = normal(random);
    return out;
  }

  kernels::Matrix matrix(std::int64_t rows, std::int64_t cols, kernels::DType dtype) {
    const std::vector<float> source = values(rows * cols, 1.0f / std::sqrt(static_cast<float>(cols)));
    storage.push_back(std::make_unique<std::byte[]>(source.size() * kernels::size_of(dtype)));
    for (std::size_t i = 0; i < source.size(); ++i) {
      std::byte* target = storage.back().get() + i * kernels::size_of(dtype);
      if (dtype == kernels::DType::f32) {
        std::memcpy(target, &source[i], 4);
      } else {
        const std::uint16_t bits = kernels::float_to_bf16(source[i]);
        std::memcpy(target, &bits, 2);
      }
    }
    return {storage.back().get(), dtype, rows, cols};
  }
};

engine::LayerWeights random_layer(OwningModel& model, const RandomModelOptions& options) {
  const std::int64_t q = std::int64_t{options.query_heads} * options.head_dim;
  const std::int64_t kv = std::int64_t{options.kv_heads} * options.head_dim;
  engine::LayerWeights layer;
  layer.attention_norm = model.values(options.hidden, 0.1f, 1);
  layer.mlp_norm = model.values(options.hidden, 0.1f, 1);
  layer.q = model.matrix(q, options.hidden, options.dtype);
  layer.k = model.matrix(kv, options.hidden, options.dtype);
  layer.v = model.matrix(kv, options.hidden, options.dtype);
  layer.o = model.matrix(options.hidden, q, options.dtype);
  layer.gate = model.matrix(options.intermediate, options.hidden, options.dtype);
  layer.up = model.matrix(options.intermediate, options.hidden, options.dtype);
  layer.down = model.matrix(options.hidden, options.intermediate, options.dtype);
  if (options.architecture == engine::Architecture::qwen2) {
    layer.q_bias = model.values(q, 0.2f);
    layer.k_bias = model.values(kv, 0.2f);
    layer.v_bias = model.values(kv, 0.2f);
  }
  if (options.architecture == engine::Architecture::qwen3) {
    layer.q_norm = model.values(options.head_dim, 0.1f, 1);
    layer.k_norm = model.values(options.head_dim, 0.1f, 1);
  }
  if (options.gates == engine::GateForm::adapter) {
    layer.alpha_norm = model.values(options.hidden, 0.1f, 1);
    layer.alpha = model.values(std::int64_t{options.kv_heads} * options.hidden, 0.2f);
  }
  return layer;
}

}  // namespace

std::shared_ptr<const engine::Model> random_model(const RandomModelOptions& options) {
  auto model = std::make_shared<OwningModel>();
  model->random.seed(options.seed);
  model->name = "random";
  model->folder = "random";
  model->weight_dtype = options.dtype;
  engine::ModelConfig& config = model->config;
  config.architecture = options.architecture;
  config.layers = options.layers;
  config.hidden = options.hidden;
  config.intermediate = options.intermediate;
  config.query_heads = options.query_heads;
  config.kv_heads = options.kv_heads;
  config.head_dim = options.head_dim;
  config.vocab = options.vocab;
  config.max_positions = options.max_positions;
  model->dms.form = options.gates;
  model->dms.window = options.window;
  model->dms.alpha_scale = 100;
  model->dms.alpha_offset = 5;
  model->dms.lag = options.lag;
  model->dms.zero_after_rope = options.zero_after_rope;
  model->dms.per_layer = options.per_layer;
  model->dms.disable_eviction = options.disable_eviction;
  model->embedding = model->matrix(options.vocab, options.hidden, options.dtype);
  model->head = model->matrix(options.vocab, options.hidden, options.dtype);
  model->final_norm = model->values(options.hidden, 0.1f, 1);
  for (std::int32_t i = 0; i < options.layers; ++i) model->layers.push_back(random_layer(*model, options));
  return model;
}

std::vector<engine::TokenId> random_ids(std::int32_t vocab, std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<engine::TokenId> ids(count);
  for (engine::TokenId& id : ids) id = static_cast<engine::TokenId>(random() % static_cast<unsigned>(vocab));
  return ids;
}

}  // namespace test
