// What the scrubber draws over the positions of a sequence: live slots and decode speed, as minimum and
// maximum per pixel.
//
// update() reads only what is new; GUI thread or any other, one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "app/view/cache_view.hpp"
#include "app/view/scrub_axis.hpp"

namespace app::view {

// Positions of the sequence that were given, not sampled.
std::int32_t prompt_positions(const SequenceView& sequence);
// Positions per second of the step that processed a position: 0 where none is known.
double processing_rate(const RunSnapshot& run, const SequenceView& sequence, std::int32_t position);

struct CurveColumn {
  std::int64_t live_slots = 0;  // after the last position of the pixel
  float slowest = 0;            // positions per second; 0: no decode step here
  float fastest = 0;
};

class RunCurves {
 public:
  // Of the cache's run and sequence, which must have positions. Columns of pixels with unknown positions are
  // left out.
  void update(const CacheView& cache, const ScrubAxis& axis);

  const std::vector<CurveColumn>& columns() const { return columns_; }
  float fastest() const { return fastest_; }

 private:
  void extend(const CacheView& cache);
  CurveColumn column(TokenRange positions) const;

  std::uint64_t run_id_ = 0;
  engine::SequenceId sequence_ = -1;
  std::int32_t known_ = 0;  // positions read
  std::vector<std::int64_t> live_;
  std::vector<float> rates_;
  ScrubAxis axis_;
  std::vector<CurveColumn> columns_;
  std::int32_t columns_of_ = 0;  // positions in columns_
  float fastest_ = 0;
};

}  // namespace app::view
