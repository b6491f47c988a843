#include "app/gui/host/frame_pacer.hpp"

#include <algorithm>

namespace app::gui {

double FramePacer::due() const {
  const double earliest = last_start_ + kShortestFrame;
  // Input is answered at once even while decoding: a hand on the mouse goes first.
  if (pending_ > 0) return earliest;
  if (!continuous_) return std::max(deadline_, earliest);
  if (!software_ || !decoding_) return earliest;
  const double cost = last_end_ - last_start_;
  return std::max(earliest, last_end_ + cost * (1 / kSoftwareShare - 1));
}

void FramePacer::frame_drawn(double started, double ended) {
  last_start_ = started;
  last_end_ = ended;
  pending_ = std::max(0, pending_ - 1);
  deadline_ = kNever;
}

}  // namespace app::gui
