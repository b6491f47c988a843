#include "engine/backend/cuda_sampler.hpp"

#include <cassert>
#include <utility>

#include "kernels/cuda/sampling.hpp"

namespace engine {

namespace {

template <typename T>
void send(const kernels::cuda::DeviceArray<T>& to, const kernels::cuda::PinnedArray<T>& from,
          std::size_t rows, const kernels::cuda::Stream& stream) {
  kernels::cuda::copy_async(to.data(), from.data(), rows * sizeof(T), stream.get());
}

}  // namespace

void CudaSampler::reserve(std::size_t rows, std::int32_t vocab, const kernels::cuda::Stream& stream) {
  if (rows <= rows_) return;
  rows_ = 0;
  device_ = Choices<kernels::cuda::DeviceArray>(rows);
  host_ = Choices<kernels::cuda::PinnedArray>(rows);
  weights_ = kernels::cuda::DeviceArray<float>(rows * kernels::cuda::sample_weights(vocab));
  workspace_ =
      kernels::cuda::DeviceArray<std::byte>(kernels::cuda::argmax_workspace_bytes(static_cast<int>(rows)));
  kernels::cuda::fill_bytes_async(workspace_.data(), 0, workspace_.bytes(), stream.get());
  rows_ = rows;
}

void CudaSampler::launch(std::span<const TokenChoice> choices, const float* logits, std::int32_t vocab,
                         std::int32_t* tokens, const kernels::cuda::Stream& stream) {
  assert(choices.size() <= rows_);
  if (std::exchange(sending_, true)) stream.synchronize();
  for (std::size_t row = 0; row < choices.size(); ++row) {
    host_.temperature[row] = static_cast<float>(choices[row].temperature);
    host_.top_p[row] = choices[row].top_p;
    host_.top_k[row] = choices[row].top_k;
    host_.random[row] = choices[row].random;
  }
  send(device_.temperature, host_.temperature, choices.size(), stream);
  send(device_.top_p, host_.top_p, choices.size(), stream);
  send(device_.top_k, host_.top_k, choices.size(), stream);
  send(device_.random, host_.random, choices.size(), stream);
  kernels::cuda::SampleArgs args;
  args.logits = logits;
  args.stride = vocab;
  args.rows = static_cast<int>(choices.size());
  args.vocab = vocab;
  args.temperature = device_.temperature.data();
  args.top_p = device_.top_p.data();
  args.top_k = device_.top_k.data();
  args.random = device_.random.data();
  args.workspace = workspace_.data();
  args.weights = weights_.data();
  args.tokens = tokens;
  launch_sample(args, stream.get());
}

}  // namespace engine
