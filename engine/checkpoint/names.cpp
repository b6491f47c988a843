#include "engine/checkpoint/config.hpp"
#include "engine/checkpoint/model.hpp"

namespace engine {

const char* name_of(Architecture architecture) {
  switch (architecture) {
    case Architecture::llama:
      return "llama";
    case Architecture::qwen2:
      return "qwen2";
    case Architecture::qwen3:
      return "qwen3";
  }
  return "";
}

const char* name_of(GateForm form) {
  switch (form) {
    case GateForm::none:
      return "none";
    case GateForm::borrowed_neuron:
      return "borrowed neuron";
    case GateForm::adapter:
      return "adapter";
  }
  return "";
}

ModelShape Model::shape() const {
  return {config.layers, config.query_heads, config.kv_heads,     config.head_dim,
          config.hidden, config.vocab,       config.max_positions};
}

}  // namespace engine
