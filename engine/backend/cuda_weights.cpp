#include "engine/backend/cuda_weights.hpp"

#include <algorithm>
#include <cstring>

#include "engine/backend/byte_text.hpp"
#include "engine/backend/cuda_upload.hpp"

namespace engine {

namespace {

using kernels::DType;
using kernels::Matrix;
using kernels::cuda::WeightMatrix;

constexpr std::int64_t kRowElements = 8;  // rows of two-byte elements begin at multiples of 16 bytes
constexpr std::size_t kAlignment = 256;

DType type_on_device(const Model& model) {
  const auto is_half = [](const Matrix& matrix) { return matrix.dtype == DType::f16; };
  bool all_half = is_half(model.embedding) && is_half(model.head);
  for (const LayerWeights& layer : model.layers) {
    for (const Matrix* matrix :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      all_half = all_half && is_half(*matrix);
    }
  }
  return all_half ? DType::f16 : DType::bf16;
}

// Gives every tensor its place. Run twice: from address 0 to learn the size, then on the memory itself.
class Layout {
 public:
  Layout(std::byte* base, DType dtype) : base_(base), dtype_(dtype) {}

  WeightMatrix matrix(const Matrix& source, const std::vector<float>& bias) {
    WeightMatrix matrix;
    matrix.rows = static_cast<int>(source.rows);
    matrix.row_stride = (source.cols + kRowElements - 1) / kRowElements * kRowElements;
    const auto bytes = static_cast<std::size_t>(source.rows * matrix.row_stride) * kernels::size_of(dtype_);
    std::byte* place = take(bytes);
    matrix.data = place;
    matrix.bias = floats(bias);
    uploads_.push_back(
        {source.data, source.dtype, source.rows, source.cols, place, dtype_, matrix.row_stride});
    return matrix;
  }

  const float* floats(const std::vector<float>& values) {
    if (values.empty()) return nullptr;
    std::byte* place = take(values.size() * sizeof(float));
    const auto count = static_cast<std::int64_t>(values.size());
    uploads_.push_back({values.data(), DType::f32, 1, count, place, DType::f32, count});
    return reinterpret_cast<const float*>(place);
  }

  std::size_t bytes() const { return offset_; }
  const std::vector<Upload>& uploads() const { return uploads_; }

 private:
  std::byte* take(std::size_t bytes) {
    const std::size_t offset = offset_;
    offset_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return base_ + offset;
  }

  std::byte* base_;
  DType dtype_;
  std::size_t offset_ = kAlignment;  // so that no address is null in the first run
  std::vector<Upload> uploads_;
};

CudaLayer place_layer(const LayerWeights& layer, Layout& layout) {
  CudaLayer placed;
  placed.attention_norm = layout.floats(layer.attention_norm);
  placed.q = layout.matrix(layer.q, layer.q_bias);
  placed.k = layout.matrix(layer.k, layer.k_bias);
  placed.v = layout.matrix(layer.v, layer.v_bias);
  placed.o = layout.matrix(layer.o, layer.o_bias);
  placed.q_norm = layout.floats(layer.q_norm);
  placed.k_norm = layout.floats(layer.k_norm);
  placed.mlp_norm = layout.floats(layer.mlp_norm);
  placed.gate = layout.matrix(layer.gate, layer.gate_bias);
  placed.up = layout.matrix(layer.up, layer.up_bias);
  placed.down = layout.matrix(layer.down, layer.down_bias);
  placed.alpha_norm = layout.floats(layer.alpha_norm);
  placed.alpha = layout.floats(layer.alpha);
  placed.alpha_bias = layout.floats(layer.alpha_bias);
  return placed;
}

// A model made for its shape alone has no data; its embedding and head are told apart by the configuration.
bool head_is_embedding(const Model& model) {
  return model.head.data != nullptr ? model.head.data == model.embedding.data : model.config.tied_embeddings;
}

void place(const Model& model, Layout& layout, CudaWeights& weights) {
  weights.embedding = layout.matrix(model.embedding, {});
  weights.head = head_is_embedding(model) ? weights.embedding : layout.matrix(model.head, {});
  weights.final_norm = layout.floats(model.final_norm);
  weights.layers.clear();
  for (const LayerWeights& layer : model.layers) weights.layers.push_back(place_layer(layer, layout));
}

Status check_memory(const Model& model, std::int64_t weights, std::int64_t working) {
  const kernels::cuda::MemoryInfo memory = kernels::cuda::memory_info();
  const std::int64_t missing = weights + working - memory.free_bytes;
  if (missing <= 0) return {};
  return failed(
      "the weights of {} need {} of the GPU's memory, and {} to work with: {} of {} are free, {} are missing",
      model.name, byte_text(weights), byte_text(working), byte_text(memory.free_bytes),
      byte_text(memory.total_bytes), byte_text(missing));
}

std::vector<std::string> conversion_notices(const std::vector<Upload>& uploads) {
  std::vector<std::string> notices;
  for (const DType from : {DType::f32, DType::f16}) {
    const auto converted = [from](const Upload& upload) {
      return upload.from != upload.to && upload.from == from && upload.data != nullptr;
    };
    if (std::any_of(uploads.begin(), uploads.end(), converted)) {
      notices.push_back(fmt::format("{} weights were rounded to bf16 for the GPU", kernels::name_of(from)));
    }
  }
  return notices;
}

Result<std::shared_ptr<const CudaWeights>> upload(const Model& model, std::int64_t working_bytes,
                                                  const UploadProgress& progress) {
  auto weights = std::make_shared<CudaWeights>();
  weights->dtype = type_on_device(model);
  const std::int64_t bytes = cuda_weight_bytes(model);
  if (auto status = check_memory(model, bytes, working_bytes); !status) return status.error();
  weights->memory = kernels::cuda::DeviceBuffer(static_cast<std::size_t>(bytes));
  Layout layout(weights->memory.data(), weights->dtype);
  place(model, layout, *weights);
  if (auto status = upload_all(layout.uploads(), progress); !status) return status.error();
  weights->notices = conversion_notices(layout.uploads());
  return std::shared_ptr<const CudaWeights>(std::move(weights));
}

}  // namespace

std::int64_t cuda_weight_bytes(const Model& model) {
  Layout layout(nullptr, type_on_device(model));
  CudaWeights nowhere;
  place(model, layout, nowhere);
  return static_cast<std::int64_t>(layout.bytes());
}

Result<std::shared_ptr<const CudaWeights>> cuda_weights(const Model& model, int gpu,
                                                        std::int64_t working_bytes,
                                                        const UploadProgress& progress) {
  const std::lock_guard lock(model.device_copies->mutex);
  std::shared_ptr<const void>& copy = model.device_copies->by_gpu[gpu];
  if (copy != nullptr) return std::static_pointer_cast<const CudaWeights>(copy);
  auto weights = upload(model, working_bytes, progress);
  if (weights) copy = *weights;
  return weights;
}

}  // namespace engine
