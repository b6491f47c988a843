#include "engine/bench/shape_model.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace engine {

namespace {

struct Shape {
  const char* name;
  Architecture architecture;
  std::int32_t layers, hidden, intermediate, query_heads, kv_heads, head_dim, vocab, max_positions;
  double rope_theta;
  bool tied_embeddings;
};

// From the config.json of meta-llama/Llama-3.2-1B and Qwen/Qwen3-8B.
constexpr std::array<Shape, 2> kShapes{
    {{"llama-3.2-1b", Architecture::llama, 16, 2048, 8192, 32, 8, 64, 128256, 131072, 500000, true},
     {"qwen3-8b", Architecture::qwen3, 36, 4096, 12288, 32, 8, 128, 151936, 40960, 1000000, false}}};

// Counts what it makes.
class ShapeBuilder {
 public:
  explicit ShapeBuilder(Model& model) : model_(model) {}

  kernels::Matrix matrix(std::int64_t rows, std::int64_t cols) {
    count(rows * cols);
    return {nullptr, kernels::DType::bf16, rows, cols};
  }
  std::vector<float> ones(std::int32_t length) {
    count(length);
    return std::vector<float>(static_cast<std::size_t>(length), 1.0f);
  }

 private:
  void count(std::int64_t elements) {
    model_.parameter_count += elements;
    model_.weight_bytes += 2 * elements;
  }
  Model& model_;
};

ModelConfig config_of(const Shape& shape) {
  ModelConfig config;
  config.architecture = shape.architecture;
  config.layers = shape.layers;
  config.hidden = shape.hidden;
  config.intermediate = shape.intermediate;
  config.query_heads = shape.query_heads;
  config.kv_heads = shape.kv_heads;
  config.head_dim = shape.head_dim;
  config.vocab = shape.vocab;
  config.max_positions = shape.max_positions;
  config.rope_theta = shape.rope_theta;
  config.tied_embeddings = shape.tied_embeddings;
  return config;
}

LayerWeights layer_of(const Shape& shape, ShapeBuilder& builder) {
  const std::int64_t q = std::int64_t{shape.query_heads} * shape.head_dim;
  const std::int64_t kv = std::int64_t{shape.kv_heads} * shape.head_dim;
  LayerWeights layer;
  layer.attention_norm = builder.ones(shape.hidden);
  layer.q = builder.matrix(q, shape.hidden);
  layer.k = builder.matrix(kv, shape.hidden);
  layer.v = builder.matrix(kv, shape.hidden);
  layer.o = builder.matrix(shape.hidden, q);
  if (shape.architecture == Architecture::qwen3) {
    layer.q_norm = builder.ones(shape.head_dim);
    layer.k_norm = builder.ones(shape.head_dim);
  }
  layer.mlp_norm = builder.ones(shape.hidden);
  layer.gate = builder.matrix(shape.intermediate, shape.hidden);
  layer.up = builder.matrix(shape.intermediate, shape.hidden);
  layer.down = builder.matrix(shape.hidden, shape.intermediate);
  return layer;
}

}  // namespace

Result<std::shared_ptr<const Model>> make_shape_model(std::string_view name) {
  const auto found =
      std::find_if(kShapes.begin(), kShapes.end(), [&](const Shape& shape) { return shape.name == name; });
  if (found == kShapes.end()) {
    return bad_input("--shape: expected llama-3.2-1b or qwen3-8b, got '{}'", name);
  }
  auto model = std::make_shared<Model>();
  model->name = std::string(name);
  model->config = config_of(*found);
  ShapeBuilder builder(*model);
  model->embedding = builder.matrix(found->vocab, found->hidden);
  for (std::int32_t i = 0; i < found->layers; ++i) model->layers.push_back(layer_of(*found, builder));
  model->final_norm = builder.ones(found->hidden);
  model->head = found->tied_embeddings ? model->embedding : builder.matrix(found->vocab, found->hidden);
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace engine
