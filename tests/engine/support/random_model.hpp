// Small random models that live in memory: what a checkpoint binds to, without files.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/checkpoint/model.hpp"

namespace test {

struct RandomModelOptions {
  engine::Architecture architecture = engine::Architecture::llama;
  engine::GateForm gates = engine::GateForm::adapter;
  kernels::DType dtype = kernels::DType::f32;
  std::int32_t layers = 3;
  std::int32_t query_heads = 6;
  std::int32_t kv_heads = 2;
  std::int32_t head_dim = 10;
  std::int32_t hidden = 36;
  std::int32_t intermediate = 52;
  std::int32_t vocab = 61;
  std::int32_t max_positions = 512;
  std::int32_t window = 5;
  int lag = 1;
  bool zero_after_rope = true;
  bool per_layer = false;
  bool disable_eviction = false;
  std::uint32_t seed = 1;
};

// Gates straddle zero: about half of the tokens are marked.
std::shared_ptr<const engine::Model> random_model(const RandomModelOptions& options);

// `count` ids inside the vocabulary.
std::vector<engine::TokenId> random_ids(std::int32_t vocab, std::size_t count, std::uint32_t seed);

}  // namespace test
