// RoPE parameters of a config.json, in both spellings: `rope_theta` with `rope_scaling`, and
// `rope_parameters` of transformers 5. Internal to engine/checkpoint.
#pragma once

#include <optional>

#include "engine/checkpoint/config.hpp"
#include "engine/checkpoint/json_file.hpp"

namespace engine {

struct RopeConfig {
  double theta = 10000;  // Hugging Face's default for Llama, Qwen2 and Qwen3
  std::optional<Llama3RopeScaling> scaling;
};

// Where both spellings are given they must agree. Types other than default and llama3 are refused by name.
// Errors go to `root`'s reader.
RopeConfig read_rope(KeyReader& root);

}  // namespace engine
