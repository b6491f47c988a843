// Any text as each of the JSON files of a checkpoint: refused with one line, or a configuration that keeps
// what config.hpp promises.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/checkpoint/config.hpp"

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

template <typename T>
bool accepted(const engine::Result<T>& result) {
  if (result) return true;
  const std::string& message = result.error().message;
  check(!message.empty() && message.find('\n') == std::string::npos);
  return false;
}

void check_model(const engine::ModelConfig& config) {
  check(config.layers > 0 && config.hidden > 0 && config.intermediate > 0 && config.vocab > 0);
  check(config.max_positions > 0 && config.kv_heads > 0 && config.query_heads % config.kv_heads == 0);
  check(config.head_dim > 0 && config.head_dim % 2 == 0);
  check(config.rms_norm_eps > 0 && config.rope_theta > 0 && std::isfinite(config.rope_theta));
  for (const std::int32_t id : config.eos_ids) check(id >= 0);
  if (!config.rope_scaling) return;
  check(config.rope_scaling->high_freq_factor > config.rope_scaling->low_freq_factor);
  check(config.rope_scaling->factor > 0 && config.rope_scaling->low_freq_factor > 0);
}

void check_dms(const engine::DmsConfig& dms) {
  check(dms.window >= 0 && std::isfinite(dms.alpha_scale) && std::isfinite(dms.alpha_offset));
  check(!dms.target_cr || *dms.target_cr > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(input), size);
  if (const auto model = engine::parse_model_config(text, "config.json"); accepted(model))
    check_model(*model);
  if (const auto dms = engine::parse_nvidia_dms_config(text, "config.json"); accepted(dms)) check_dms(*dms);
  if (const auto dms = engine::parse_fastdms_config(text, "dms_metadata.json", ""); accepted(dms))
    check_dms(*dms);
  engine::ModelConfig config;
  if (accepted(engine::parse_generation_config(text, "generation_config.json", config))) {
    for (const std::int32_t id : config.eos_ids) check(id >= 0);
  }
  return 0;
}
