#include "engine/checkpoint/tensor_binder.hpp"

#include <fmt/ranges.h>

#include <cstring>

namespace engine {

namespace {

std::optional<kernels::DType> weight_dtype(const std::string& name) {
  if (name == "BF16") return kernels::DType::bf16;
  if (name == "F16") return kernels::DType::f16;
  if (name == "F32") return kernels::DType::f32;
  return std::nullopt;
}

// Element `i` of a tensor whose address need not be aligned.
template <typename T>
T element(const std::byte* data, std::size_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

std::vector<float> to_floats(const TensorEntry& entry, kernels::DType dtype) {
  std::vector<float> values(entry.bytes / kernels::size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    switch (dtype) {
      case kernels::DType::f32:
        values[i] = element<float>(entry.data, i);
        break;
      case kernels::DType::f16:
        values[i] = kernels::half_to_float(element<std::uint16_t>(entry.data, i));
        break;
      case kernels::DType::bf16:
        values[i] = kernels::bf16_to_float(element<std::uint16_t>(entry.data, i));
        break;
    }
  }
  return values;
}

}  // namespace

kernels::Matrix TensorBinder::matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
  const TensorEntry* entry = bind(name, {rows, cols}, "");
  if (entry == nullptr) return {};
  return {entry->data, *weight_dtype(entry->dtype), rows, cols};
}

std::vector<float> TensorBinder::floats(const std::string& name, const std::vector<std::int64_t>& shape,
                                        const std::string& reason) {
  const TensorEntry* entry = bind(name, shape, reason);
  if (entry == nullptr) return {};
  return to_floats(*entry, *weight_dtype(entry->dtype));
}

void TensorBinder::expect_dtype(const std::string& name, const kernels::Matrix& matrix,
                                kernels::DType expected) {
  if (error_ || matrix.dtype == expected) return;
  error_ = bad_input("{}: tensor {}: expected dtype {} like the tensor it is used with, found {}",
                     files_.file_of(name), name, kernels::name_of(expected), kernels::name_of(matrix.dtype));
}

const TensorEntry* TensorBinder::bind(const std::string& name, const std::vector<std::int64_t>& shape,
                                      const std::string& reason) {
  if (error_) return nullptr;
  const std::string file = files_.file_of(name);
  const TensorEntry* entry = files_.find(name);
  if (entry == nullptr) {
    error_ = bad_input("{}: tensor {}: missing, expected shape [{}]{}", file, name, fmt::join(shape, ", "),
                       reason);
  } else if (!weight_dtype(entry->dtype)) {
    error_ = bad_input("{}: tensor {}: expected dtype BF16, F16 or F32, found {}", file, name, entry->dtype);
  } else if (entry->shape != shape) {
    error_ = bad_input("{}: tensor {}: expected shape [{}] as config.json has it, found [{}]", file, name,
                       fmt::join(shape, ", "), fmt::join(entry->shape, ", "));
  }
  if (error_) return nullptr;
  bound_bytes_ += static_cast<std::int64_t>(entry->bytes);
  std::int64_t elements = 1;  // the shape's product fits: the header was checked
  for (const std::int64_t extent : shape) elements *= extent;
  bound_elements_ += elements;
  return entry;
}

}  // namespace engine
