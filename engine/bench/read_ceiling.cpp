#include "engine/bench/read_ceiling.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/cpu/read_ceiling.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace engine {

namespace {

// Several times a last-level cache: a smaller buffer would measure the cache.
constexpr std::size_t kEnoughBytes = std::size_t{256} << 20;

// From the first tensor of a file to the end of its last one.
std::span<const std::byte> tensors_of(const SafetensorsFile& file) {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  for (const auto& [name, tensor] : file.header().tensors) {
    if (begin == nullptr || tensor.data < begin) begin = tensor.data;
    end = std::max(end, tensor.data + tensor.bytes);
  }
  return {begin, end};
}

std::span<const std::byte> largest_weights(const Model& model) {
  std::span<const std::byte> largest;
  for (const auto& file : model.files) {
    const auto tensors = tensors_of(*file);
    if (tensors.size() > largest.size()) largest = tensors;
  }
  return largest;
}

}  // namespace

struct ReadCeiling::State {
  std::shared_ptr<const Model> model;
  kernels::ThreadPool pool;
  std::vector<std::byte> own;
  std::span<const std::byte> buffer;
};

ReadCeiling::ReadCeiling(std::shared_ptr<const Model> model, int threads)
    : state_(new State{std::move(model), kernels::ThreadPool(threads), {}, {}}) {
  state_->buffer = largest_weights(*state_->model);
  if (state_->buffer.size() >= kEnoughBytes) return;
  state_->own.assign(kEnoughBytes, std::byte{1});  // written: untouched pages would all be the same zero page
  state_->buffer = state_->own;
}

ReadCeiling::~ReadCeiling() = default;

ReadSample ReadCeiling::measure() {
  const kernels::ReadCeiling ceiling = kernels::measure_read_ceiling(state_->pool, state_->buffer);
  return {ceiling.gigabytes_per_second * 1e9, ceiling.variant};
}

}  // namespace engine
