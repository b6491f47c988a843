// What a CUDA backend's time is spent on; the names are those of the CPU backend where both do the same.
#pragma once

#include <cstdint>

namespace engine {

enum class CudaOperation : std::int16_t {
  embed,
  qkv,
  gates,
  attention,
  attention_out,
  mlp_up,
  mlp_down,
  head,
  pick,
  transfer,  // inputs in; decisions, tokens and logits out
  cache,     // copying and releasing caches
  graph,     // a whole decode step, where its kernels are not told apart
};

inline constexpr const char* kCudaOperations[] = {"embed",         "qkv",      "gates",    "attention",
                                                  "attention_out", "mlp_up",   "mlp_down", "head",
                                                  "pick",          "transfer", "cache",    "graph"};

}  // namespace engine
