#include "app/eval/weights_mark.hpp"

#include <fmt/format.h>

#include <cstring>
#include <span>
#include <vector>

namespace app::eval {

namespace {

constexpr std::size_t kPlaces = 256;  // per tensor

class Hash {
 public:
  void add(std::span<const std::byte> bytes) {
    add_word(bytes.size());
    if (bytes.size() < sizeof(std::uint64_t)) return;
    const std::size_t last = bytes.size() - sizeof(std::uint64_t);
    for (std::size_t place = 0; place < kPlaces; ++place) {
      std::uint64_t word = 0;
      std::memcpy(&word, &bytes[last / (kPlaces - 1) * place], sizeof(word));
      add_word(word);
    }
  }
  void add(const kernels::Matrix& matrix) {
    if (!matrix) return;
    const auto values = static_cast<std::size_t>(matrix.rows * matrix.cols);
    const std::size_t bytes = values * (matrix.dtype == kernels::DType::f32 ? 4 : 2);
    add(std::span(static_cast<const std::byte*>(matrix.data), bytes));
  }
  void add(const std::vector<float>& values) { add(std::as_bytes(std::span(values))); }
  std::uint64_t value() const { return value_; }

 private:
  void add_word(std::uint64_t word) {
    value_ = (value_ ^ word) * 1099511628211U;  // FNV-1a, a word at a time
    value_ ^= value_ >> 29U;
  }
  std::uint64_t value_ = 14695981039346656037U;
};

}  // namespace

std::string weights_mark(const engine::Model& model) {
  Hash hash;
  hash.add(model.embedding);
  for (const engine::LayerWeights& layer : model.layers) {
    for (const kernels::Matrix* matrix :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      hash.add(*matrix);
    }
    for (const std::vector<float>* values :
         {&layer.attention_norm, &layer.mlp_norm, &layer.q_bias, &layer.alpha_norm, &layer.alpha}) {
      hash.add(*values);
    }
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace app::eval
