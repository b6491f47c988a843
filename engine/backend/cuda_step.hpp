// How a step's tokens lie in the rows of a device's activations: sequences that decode (one token) first, in
// one batch, then the chunks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.hpp"

namespace engine {

// One sequence's share of a step.
struct CudaShare {
  std::size_t input = 0;  // index into the step's inputs
  int slot = 0;           // of the sequence in the caches
  std::int32_t row = 0;
  std::int32_t count = 0;
  std::int32_t first_position = 0;
};

struct CudaStep {
  std::vector<CudaShare> shares;         // by input
  std::vector<CudaShare> chunks;         // those of more than one token
  std::int32_t decode_rows = 0;          // rows [0, decode_rows) are one token each
  std::int32_t rows = 0;                 // tokens
  std::vector<std::int32_t> tokens;      // [rows]
  std::vector<std::int32_t> positions;   // [rows]
  std::vector<std::int32_t> slots;       // [decode_rows]
  std::vector<std::int32_t> first_rows;  // by input

  bool decodes_only() const { return chunks.empty(); }
};

// `slots` and `lengths` (tokens processed so far) by input.
CudaStep lay_out_step(std::span<const StepInput> inputs, std::span<const int> slots,
                      std::span<const std::int32_t> lengths);

// Rows that a recorded decode step is made for: the next power of two.
std::int32_t decode_bucket(std::int32_t rows);

}  // namespace engine
