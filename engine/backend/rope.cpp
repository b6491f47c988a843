#include "engine/backend/rope.hpp"

#include <cmath>
#include <numbers>

namespace engine {

namespace {

// Long wavelengths are divided by `factor`, short ones kept, those between blended.
float scaled(float frequency, const Llama3RopeScaling& scaling) {
  const double wavelength = 2 * std::numbers::pi / static_cast<double>(frequency);
  const double low_wavelength = scaling.original_max_positions / scaling.low_freq_factor;
  const double high_wavelength = scaling.original_max_positions / scaling.high_freq_factor;
  if (wavelength < high_wavelength) return frequency;
  if (wavelength > low_wavelength) return static_cast<float>(static_cast<double>(frequency) / scaling.factor);
  const double smooth = (scaling.original_max_positions / wavelength - scaling.low_freq_factor) /
                        (scaling.high_freq_factor - scaling.low_freq_factor);
  return static_cast<float>((1 - smooth) * static_cast<double>(frequency) / scaling.factor +
                            smooth * static_cast<double>(frequency));
}

}  // namespace

RopeTable::RopeTable(const ModelConfig& config) {
  const int half = config.head_dim / 2;
  for (int i = 0; i < half; ++i) {
    const double exponent = 2.0 * i / config.head_dim;
    const auto frequency = static_cast<float>(1.0 / std::pow(config.rope_theta, exponent));
    frequencies_.push_back(config.rope_scaling ? scaled(frequency, *config.rope_scaling) : frequency);
  }
}

void RopeTable::reserve(std::int32_t count) {
  if (count <= count_) return;
  cos_.reserve(offset(count));
  sin_.reserve(offset(count));
  for (std::int32_t position = count_; position < count; ++position) {
    for (const float frequency : frequencies_) {
      const float angle = static_cast<float>(position) * frequency;
      cos_.push_back(static_cast<float>(std::cos(static_cast<double>(angle))));
      sin_.push_back(static_cast<float>(std::sin(static_cast<double>(angle))));
    }
  }
  count_ = count;
}

}  // namespace engine
