// Takes tensors out of the weight files by name, with the shape and an element type they must have. Internal
// to engine/checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/checkpoint/weight_files.hpp"
#include "kernels/tensor.hpp"

namespace engine {

// The first tensor that is missing or wrong is kept in error(); everything asked for after it comes back
// empty.
class TensorBinder {
 public:
  explicit TensorBinder(const WeightFiles& files) : files_(files) {}

  // A view into the mapping; its pages are not touched.
  kernels::Matrix matrix(const std::string& name, std::int64_t rows, std::int64_t cols);

  // Converted to float32: for the small tensors. `reason` says in the error why a missing one is needed.
  std::vector<float> floats(const std::string& name, const std::vector<std::int64_t>& shape,
                            const std::string& reason = "");

  // An error unless `matrix`, bound as `name`, has the element type `expected`.
  void expect_dtype(const std::string& name, const kernels::Matrix& matrix, kernels::DType expected);

  const std::optional<Error>& error() const { return error_; }
  std::int64_t bound_bytes() const { return bound_bytes_; }
  std::int64_t bound_elements() const { return bound_elements_; }

 private:
  // nullptr after an error.
  const TensorEntry* bind(const std::string& name, const std::vector<std::int64_t>& shape,
                          const std::string& reason);

  const WeightFiles& files_;
  std::optional<Error> error_;
  std::int64_t bound_bytes_ = 0;
  std::int64_t bound_elements_ = 0;
};

}  // namespace engine
