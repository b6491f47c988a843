// Rotary position embedding: the angles of each position, as Hugging Face computes them (in float32, so that
// far positions agree), default or with Llama 3.1's frequency-dependent scaling (arXiv 2407.21783 and its
// released code).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/checkpoint/config.hpp"

namespace engine {

class RopeTable {
 public:
  explicit RopeTable(const ModelConfig& config);
  // Makes the positions [0, count) available.
  void reserve(std::int32_t count);
  const float* cos(std::int32_t position) const { return cos_.data() + offset(position); }  // [head_dim / 2]
  const float* sin(std::int32_t position) const { return sin_.data() + offset(position); }

 private:
  std::size_t offset(std::int32_t position) const {
    return static_cast<std::size_t>(position) * frequencies_.size();
  }
  std::vector<float> frequencies_;  // [head_dim / 2], radians per position
  std::vector<float> cos_, sin_;
  std::int32_t count_ = 0;
};

}  // namespace engine
