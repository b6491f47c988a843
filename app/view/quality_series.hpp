// A quality measure along one sequence: its values by position, and their running mean.
//
// update() goes on from what it has while the run grows. A fork has its ancestors' values at the positions
// that it inherited.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"

namespace app::view {

struct MeasuredValue {
  std::int32_t position = 0;
  double value = 0;
  double running = 0;  // mean of the last kRunning values up to here
};

class QualitySeries {
 public:
  static constexpr std::size_t kRunning = 64;

  explicit QualitySeries(std::string measure) : measure_(std::move(measure)) {}
  void update(const RunSnapshot& run, const SequenceView& sequence);

  const std::vector<MeasuredValue>& values() const { return values_; }  // by position
  std::optional<double> mean() const;                                   // absent: nothing is measured
  // The largest value; null: nothing is measured.
  const MeasuredValue* greatest() const;
  // The value at the position nearest to `position`, or null.
  const MeasuredValue* nearest(std::int32_t position) const;

 private:
  bool belongs(const RunSnapshot& run, const SequenceView& sequence, const QualityPoint& point) const;
  void add(const QualityPoint& point);

  std::string measure_;
  std::uint64_t run_id_ = 0;
  engine::SequenceId sequence_ = -1;
  std::int32_t known_ = 0;
  std::vector<MeasuredValue> values_;
  std::size_t greatest_ = 0;
  double sum_ = 0;
};

}  // namespace app::view
