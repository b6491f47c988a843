#include "app/bench/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace app {

double Series::median() const {
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double Series::low() const {
  return *std::min_element(values_.begin(), values_.end());
}
double Series::high() const {
  return *std::max_element(values_.begin(), values_.end());
}

nlohmann::ordered_json to_json(const Series& series) {
  if (series.empty()) return nullptr;
  return {{"median", series.median()},
          {"min", series.low()},
          {"max", series.high()},
          {"samples", series.values()}};
}

std::string to_text(const Series& series, int decimals) {
  if (series.empty()) return "not measured";
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", series.median(), decimals, series.low(), decimals,
                     series.high(), decimals);
}

}  // namespace app
