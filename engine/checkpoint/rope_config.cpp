#include "engine/checkpoint/rope_config.hpp"

#include <cmath>

namespace engine {

namespace {

using nlohmann::json;

constexpr std::int32_t kMaxOriginalPositions = 1 << 27;

// What one spelling says; theta only where it says so.
struct Spelling {
  std::optional<double> theta;
  std::optional<Llama3RopeScaling> scaling;

  friend bool operator==(const Spelling& a, const Spelling& b) {
    if (a.theta != b.theta || a.scaling.has_value() != b.scaling.has_value()) return false;
    return !a.scaling || (a.scaling->factor == b.scaling->factor &&
                          a.scaling->low_freq_factor == b.scaling->low_freq_factor &&
                          a.scaling->high_freq_factor == b.scaling->high_freq_factor &&
                          a.scaling->original_max_positions == b.scaling->original_max_positions);
  }
};

void refuse_partial_rotation(KeyReader& reader) {
  if (reader.number("partial_rotary_factor", 1) != 1) {
    reader.fail("partial_rotary_factor", "only 1 is supported, found {}",
                shown(*reader.find("partial_rotary_factor")));
  }
}

Llama3RopeScaling read_llama3(KeyReader& reader) {
  for (const char* key :
       {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    if (!reader.has(key)) reader.fail(key, "missing, rope type llama3 needs it");
  }
  Llama3RopeScaling scaling;
  scaling.factor = reader.positive_number("factor", scaling.factor);
  scaling.low_freq_factor = reader.positive_number("low_freq_factor", scaling.low_freq_factor);
  scaling.high_freq_factor = reader.positive_number("high_freq_factor", scaling.high_freq_factor);
  scaling.original_max_positions =
      reader.integer("original_max_position_embeddings", 8192, 1, kMaxOriginalPositions);
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    reader.fail("high_freq_factor", "expected more than low_freq_factor {}, found {}",
                scaling.low_freq_factor, scaling.high_freq_factor);
  }
  return scaling;
}

// The parameters of one flat object. `rope_type` was spelled `type` first.
Spelling read_flat(KeyReader& reader) {
  const auto type = reader.string("rope_type");
  const auto old_type = reader.string("type");
  if (type && old_type && *type != *old_type) {
    reader.fail("type", "\"{}\" contradicts rope_type \"{}\"", printable(*old_type), printable(*type));
  }
  refuse_partial_rotation(reader);
  Spelling spelling;
  if (reader.has("rope_theta")) spelling.theta = reader.positive_number("rope_theta", 0);
  const std::string name = type ? *type : old_type.value_or("default");
  if (name == "llama3") {
    spelling.scaling = read_llama3(reader);
  } else if (name != "default") {
    reader.fail(type ? "rope_type" : "type", "\"{}\" is not supported, expected default or llama3",
                printable(name));
  }
  return spelling;
}

// transformers 5 may give one object per layer type. All our layers are alike, so all objects must be.
Spelling read_per_layer_type(KeyReader& root, const std::string& key, const json& object) {
  std::optional<Spelling> common;
  for (const auto& [layer_type, parameters] : object.items()) {
    const std::string prefix = key + "." + printable(layer_type) + ".";
    if (!parameters.is_object()) {
      root.fail(key, "mixes parameters with an object per layer type ('{}')", printable(layer_type));
      return {};
    }
    KeyReader reader(parameters, root.file(), prefix);
    const Spelling spelling = read_flat(reader);
    root.adopt(reader);
    if (common && !(*common == spelling)) {
      root.fail(key, "differs between layer types, which is not supported");
    }
    common = spelling;
  }
  return common.value_or(Spelling{});
}

std::optional<Spelling> read_spelling(KeyReader& root, const char* key) {
  const json* object = root.object(key);
  if (object == nullptr || object->empty()) return std::nullopt;
  for (const auto& value : *object) {
    if (value.is_object()) return read_per_layer_type(root, key, *object);
  }
  KeyReader reader(*object, root.file(), std::string(key) + ".");
  const Spelling spelling = read_flat(reader);
  root.adopt(reader);
  return spelling;
}

}  // namespace

RopeConfig read_rope(KeyReader& root) {
  refuse_partial_rotation(root);
  RopeConfig config;
  std::optional<double> theta;
  if (root.has("rope_theta")) theta = root.positive_number("rope_theta", config.theta);

  const auto scaling = read_spelling(root, "rope_scaling");
  const auto parameters = read_spelling(root, "rope_parameters");
  if (scaling && parameters) {
    Spelling same_theta = *scaling;
    if (!same_theta.theta) same_theta.theta = parameters->theta;
    if (!(same_theta == *parameters)) root.fail("rope_parameters", "contradicts rope_scaling");
  }
  for (const auto& spelling : {scaling, parameters}) {
    if (!spelling) continue;
    config.scaling = spelling->scaling;
    if (!spelling->theta) continue;
    if (theta && *theta != *spelling->theta) {
      root.fail("rope_theta", "{} contradicts {} in {}", *theta, *spelling->theta,
                parameters ? "rope_parameters" : "rope_scaling");
    }
    theta = spelling->theta;
  }
  // Llama 3.1's original context may also stand beside the object, where transformers 5 prefers it.
  if (config.scaling && root.has("original_max_position_embeddings") &&
      root.integer("original_max_position_embeddings", 0, 1, kMaxOriginalPositions) !=
          config.scaling->original_max_positions) {
    root.fail("original_max_position_embeddings", "contradicts the rope parameters' {}",
              config.scaling->original_max_positions);
  }
  config.theta = theta.value_or(config.theta);
  return config;
}

}  // namespace engine
