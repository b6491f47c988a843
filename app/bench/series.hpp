// Repeated measurements of one quantity, and what is reported of them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace app {

class Series {
 public:
  void add(double value) { values_.push_back(value); }
  bool empty() const { return values_.empty(); }
  // Of at least one value.
  double median() const;
  double low() const;
  double high() const;
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
};

// {"median": ..., "min": ..., "max": ..., "samples": [...]}, or null while there is none.
nlohmann::ordered_json to_json(const Series& series);
// "123 (119 to 126)"
std::string to_text(const Series& series, int decimals);

}  // namespace app
