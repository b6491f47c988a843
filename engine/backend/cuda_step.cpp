#include "engine/backend/cuda_step.hpp"

#include <bit>

namespace engine {

namespace {

void append(CudaStep& step, CudaShare share, std::span<const TokenId> tokens) {
  share.row = step.rows;
  step.rows += share.count;
  for (std::int32_t i = 0; i < share.count; ++i) {
    step.tokens.push_back(tokens[static_cast<std::size_t>(i)]);
    step.positions.push_back(share.first_position + i);
  }
  step.first_rows[share.input] = share.row;
  step.shares[share.input] = share;
}

}  // namespace

CudaStep lay_out_step(std::span<const StepInput> inputs, std::span<const int> slots,
                      std::span<const std::int32_t> lengths) {
  CudaStep step;
  step.shares.resize(inputs.size());
  step.first_rows.resize(inputs.size());
  const auto share_of = [&](std::size_t i) {
    return CudaShare{i, slots[i], 0, static_cast<std::int32_t>(inputs[i].tokens.size()), lengths[i]};
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].tokens.size() != 1) continue;
    append(step, share_of(i), inputs[i].tokens);
    step.slots.push_back(slots[i]);
  }
  step.decode_rows = step.rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].tokens.size() == 1) continue;
    append(step, share_of(i), inputs[i].tokens);
    step.chunks.push_back(step.shares[i]);
  }
  return step;
}

std::int32_t decode_bucket(std::int32_t rows) {
  return static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(rows)));
}

}  // namespace engine
